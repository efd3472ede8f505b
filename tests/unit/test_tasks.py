"""Tasks with an owner."""

from __future__ import annotations

import asyncio
from contextvars import Context, ContextVar

from django_gqlws.tasks import Tasks, new_task

language: ContextVar[str] = ContextVar("language", default="none")


async def test_waiting_for_all_tasks() -> None:
    """Also for those that they start."""
    tasks, done = Tasks(lambda error: None), []

    async def inner() -> None:
        await asyncio.sleep(0)
        done.append("inner")

    async def outer() -> None:
        await asyncio.sleep(0)
        tasks.start(inner())
        done.append("outer")

    tasks.start(outer())
    await tasks.wait()

    assert done == ["outer", "inner"]
    assert len(tasks) == 0


async def test_a_task_that_fails() -> None:
    """Its error is reported, whether it fails at once or later; the others go on."""
    errors: list[BaseException] = []
    tasks = Tasks(errors.append)

    async def fail(steps: int) -> None:
        for _ in range(steps):
            await asyncio.sleep(0)
        raise ValueError(steps)

    tasks.start(fail(0))
    tasks.start(fail(1))
    await tasks.wait()

    assert [str(error) for error in errors] == ["0", "1"]


async def test_the_context_of_a_task() -> None:
    """The one it is given, else a copy of the caller's."""
    tasks, seen = Tasks(lambda error: None), []
    language.set("en")

    async def see() -> None:
        seen.append(language.get())
        language.set("changed")

    tasks.start(see())
    tasks.start(see(), Context())
    await tasks.wait()

    assert seen == ["en", "none"]
    assert language.get() == "en"


async def test_a_task_that_is_taken_over() -> None:
    """It is waited for and its error is reported, like one that was started here."""
    errors: list[BaseException] = []
    tasks = Tasks(errors.append)

    async def fail() -> None:
        await asyncio.sleep(0)
        raise RuntimeError("late")

    tasks.own(new_task(fail()))
    await tasks.wait()

    assert [str(error) for error in errors] == ["late"]
