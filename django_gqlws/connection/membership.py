"""The groups that one live subscription listens to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextvars import Context
from typing import Any, Protocol

from ..broker.hub import Hub
from ..broker.rounds import Subscriber
from ..broker.source import GroupSource
from ..exceptions import BroadcastError
from ..tasks import Tasks

TIMEOUT = 10.0
"""Seconds that sync code waits for the channel layer to join a group."""


class Leaver(Subscriber, Protocol):
    """A subscriber that can be told to forget what came from a group."""

    def drop(self, groups: Collection[str]) -> None:
        """Delivers nothing more of what these groups have sent."""


class Membership:
    """The groups that ``subscribe`` returned, and those that are joined and left later, in whatever thread.

    When it is closed, joining and leaving do nothing: a subscription may end at any time, and who joins a group for it
    cannot know.
    """

    __slots__ = ("_groups", "_hub", "_listener", "_loop", "_name_of", "_named", "_tasks", "_topic", "changes")

    def __init__(self, listener: Leaver, source: GroupSource, hub: Hub, tasks: Tasks) -> None:
        self._listener: Leaver | None = listener
        self._groups = source.groups
        self._topic = source.topic
        self._name_of = source.name_of
        # The groups of `subscribe`, and those that were joined later, as the application names them.
        self._named: Sequence[Any] = source.named
        self._hub = hub
        self._tasks = tasks
        self._loop = asyncio.get_running_loop()
        self.changes = 0
        """How often the groups have changed."""

    @property
    def topic(self) -> str:
        """The dotted path of the subscription class."""
        return f"{self._topic.__module__}.{self._topic.__qualname__}"

    @property
    def names(self) -> list[str]:
        """The groups as the application names them; the empty text is the subscription class's own."""
        named = {self._name_of(group): str(group) for group in self._named}
        return [named.get(name, "") for name in self._groups]

    async def open(self) -> None:
        """Joins the first groups; returns when nothing that they send can be missed any more."""
        if self._listener is not None:
            await self._hub.join(self._listener, self._groups)

    def close(self) -> None:
        """Leaves all groups."""
        if self._listener is not None:
            self._hub.leave(self._listener, self._groups)
            self._listener = None

    # The application's side: `info.context`

    def join(self, groups: Sequence[Any]) -> Awaitable[None] | None:
        """Joins groups; see `OperationContext.join`."""
        names = [self._name_of(group) for group in groups]
        self._named = [*self._named, *groups]
        return self._on_loop(self._join, names)

    def leave(self, groups: Sequence[Any]) -> Awaitable[None] | None:
        """Leaves groups; see `OperationContext.leave`."""
        return self._on_loop(self._leave, [self._name_of(group) for group in groups])

    def _on_loop(self, change: Callable[[list[str]], asyncio.Future[None]], names: list[str]) -> Awaitable[None] | None:
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is self._loop:
            return change(names)

        async def changed() -> None:
            await change(names)

        elsewhere = asyncio.run_coroutine_threadsafe(changed(), self._loop)
        if running is not None:
            return asyncio.wrap_future(elsewhere)
        try:
            elsewhere.result(TIMEOUT)
        except FutureTimeoutError:
            elsewhere.cancel()
            raise BroadcastError(f"The channel layer did not join a group within {TIMEOUT:g} seconds.") from None
        return None

    def _join(self, names: list[str]) -> asyncio.Future[None]:
        joined = self._loop.create_future()
        new = [name for name in dict.fromkeys(names) if name not in self._groups]
        self._groups = (*self._groups, *new)
        self.changes += 1
        # Who stops waiting does not take back the join: others may wait for the same group.
        self._tasks.start(self._enter(names, new, joined), Context())
        return joined

    async def _enter(self, names: list[str], new: list[str], joined: asyncio.Future[None]) -> None:
        error: Exception | None = None
        try:
            if self._listener is not None:
                # Without those that were left before this began.
                await self._hub.join(self._listener, [name for name in names if name in self._groups])
        except Exception as reason:
            self._groups = tuple(name for name in self._groups if name not in new)
            self.changes += 1
            error = reason
        if joined.done():
            return
        if error is None or self._listener is None:
            joined.set_result(None)
        else:
            joined.set_exception(error)

    def _leave(self, names: list[str]) -> asyncio.Future[None]:
        if self._listener is not None:
            self._groups = tuple(name for name in self._groups if name not in names)
            self.changes += 1
            self._hub.leave(self._listener, names)
            self._listener.drop(names)
        left = self._loop.create_future()
        left.set_result(None)
        return left
