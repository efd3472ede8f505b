"""Follows instructions: what somebody wants to be done to clients, done to those that are here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context

from ..broker.envelope import Kind
from ..broker.event import Event
from ..exceptions import PayloadError
from ..protocol.close import Close
from ..tasks import Tasks
from .blocks import Block, Blocks
from .instructions import Action, Instruction
from .registry import Registry
from .rows import user_of

logger = logging.getLogger(__name__)

SLICE = 50
"""Clients that are dealt with between two looks at everything else that the event loop has to do."""


class Attendant:
    """An event loop's member of the group for instructions. ``done`` is called when one was followed."""

    def __init__(self, registry: Registry, blocks: Blocks, done: Callable[[], None]) -> None:
        self._registry = registry
        self._blocks = blocks
        self._done = done
        self._tasks = Tasks(_report)

    def offer(self, event: Event) -> None:
        """Begins to follow an instruction."""
        if event.kind is not Kind.INSTRUCTION:
            return
        try:
            instruction = Instruction.from_payload(event.unpack())
        except (PayloadError, ValueError):
            logger.error("An instruction was skipped: it is not in the form that this version knows.")
            return
        self._tasks.start_soon(self._follow(instruction), Context())

    async def close_blocked(self) -> None:
        """Closes the connections of those who are blocked."""
        if self._blocks:
            await _one_by_one(self._closing_blocked())

    async def _follow(self, instruction: Instruction) -> None:
        await _one_by_one(_STEPS[instruction.action](self, instruction))
        self._done()

    def _end(self, instruction: Instruction) -> Iterator[None]:
        for id in instruction.ids:
            if (operation := self._registry.subscriptions.get(id)) is not None:
                operation.end()
                yield

    def _disconnect(self, instruction: Instruction) -> Iterator[None]:
        for id in instruction.ids:
            if (connection := self._registry.connections.get(id)) is not None:
                connection.close(Close(instruction.code, instruction.reason))
                yield

    def _block(self, instruction: Instruction) -> Iterator[None]:
        for user in instruction.ids:
            self._blocks.put(user, Block(instruction.until, instruction.reason))
        yield from self._closing_blocked()

    def _unblock(self, instruction: Instruction) -> Iterator[None]:
        for user in instruction.ids:
            self._blocks.remove(user)
            yield

    def _closing_blocked(self) -> Iterator[None]:
        for connection in self._registry:
            user, _ = user_of(connection.scope)
            if (block := self._blocks.find(user)) is not None:
                connection.close(block.as_close())
            yield


_STEPS: dict[Action, Callable[[Attendant, Instruction], Iterator[None]]] = {
    Action.END: Attendant._end,
    Action.DISCONNECT: Attendant._disconnect,
    Action.BLOCK: Attendant._block,
    Action.UNBLOCK: Attendant._unblock,
}


async def _one_by_one(steps: Iterable[None]) -> None:
    for number, _ in enumerate(steps, 1):
        if number % SLICE == 0:
            await asyncio.sleep(0)


def _report(error: BaseException) -> None:
    logger.error("An instruction failed: %r", error, exc_info=error)
