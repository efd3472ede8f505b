"""The gate at `connection_init`: who is blocked, as a process knows it."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from django_gqlws.monitoring import reporter
from django_gqlws.monitoring.blocks import Block, Blocks
from django_gqlws.monitoring.reporter import Reporter


def scope(user: Any) -> dict[str, Any]:
    """Of a connection of the user with this primary key."""
    return {"user": SimpleNamespace(pk=user, get_username=lambda: "eve")}


@pytest.mark.django_db(transaction=True)
async def test_who_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody whose block lasts; who is not blocked any more, and who is nobody."""
    minute = 60
    blocks = {"1": Block(time.time() + minute, "Flooding"), "2": Block(time.time() - minute, "")}
    monkeypatch.setattr(reporter, "read_blocks", lambda: blocks)
    gate = Reporter()

    refused = await gate.ask(scope(1))

    assert refused is not None
    assert (refused.code, refused.reason[:14], refused.reason[-10:]) == (4401, "Blocked until ", ": Flooding")
    assert [await gate.ask(scope(user)) for user in (2, 3, None)] == [None, None, None]
    assert not gate.is_open


@pytest.mark.django_db(transaction=True)
async def test_nobody_is_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked for, as soon as that is known."""
    monkeypatch.setattr(reporter, "read_blocks", dict)
    gate = Reporter()
    assert not gate.is_open

    assert await gate.ask(scope(1)) is None

    assert gate.is_open


def test_what_was_told_while_the_database_was_read() -> None:
    """It is newer than what was read."""
    blocks, block = Blocks(), Block(time.time() + 60, "")
    version = blocks.version

    blocks.put("1", block)
    blocks.replace({}, version)
    assert blocks.find("1") == block

    blocks.replace({}, blocks.version)
    assert not blocks
