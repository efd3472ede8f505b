"""`SqliteChannelLayer`: what Channels asks of a layer."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Any
from uuid import uuid4
from weakref import WeakMethod, finalize

import msgpack
from channels.exceptions import ChannelFull
from channels.layers import BaseChannelLayer

from . import clock, log
from .channels import Counters
from .engine import Engine
from .log import Kind, Queued, ReadingProcess
from .place import default_path
from .replies import ThreadReply

TURN = 100
"""Messages that a channel gives without waiting before everything else on the loop has its turn."""


class SqliteChannelLayer(BaseChannelLayer):
    """A channel layer for the processes of one host that needs no server: a log in a SQLite file.

    ::

        CHANNEL_LAYERS = {"default": {"BACKEND": "django_gqlws.layers.SqliteChannelLayer"}}

    ``path`` is the file, by default ``.channels/channels.sqlite3`` in the project's ``BASE_DIR``; it has to be on a
    local disk. The other options are those of all layers: seconds until a message expires, seconds until a membership
    in a group expires, messages that a channel holds.

    A call that returns has committed: what it sent survives the death of this process. LayerError says what is wrong
    with the file.
    """

    extensions = ["groups", "flush"]

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        expiry: float = 60,
        group_expiry: float = 86_400,
        capacity: int = 100,
        channel_capacity: dict[re.Pattern[str] | str, int] | None = None,
    ) -> None:
        super().__init__(capacity=capacity)
        self.expiry = expiry  # type: ignore[assignment] # fractions of a second are fine
        self.channel_capacity = self.compile_capacities(channel_capacity or {})  # type: ignore[assignment] # as Channels
        self.group_expiry = group_expiry
        self.path = Path(path) if path is not None else default_path()
        self._engine = Engine(self.path.absolute(), _capacity_of(self))
        finalize(self, self._engine.stop).atexit = False  # The engine looks after that itself.

    @property
    def counters(self) -> Counters:
        """What was lost by design in this process."""
        return self._engine.channels.counters

    async def processes(self) -> list[ReadingProcess]:
        """The processes that listen on this layer now. One that was killed is among them for up to 20 seconds."""
        return await self._engine.writer.submit(log.reading_processes).wait()

    # Channels

    async def new_channel(self, prefix: str = "specific") -> str:
        """A name for a channel that only this process receives from."""
        await self._listen()
        channel = f"{prefix}.{self._engine.name}!{uuid4().hex[:12]}"
        self.require_valid_channel_name(channel)
        return channel

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        """Sends a message to one receiver.

        Raises ChannelFull for a normal channel, and for one of this process. In another process the oldest message
        makes room.
        """
        self.require_valid_channel_name(channel)
        packed = _pack(message)
        expires = clock.now() + self.expiry
        if "!" not in channel:
            work = partial(
                log.enqueue, channel=channel, message=packed, expires=expires, capacity=self.get_capacity(channel)
            )
            await self._write(work, len(packed))
        elif self._engine.channels.owns(channel):
            with self._engine.channels.reserving(channel):
                await self._append(Kind.CHANNEL, channel, packed, expires)
                await self._engine.reader.run(_nothing).wait()
        else:
            await self._append(Kind.CHANNEL, channel, packed, expires)

    async def receive(self, channel: str) -> dict[str, Any]:
        """The oldest message of a channel; waits for one. Of several that wait for the same channel, one gets it."""
        self.require_valid_channel_name(channel)
        await self._listen()
        if "!" not in channel:
            return _unpack(await self._receive_normal(channel))
        if not self._engine.channels.owns(channel):
            raise ValueError(f"The channel {channel} belongs to another process.")
        return _unpack(await self._receive_own(channel))

    async def _receive_own(self, name: str) -> bytes:
        channels = self._engine.channels
        with channels.receiving(name) as channel:
            if channel.taken % TURN == TURN - 1:
                # A channel that is never empty must not keep the loop from everything else.
                await asyncio.sleep(0)
            while True:
                found = channels.take(channel)
                if isinstance(found, bytes):
                    return found
                try:
                    await found.wait()
                finally:
                    channels.stop_waiting(channel, found)

    async def _receive_normal(self, channel: str) -> bytes:
        while True:
            has_changed = self._engine.reader.watch(channel)
            try:
                claim = partial(log.claim, channel=channel)
                queued = await self._engine.writer.submit(claim, 0, partial(_put_back, self._engine)).wait()
                if queued is not None:
                    message: bytes = queued.message
                    return message
                await has_changed.wait()
            finally:
                has_changed.future.cancel()

    # Groups

    async def group_add(self, group: str, channel: str) -> None:
        """Puts a channel into a group: it gets what is sent when this has returned, and nothing from before."""
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        expires = clock.now() + self.group_expiry
        if "!" not in channel:
            await self._write(partial(log.add_member, group=group, channel=channel, expires=expires))
        elif self._engine.channels.owns(channel):
            await self._engine.reader.run(partial(self._engine.channels.join, group, channel, expires)).wait()
        else:
            await self._append(Kind.JOIN, group, channel.encode(), expires)

    async def group_discard(self, group: str, channel: str) -> None:
        """Takes a channel out of a group: it gets what was sent before, and nothing after."""
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        if "!" not in channel:
            await self._write(partial(log.discard_member, group=group, channel=channel))
        elif self._engine.channels.owns(channel):
            await self._engine.reader.run(partial(self._engine.channels.leave, group, channel)).wait()
        else:
            await self._append(Kind.LEAVE, group, channel.encode(), clock.now() + self.expiry)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Sends a message to the channels that are in the group now.

        Where a channel of a process is full, its oldest message makes room; a full normal channel does not get it.
        """
        await self._write(*self._to_group(group, message))

    async def group_send_many(self, messages: Iterable[tuple[str, dict[str, Any]]]) -> list[Exception | None]:
        """Sends messages to groups, in this order. They share transactions: a burst takes a fraction of the time.

        Says of each why it was not sent, None if it was. Raises BacklogError; nothing was sent then.
        """
        writes = [self._to_group(group, message) for group, message in messages]
        self._engine.writer.require_room(len(writes))
        replies = [self._engine.writer.submit(work, size) for work, size in writes]
        errors: list[Any] = await asyncio.gather(*(reply.future for reply in replies), return_exceptions=True)
        return errors

    def group_send_from_thread(self, messages: Iterable[tuple[str, dict[str, Any]]]) -> list[ThreadReply]:
        """The same for a thread, without an event loop: the replies, for each of which it is to ``wait(timeout)``."""
        writes = [self._to_group(group, message) for group, message in messages]
        self._engine.writer.require_room(len(writes))
        return [self._engine.writer.submit_from_thread(work, size) for work, size in writes]

    def _to_group(self, group: str, message: dict[str, Any]) -> tuple[Callable[[Connection], None], int]:
        """What writes the message, and how many bytes."""
        self.require_valid_group_name(group)
        packed = _pack(message)
        expires = clock.now() + self.expiry

        def work(db: Connection) -> None:
            log.append(db, Kind.GROUP, group, packed, expires)
            for channel in log.members(db, group):
                try:
                    log.enqueue(db, channel, packed, expires, self.get_capacity(channel))
                except ChannelFull:
                    self._engine.channels.count_dropped()

        return work, len(packed)

    # The rest

    async def flush(self) -> None:
        """Forgets all messages and groups, of all processes."""
        await self._write(log.flush)
        if self._engine.reader.is_running:
            await self._engine.reader.run(_nothing).wait()

    async def close(self) -> None:
        """Ends the threads of this process and closes the file. Whatever is called then opens it again."""
        await asyncio.to_thread(self._engine.stop)

    async def _listen(self) -> None:
        if not self._engine.reader.is_reading:
            await self._engine.reader.run(_nothing).wait()

    async def _append(self, kind: Kind, target: str, message: bytes, expires: float) -> None:
        await self._write(partial(log.append, kind=kind, target=target, message=message, expires=expires), len(message))

    async def _write(self, work: Callable[[Connection], None], size: int = 0) -> None:
        await self._engine.writer.submit(work, size).wait()


def _capacity_of(layer: SqliteChannelLayer) -> Callable[[str], int]:
    # The threads must not keep the layer alive.
    method = WeakMethod(layer.get_capacity)

    def capacity_of(channel: str) -> int:
        get_capacity = method()
        return get_capacity(channel) if get_capacity is not None else 0

    return capacity_of


def _put_back(engine: Engine, queued: Queued | None) -> None:
    if queued is not None:
        engine.writer.post(partial(log.put_back, queued=queued))


def _nothing() -> None:
    pass


def _pack(message: dict[str, Any]) -> bytes:
    if not isinstance(message, dict):
        raise TypeError(f"A message is a dict, not {type(message).__name__}.")
    packed: bytes = msgpack.packb(message, unicode_errors="surrogatepass")
    return packed


def _unpack(packed: bytes) -> dict[str, Any]:
    message: dict[str, Any] = msgpack.unpackb(packed, strict_map_key=False, unicode_errors="surrogatepass")
    return message
