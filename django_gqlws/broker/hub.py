"""The receiving side: one channel per process, however many subscribers it serves."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Iterable
from contextvars import Context
from functools import partial
from typing import Any, Protocol

from ..counters import counters
from ..deadlines import Deadlines
from ..exceptions import BroadcastError
from ..tasks import Tasks, heed_cancellation
from .census import Respondent, census_group
from .cohort import Cohorts, Member
from .envelope import Envelope, Kind
from .event import Event
from .layer import CHANNEL_PREFIX, Layer, get_layer, new_channel
from .rounds import Rounds, Subscriber

logger = logging.getLogger(__name__)

TURN = 100
"""Steps of subscribers, and events offered to them, between two looks at everything else that the event loop has to do.
"""

MAX_SENDERS = 1_000
"""Senders whose sequence a group remembers."""

LINGER = 2.0
"""Seconds that a group is kept in the layer without a member: who reloads a page, or goes back to it, costs no join."""

MAX_LINGERING = 1_000
"""Groups that are kept so at the same time; beyond, a group is left at once."""

FIRST_RETRY = 0.1
LAST_RETRY = 1.0
"""Seconds between attempts while the channel layer fails; doubled up to the last."""


class Attendant(Protocol):
    """What attends to a group for the event loop, and for no client."""

    def offer(self, event: Event) -> None:
        """Takes an event, as soon as it has come; it must not wait."""


class _Group:
    __slots__ = ("attendants", "in_layer", "joined", "members", "sequences", "waiters")

    def __init__(self) -> None:
        self.members: dict[Subscriber, int] = {}
        """With the events that had come to the process before it came: they are not for it."""
        self.attendants: list[Attendant] = []
        self.joined = False
        """Every message arrives."""
        self.in_layer = False
        """The layer knows of it, perhaps: it must be left."""
        self.sequences: OrderedDict[str, int] = OrderedDict()
        self.waiters: list[asyncio.Future[None]] = []

    @property
    def is_wanted(self) -> bool:
        """Whether somebody wants its messages."""
        return bool(self.members or self.attendants)

    def count_lost(self, envelope: Envelope) -> int:
        """How many messages of the sender to this group are missing before this one; -1: it has been here before."""
        last = self.sequences.pop(envelope.sender, envelope.sequence - 1)
        self.sequences[envelope.sender] = max(envelope.sequence, last)
        if len(self.sequences) > MAX_SENDERS:
            self.sequences.popitem(last=False)
        return max(envelope.sequence - last - 1, -1)


class Hub:
    """The subscribers of one event loop, by group.

    A group new to the process is joined once in the channel layer, and left ``linger`` seconds after its last member;
    everybody who waits for the same group shares the join. The loop that receives awaits nothing else, so that no
    layer overflows.
    """

    def __init__(self, linger: float = LINGER) -> None:
        self._groups: dict[str, _Group] = {}
        self._changed: deque[str] = deque()
        self._has_changed = asyncio.Event()
        self._lingering = Deadlines(linger)
        self.cohorts = Cohorts(self._all_ready)
        self._rounds = Rounds(_report)
        self._ready: deque[Member] = deque()
        self._turn_is_called = False
        self._layer: Layer | None = None
        self._channel: str | None = None
        self._tasks = Tasks(_report)

    @property
    def is_open(self) -> bool:
        """Whether it receives."""
        return self._layer is not None

    def open(self) -> None:
        """Begins to receive: from now on a census finds this process, also before it has a subscriber.

        Raises ImproperlyConfigured if there is no channel layer.
        """
        if self._layer is None:
            self._start()
            self.attend(Respondent(self.count, self._tasks), census_group())

    def attend(self, attendant: Attendant, group: str) -> None:
        """Tells the attendant of the group's events, before all that waits for subscribers, for as long as the hub
        lives. The join is tried until the channel layer takes it. Only where the hub is open.
        """
        self._want(group).attendants.append(attendant)

    def count(self, group: str) -> int:
        """How many subscribers a group has here."""
        return len(self._groups[group].members) if group in self._groups else 0

    async def join(self, subscriber: Subscriber, groups: Iterable[str]) -> None:
        """Returns when no message to these groups can be missed any more; some may have been offered by then.

        Raises BroadcastError if the channel layer fails, ImproperlyConfigured if there is none: the subscriber is in
        the groups then in which it was before.
        """
        self._start()
        added, waiters = [], []
        for name in groups:
            group = self._groups.get(name)
            if group is None or subscriber not in group.members:
                added.append(name)
                group = self._enter(subscriber, name)
            if not group.joined:
                waiter = asyncio.get_running_loop().create_future()
                group.waiters.append(waiter)
                waiters.append(waiter)
        try:
            for waiter in waiters:
                await waiter
        except BaseException:
            for waiter in waiters:
                waiter.cancel()
            self.leave(subscriber, added)
            raise

    def leave(self, subscriber: Subscriber, groups: Iterable[str]) -> None:
        """From now on nothing is offered to the subscriber for these groups."""
        for name in groups:
            group = self._groups.get(name)
            if group is not None and subscriber in group.members:
                del group.members[subscriber]
                if not group.is_wanted:
                    _wake(group)  # Who has waited here has left.
                    self._linger(name, group)

    def ready(self, subscriber: Subscriber) -> None:
        """Asks for a `step` of the subscriber, in turn with all others; it comes some time, once for each call."""
        self._all_ready((subscriber,))

    def _all_ready(self, members: Iterable[Member]) -> None:
        self._ready.extend(members)
        self._call_turn()

    def _call_turn(self) -> None:
        if (self._ready or self._rounds) and not self._turn_is_called:
            self._turn_is_called = True
            # In an empty context: the hub works for everybody, not for whoever came first.
            asyncio.get_running_loop().call_soon(self._take_turn, context=Context())

    def _take_turn(self) -> None:
        try:
            for _ in range(min(TURN, len(self._ready))):
                try:
                    self._ready.popleft().step()
                except Exception as error:
                    _report(error)
            self._rounds.go_on(TURN)
        finally:
            self._turn_is_called = False
            self._call_turn()

    def _enter(self, subscriber: Subscriber, name: str) -> _Group:
        group = self._want(name)
        group.members.setdefault(subscriber, self._rounds.begun)
        return group

    def _want(self, name: str) -> _Group:
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = _Group()
        elif not group.is_wanted:
            self._lingering.stop(name)
        if not group.joined:
            self._note_change(name)
        return group

    def _linger(self, name: str, group: _Group) -> None:
        if group.joined and len(self._lingering) < MAX_LINGERING:
            self._lingering.start(name, partial(self._note_change, name))
        else:
            self._note_change(name)

    # Receiving

    def _start(self) -> None:
        if self._layer is None:
            self._layer = get_layer()
            self._tasks.start_soon(self._serve(self._layer), Context())

    async def _serve(self, layer: Layer) -> None:
        self._channel = await self._open_channel(layer)
        heed_cancellation()
        self._tasks.start_soon(self._keep_memberships(layer, self._channel), Context())
        if expiry := getattr(layer, "group_expiry", None):
            self._tasks.start_soon(self._renew_memberships(expiry / 2), Context())
        await self._receive(layer, self._channel)

    async def _open_channel(self, layer: Layer) -> str:
        retry = FIRST_RETRY
        while True:
            try:
                return await new_channel(layer, CHANNEL_PREFIX)
            except Exception as error:
                logger.error("The channel layer gives no channel: %r", error)
                self._fail_waiters(error)
                await asyncio.sleep(retry)
                retry = min(retry * 2, LAST_RETRY)

    async def _receive(self, layer: Layer, channel: str) -> None:
        retry = FIRST_RETRY
        while True:
            try:
                message = await layer.receive(channel)
            except Exception as error:
                counters.receive_failures += 1
                if retry == FIRST_RETRY:
                    logger.error("Receiving from the channel layer failed, trying again: %r", error)
                await asyncio.sleep(retry)
                retry = min(retry * 2, LAST_RETRY)
                # What the layer knew of our groups may be gone with it.
                self._join_again()
            else:
                retry = FIRST_RETRY
                try:
                    self._dispatch(message)
                except Exception as error:
                    _report(error)
            heed_cancellation()

    def _dispatch(self, message: dict[str, Any]) -> None:
        try:
            envelope = Envelope.from_message(message)
        except ValueError as error:
            counters.unreadable += 1
            logger.warning("A message of the channel layer was skipped: %s.", error)
            return
        counters.received += 1
        group = self._groups.get(envelope.group)
        if group is None or not group.in_layer:
            return  # The last member left while the message was on its way.
        lost = group.count_lost(envelope)
        if lost < 0 or not group.is_wanted:
            return
        if lost:
            counters.lost += lost
            logger.warning("The channel layer lost %d messages to the group %s.", lost, envelope.group)
        # Told to all who are there: who has come meanwhile may be told of one too many, nobody of one too few.
        event = Event(envelope, lost)
        if event.kind is Kind.BATCH and not event.parts:
            return
        if group.members:
            counters.offered += len(group.members)
            self._rounds.begin(event, group.members)
            self._call_turn()
        for attendant in group.attendants:
            attendant.offer(event)

    # Memberships in the channel layer

    def _note_change(self, name: str) -> None:
        self._changed.append(name)
        self._has_changed.set()

    def _join_again(self) -> None:
        for name, group in self._groups.items():
            group.joined = False
            self._lingering.stop(name)  # Without members it is left for good.
            self._note_change(name)

    async def _renew_memberships(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            self._join_again()

    async def _keep_memberships(self, layer: Layer, channel: str) -> None:
        """Brings the layer's memberships to what the members want: one task, so that nothing can cross."""
        while True:
            await self._has_changed.wait()
            self._has_changed.clear()
            while self._changed:
                await self._settle(layer, channel, self._changed.popleft())
                heed_cancellation()

    async def _settle(self, layer: Layer, channel: str, name: str) -> None:
        group = self._groups.get(name)
        if group is None:
            return
        try:
            if group.is_wanted and not group.joined:
                group.in_layer = True
                await layer.group_add(name, channel)
                group.joined = True
            elif not group.is_wanted and group.in_layer and name not in self._lingering:
                group.joined = False  # Who comes from here on must wait for a new join.
                await layer.group_discard(name, channel)
                group.in_layer = False
                group.sequences.clear()  # What is sent now is not for us: no loss for who comes next.
        except Exception as error:
            logger.error("The channel layer failed to change a group: %r", error)
            _fail(group, error)
            # Members that were promised their messages are still there: try until it works.
            asyncio.get_running_loop().call_later(LAST_RETRY, self._note_change, name)
            return
        if group.joined:
            _wake(group)
        if group.is_wanted:
            if not group.joined:
                self._note_change(name)  # Somebody came meanwhile.
        elif not group.joined:
            del self._groups[name]
        elif name not in self._lingering:
            self._linger(name, group)  # Everybody went meanwhile.

    def _fail_waiters(self, error: Exception) -> None:
        for group in self._groups.values():
            _fail(group, error)


def _wake(group: _Group) -> None:
    waiters, group.waiters = group.waiters, []
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)


def _fail(group: _Group, error: Exception) -> None:
    waiters, group.waiters = group.waiters, []
    for waiter in waiters:
        if not waiter.done():
            waiter.set_exception(
                BroadcastError(f"The channel layer did not join a group: {type(error).__name__}: {error}")
            )


def _report(error: BaseException) -> None:
    logger.critical("The hub met an error that it did not expect: %r", error, exc_info=error)
