from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from django_gqlws.management.loop import run


@pytest.fixture(autouse=True)
def interrupts() -> Iterator[None]:
    """Ctrl-C does what it does in a program, and again behind the test."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    after = signal.signal(signal.SIGINT, before)
    assert after is signal.default_int_handler


def test_a_result() -> None:
    """It is returned."""

    async def main() -> str:
        return "done"

    assert run(main()) == "done"


def test_an_error() -> None:
    """It is raised."""

    async def main() -> None:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - there is nothing in it
        run(main())


def test_ctrl_c() -> None:
    """What runs at that moment goes on undisturbed; then everything is cancelled, and the caller hears of it."""
    notes = []

    async def main() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        notes.append("goes on")
        try:
            await asyncio.Event().wait()
        finally:
            notes.append("is cancelled")

    with pytest.raises(KeyboardInterrupt):
        run(main())

    assert notes == ["goes on", "is cancelled"]


def test_a_second_ctrl_c() -> None:
    """It ends what would not end by itself."""

    async def main() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("it has not ended")

    with pytest.raises(KeyboardInterrupt):
        run(main())
