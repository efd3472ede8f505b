"""Sync code in worker threads: what it sees, what lasts, and how it is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextvars import ContextVar

import pytest
from django.test import override_settings

from django_gqlws.execution import workers
from django_gqlws.execution.workers import CancelledTooLate, run
from tests.support.notes import ThreadGate

language: ContextVar[str] = ContextVar("language", default="none")
tenant: ContextVar[str] = ContextVar("tenant")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """A pool with a single thread."""
    workers._threads.cache_clear()
    with override_settings(GQLWS={"SYNC_THREADS": 1}):
        yield
    workers._threads.cache_clear()


async def test_what_a_function_sees_and_gives() -> None:
    """It runs in another thread, with its arguments, and its result comes back."""
    result = await run(lambda *args: (threading.get_ident(), workers.in_worker(), args), 1, 2)

    assert result == (result[0], True, (1, 2))
    assert result[0] != threading.get_ident()
    assert not workers.in_worker()


async def test_a_function_that_raises() -> None:
    """Its exception comes back."""
    with pytest.raises(ZeroDivisionError):
        await run(lambda: 1 / 0)


async def test_context_variables_that_a_function_sets() -> None:
    """They last, and what others have set stays."""
    language.set("en")

    await run(tenant.set, "a")

    assert await run(lambda: (language.get(), tenant.get())) == ("en", "a")
    assert (language.get(), tenant.get()) == ("en", "a")


async def test_context_variables_of_a_function_that_raises() -> None:
    """They last as well."""

    def fail() -> None:
        language.set("de")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await run(fail)

    assert language.get() == "de"


async def test_two_functions_side_by_side() -> None:
    """Neither sees what the other sets."""

    async def in_language(code: str) -> str:
        await run(language.set, code)
        return await run(language.get)

    assert await asyncio.gather(in_language("en"), in_language("fr")) == ["en", "fr"]


async def test_a_cancellation_while_the_function_runs() -> None:
    """It is raised when the function has ended, and carries the result."""
    gate = ThreadGate()

    def work() -> str:
        gate.wait()
        return "done"

    async def caller() -> object:
        try:
            return await run(work), "not cancelled"
        except CancelledTooLate as late:
            return late.result

    task = asyncio.create_task(caller())
    await gate.reached.wait()

    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    task.cancel()  # However often.
    gate.open()

    assert await task == "done"


async def test_a_cancellation_while_a_function_runs_that_raises() -> None:
    """There is no result: it is cancelled like any other task."""
    gate = ThreadGate()

    def fail() -> None:
        gate.wait()
        raise ValueError

    task = asyncio.create_task(run(fail))
    await gate.reached.wait()
    task.cancel()
    gate.open()

    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert type(caught.value) is asyncio.CancelledError


async def test_a_cancellation_before_the_function_begins(one_thread: None) -> None:
    """It is never called."""
    gate = ThreadGate()
    calls: list[str] = []
    running = asyncio.create_task(run(gate.wait))
    await gate.reached.wait()
    waiting = asyncio.create_task(run(calls.append, "called"))
    await asyncio.sleep(0)

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await waiting
    assert type(caught.value) is asyncio.CancelledError
    gate.open()
    await running
    await run(len, "")
    assert calls == []


async def test_functions_that_are_cancelled_while_all_threads_are_busy(one_thread: None) -> None:
    """They leave nothing behind that waits for a thread."""
    gate = ThreadGate()
    running = asyncio.create_task(run(gate.wait))
    await gate.reached.wait()

    for _ in range(100):
        waiting = asyncio.create_task(run(len, ""))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    assert not workers._free_thread()._waiters
    gate.open()
    await running


async def test_the_loop_that_a_worker_sees() -> None:
    """It makes futures and puts callbacks off until the job has left the thread."""
    calls: list[str] = []

    def work() -> asyncio.Future[str]:
        loop = asyncio.get_event_loop_policy().get_event_loop()
        future = loop.create_future()
        loop.call_soon(lambda: (calls.append("called"), future.set_result("done")))
        assert calls == []
        return future

    future = await run(work)

    assert await future == "done"
    assert calls == ["called"]


async def test_a_task_of_a_worker() -> None:
    """It is refused with what to do instead."""

    async def never() -> None: ...

    with pytest.raises(RuntimeError, match="make it `async def`"):
        await run(lambda: asyncio.get_event_loop_policy().get_event_loop().create_task(never()))
