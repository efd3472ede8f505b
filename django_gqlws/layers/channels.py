"""The channels of this process, their messages, and the groups that they are in."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from channels.exceptions import ChannelFull

from . import clock
from .log import Entry, Kind
from .replies import Reply, deliver

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Counters:
    """What was lost by design in this process, in messages."""

    dropped: int = 0
    """The oldest of a channel that was full, and those of a group for a normal channel that was."""
    expired: int = 0
    """Those that nobody received in time."""
    lost: int = 0
    """Entries of the log, for whomever, that were deleted before this process had read them."""


class _Channel:
    __slots__ = (
        "capacity",
        "groups",
        "home",
        "messages",
        "name",
        "receiving",
        "reserved",
        "taken",
        "waiters",
        "warned",
    )

    def __init__(self, name: str, capacity: int) -> None:
        self.name = name
        self.capacity = capacity
        self.messages: deque[tuple[float, bytes]] = deque()
        """Each with the time at which it expires."""
        self.groups: set[str] = set()
        self.waiters: deque[Reply[None]] = deque()
        self.receiving = 0
        """Calls of `receive` that have not returned."""
        self.reserved = 0
        """Messages that this process is sending to it."""
        self.taken = 0
        """Messages that were received."""
        self.home: asyncio.AbstractEventLoop | None = None
        """The event loop that received last."""
        self.warned = False

    @property
    def is_needed(self) -> bool:
        return bool(self.messages or self.groups or self.receiving or self.reserved)


class Channels:
    """What this process has received and nobody has fetched yet.

    The reading thread puts messages in, event loops take them out; what they share is under one lock, which is never
    held for longer than one message takes. A channel exists as long as it has messages, groups, or somebody who waits.
    """

    def __init__(self, name: str, capacity_of: Callable[[str], int]) -> None:
        self.counters = Counters()
        self._infix = f".{name}!"
        self._capacity_of = capacity_of
        self._lock = threading.Lock()
        self._channels: dict[str, _Channel] = {}
        self._groups: dict[str, dict[str, float]] = {}
        """Of each group the channels, with the time at which their membership expires."""
        self._woken: list[Reply[None]] = []

    def owns(self, channel: str) -> bool:
        """Whether this process has made the channel's name."""
        return self._infix in channel

    # For event loops

    @contextmanager
    def receiving(self, name: str) -> Iterator[_Channel]:
        """The channel, which counts as alive meanwhile."""
        with self._lock:
            channel = self._channel(name)
            channel.receiving += 1
            channel.home = asyncio.get_running_loop()
        try:
            yield channel
        finally:
            with self._lock:
                channel.receiving -= 1
                self._forget_if_unused(channel)

    def take(self, channel: _Channel) -> bytes | Reply[None]:
        """The oldest message; or if there is none, what to wait for before the next attempt."""
        with self._lock:
            self._drop_expired(channel)
            if channel.messages:
                channel.taken += 1
                return channel.messages.popleft()[1]
            waiter: Reply[None] = Reply(lambda _: self._wake_next(channel))
            channel.waiters.append(waiter)
            return waiter

    def stop_waiting(self, channel: _Channel, waiter: Reply[None]) -> None:
        """The task that waited was cancelled."""
        with self._lock:
            if waiter in channel.waiters:
                channel.waiters.remove(waiter)

    @contextmanager
    def reserving(self, name: str) -> Iterator[None]:
        """Room for one more message, which this process sends meanwhile. Raises ChannelFull."""
        with self._lock:
            channel = self._channel(name)
            self._drop_expired(channel)
            if len(channel.messages) + channel.reserved >= channel.capacity:
                raise ChannelFull(name)
            channel.reserved += 1
        try:
            yield
        finally:
            with self._lock:
                channel.reserved -= 1
                self._forget_if_unused(channel)

    def count_dropped(self) -> None:
        """A message did not find room in a normal channel."""
        with self._lock:
            self.counters.dropped += 1

    # For the reading thread

    def dispatch(self, entries: Iterable[Entry]) -> None:
        """Does what the entries say, and wakes whoever waits for a message."""
        now = clock.now()
        for entry in entries:
            with self._lock:
                self._dispatch(entry, now)
        self._deliver()

    def join(self, group: str, name: str, expires: float) -> None:
        """From here on the channel gets the group's messages."""
        with self._lock:
            self._groups.setdefault(group, {})[name] = expires
            self._channel(name).groups.add(group)

    def leave(self, group: str, name: str) -> None:
        """From here on it does not."""
        with self._lock:
            self._leave(group, name)

    def count_lost(self, count: int) -> None:
        """So many entries were deleted before they were read."""
        self.counters.lost += count

    def sweep(self) -> None:
        """Gives up channels whose event loop is closed, and those from which nobody has fetched a message in time."""
        with self._lock:
            for channel in tuple(self._channels.values()):
                is_homeless = channel.home is not None and channel.home.is_closed()
                if is_homeless or (self._drop_expired(channel) and not channel.receiving):
                    self._give_up(channel)
            now = clock.now()
            for group, members in tuple(self._groups.items()):
                for name in [name for name, expires in members.items() if expires <= now]:
                    self._leave(group, name)

    def _dispatch(self, entry: Entry, now: float) -> None:
        kind = entry.kind
        if kind == Kind.GROUP:
            for name, expires in self._groups.get(entry.target, {}).items():
                if expires > now:
                    self._put(self._channels[name], entry)
        elif kind == Kind.FLUSH:
            self._flush()
        elif kind == Kind.CHANNEL:
            if self.owns(entry.target):
                self._put(self._channel(entry.target), entry)
        elif self.owns(name := entry.message.decode()):
            if kind == Kind.JOIN:
                self._groups.setdefault(entry.target, {})[name] = entry.expires
                self._channel(name).groups.add(entry.target)
            else:
                self._leave(entry.target, name)

    def _put(self, channel: _Channel, entry: Entry) -> None:
        messages = channel.messages
        messages.append((entry.expires, entry.message))
        if len(messages) > channel.capacity:
            messages.popleft()
            self.counters.dropped += 1
            if not channel.warned:
                channel.warned = True
                logger.warning(
                    "The channel %s is full (%d messages): the oldest are dropped.", channel.name, channel.capacity
                )
        if channel.waiters:
            self._woken.append(channel.waiters.popleft())

    def _deliver(self) -> None:
        with self._lock:
            woken, self._woken = self._woken, []
        deliver(woken)

    # Under the lock

    def _channel(self, name: str) -> _Channel:
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = _Channel(name, self._capacity_of(name))
        return channel

    def _forget_if_unused(self, channel: _Channel) -> None:
        if not channel.is_needed and self._channels.get(channel.name) is channel:
            del self._channels[channel.name]

    def _leave(self, group: str, name: str) -> None:
        members = self._groups.get(group)
        if members is None or members.pop(name, None) is None:
            return
        if not members:
            del self._groups[group]
        channel = self._channels[name]
        channel.groups.discard(group)
        self._forget_if_unused(channel)

    def _drop_expired(self, channel: _Channel) -> bool:
        """Whether there was one."""
        now = clock.now()
        count = 0
        while channel.messages and channel.messages[0][0] <= now:
            channel.messages.popleft()
            count += 1
        self.counters.expired += count
        return count > 0

    def _give_up(self, channel: _Channel) -> None:
        channel.messages.clear()
        for group in tuple(channel.groups):
            self._leave(group, channel.name)
        if channel.home is not None and channel.home.is_closed():
            self._channels.pop(channel.name, None)
        else:
            self._forget_if_unused(channel)

    def _flush(self) -> None:
        self._groups.clear()
        for channel in tuple(self._channels.values()):
            channel.messages.clear()
            channel.groups.clear()
            self._forget_if_unused(channel)

    def _wake_next(self, channel: _Channel) -> None:
        """Whoever was woken has not taken its message: another one may."""
        with self._lock:
            if channel.messages and channel.waiters:
                self._woken.append(channel.waiters.popleft())
        self._deliver()
