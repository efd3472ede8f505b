"""Who is blocked, as this process knows it: told at once, and read again from the database with each beat."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from ..protocol import close
from ..protocol.close import Close


class Block(NamedTuple):
    """Until when, and why."""

    until: float
    """Unix time, in seconds."""
    reason: str

    def as_close(self) -> Close:
        """What a connection of the user is closed with."""
        until = datetime.fromtimestamp(self.until, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return close.UNAUTHORIZED.because(f"Blocked until {until}{': ' if self.reason else ''}{self.reason}")


class Blocks:
    """Blocked users by their primary key as text."""

    def __init__(self) -> None:
        self._blocks: dict[str, Block] = {}
        self.version = 0
        """Goes up with each change that somebody told this process."""

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def find(self, user: str) -> Block | None:
        """The block of a user, if it is not over."""
        block = self._blocks.get(user)
        return block if block is not None and block.until > time.time() else None

    def put(self, user: str, block: Block) -> None:
        """This user is blocked from now on."""
        self._blocks[user] = block
        self.version += 1

    def remove(self, user: str) -> None:
        """This user is not blocked any more."""
        self._blocks.pop(user, None)
        self.version += 1

    def replace(self, blocks: Mapping[str, Block], version: int) -> None:
        """What the database has; without effect if this process was told of a change since that version."""
        if version == self.version:
            self._blocks = dict(blocks)
