"""Sync code of an application under test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar, copy_context

import pytest
from asgiref.sync import SyncToAsync, async_to_sync, sync_to_async

from django_gqlws.execution import workers
from django_gqlws.testing.runner import ThreadSensitiveRunner
from tests.support.notes import LIMIT

variable: ContextVar[str] = ContextVar("variable")


@pytest.fixture
def busy() -> Iterator[threading.Event]:
    """The thread is busy until this event is set."""
    done = threading.Event()
    SyncToAsync.single_thread_executor.submit(done.wait, LIMIT)
    yield done
    done.set()


async def test_the_thread() -> None:
    """It is that of all thread-sensitive code."""
    workers.runner.set(ThreadSensitiveRunner())

    assert await workers.run(threading.get_ident) == await sync_to_async(threading.get_ident)()


def test_the_thread_of_a_test_that_waits_for_its_loop() -> None:
    """It is the test's own."""

    async def ask() -> int:
        workers.runner.set(ThreadSensitiveRunner())
        return await workers.run(threading.get_ident)

    # In a context of its own: `async_to_sync` hands on what it sets, here to all later tests.
    assert copy_context().run(async_to_sync(ask)) == threading.get_ident()


async def test_results_errors_and_context_variables() -> None:
    """They come back."""
    workers.runner.set(ThreadSensitiveRunner())

    def work() -> str:
        variable.set("set by the function")
        return "result"

    def fail() -> None:
        raise ValueError("as asked")

    assert await workers.run(work) == "result"
    assert variable.get() == "set by the function"
    with pytest.raises(ValueError, match="as asked"):
        await workers.run(fail)


async def test_the_way_to_the_loop() -> None:
    """Data loaders find a loop, `async_to_sync` finds the one that waits."""
    workers.runner.set(ThreadSensitiveRunner())

    async def on_the_loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def work() -> tuple[object, object]:
        return asyncio.get_event_loop().create_future().get_loop(), async_to_sync(on_the_loop)()

    assert await workers.run(work) == (asyncio.get_running_loop(),) * 2


async def test_cancelled_before_it_begins(busy: threading.Event) -> None:
    """It is never called."""
    workers.runner.set(ThreadSensitiveRunner())
    called: list[Callable[[], None]] = []
    running = asyncio.create_task(workers.run(called.append, None))
    await asyncio.sleep(0)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    busy.set()

    await sync_to_async(bool)()
    assert called == []
