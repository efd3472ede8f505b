from __future__ import annotations

import asyncio

import pytest

from django_gqlws.management.loop import run
from django_gqlws.tasks import new_task


def test_ctrl_c_while_a_task_works(caplog: pytest.LogCaptureFixture) -> None:
    """The caller hears of it; nothing is logged about the task, which may be gone before it is kept."""

    async def interrupted() -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        new_task(interrupted())
        await asyncio.Event().wait()

    with pytest.raises(KeyboardInterrupt):
        run(main())

    assert caplog.messages == []


def test_a_task_fails_that_nobody_keeps(caplog: pytest.LogCaptureFixture) -> None:
    """That is logged."""

    async def failing() -> None:
        raise RuntimeError("oh")

    async def main() -> None:
        await asyncio.wait([asyncio.create_task(failing())])

    run(main())

    (message,) = caplog.messages
    assert message.startswith("Task exception was never retrieved")
