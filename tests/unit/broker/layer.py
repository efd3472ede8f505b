"""A channel layer that tells what it was asked, waits when it is told to, and fails when it is told to."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from tests.support.notes import Notes


class LayerError(Exception):
    """What a failing layer raises."""


class FakeLayer:
    """Delivers in memory, to one loop. `calls` holds "add room", "discard room", "send room", "receive"."""

    def __init__(self) -> None:
        self.calls: Notes[str] = Notes()
        self.sent: list[dict[str, Any]] = []
        self.failures: dict[str, int] = {}
        """How often a method fails from now on, by its name in `calls`."""
        self._members: defaultdict[str, set[str]] = defaultdict(set)
        self._queues: defaultdict[str, asyncio.Queue[Any]] = defaultdict(asyncio.Queue)
        self._passage = asyncio.Event()
        self._passage.set()
        self._stuck: asyncio.AbstractEventLoop | None = None

    def hold(self) -> None:
        """From now on the calls of all methods but `receive` wait."""
        self._passage.clear()

    def release(self) -> None:
        self._passage.set()

    def stick(self) -> None:
        """From now on the calls of all methods but `receive` wait for good, on the loop of the caller alone."""
        self._stuck = asyncio.get_running_loop()

    def members(self, group: str) -> int:
        return len(self._members[group])

    def forget(self, group: str) -> set[str]:
        """Loses the members of a group, and tells who they were."""
        return self._members.pop(group)

    async def new_channel(self, prefix: str = "") -> str:
        await self._begin("new_channel")
        return f"{prefix}.1"

    async def receive(self, channel: str) -> dict[str, Any]:
        message = await self._queues[channel].get()
        if self.failures.get("receive"):
            self.failures["receive"] -= 1
            self.calls.add("receive failed")
            raise LayerError("receive")
        assert isinstance(message, dict)
        return message

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        self._queues[channel].put_nowait(message)

    async def group_add(self, group: str, channel: str) -> None:
        await self._begin("add", group)
        self._members[group].add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        await self._begin("discard", group)
        self._members[group].discard(channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._begin("send", group)
        self.sent.append(message)
        for channel in self._members[group]:
            self._queues[channel].put_nowait(message)

    async def _begin(self, name: str, group: str = "") -> None:
        self.calls.add(f"{name} {group}".strip())
        await self._passage.wait()
        if asyncio.get_running_loop() is self._stuck:
            await asyncio.Event().wait()
        if self.failures.get(name):
            self.failures[name] -= 1
            raise LayerError(name)


class SwallowingLayer(FakeLayer):
    """One of its methods, by its name in `calls`, hangs and swallows the cancellation, as Python 3.11's
    `asyncio.wait_for` does now and then."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    async def receive(self, channel: str) -> dict[str, Any]:
        await self._begin("receive")
        return {} if self._name == "receive" else await super().receive(channel)

    async def _begin(self, name: str, group: str = "") -> None:
        await super()._begin(name, group)
        if name == self._name:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()


class RoomyLayer(FakeLayer):
    """Takes several messages in one call: "send a b c"."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()
        """Groups that it does not send to."""

    async def group_send_many(self, messages: Sequence[tuple[str, dict[str, Any]]]) -> list[Exception | None]:
        await self._begin("send", " ".join(group for group, _ in messages))
        self.sent.extend(message for group, message in messages if group not in self.refused)
        return [LayerError(group) if group in self.refused else None for group, _ in messages]
