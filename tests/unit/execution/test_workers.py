"""Sync code in worker threads: what it sees, what lasts, and how it is cancelled."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from contextvars import ContextVar

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.test import override_settings
from django.utils import translation

from django_gqlws.counters import counters
from django_gqlws.execution import workers
from django_gqlws.execution.workers import CancelledTooLate, Job, run
from tests.support.notes import LIMIT, ThreadGate

language: ContextVar[str] = ContextVar("language", default="none")
tenant: ContextVar[str] = ContextVar("tenant")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """A pool with a single thread."""
    workers._threads_of.clear()
    with override_settings(GQLWS={"SYNC_THREADS": 1}):
        yield
    workers._threads_of.clear()


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

    assert not workers._threads()._jobs
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


async def test_a_function_that_runs_a_loop_of_its_own(one_thread: None) -> None:
    """The next one in that thread sees the caller's again."""

    async def work() -> int:
        return 1

    assert await run(lambda: asyncio.run(work())) == 1

    future = await run(lambda: asyncio.get_event_loop_policy().get_event_loop().create_future())
    assert future.get_loop() is asyncio.get_running_loop()


async def test_a_task_of_a_worker() -> None:
    """It is refused with what to do instead."""

    async def never() -> None: ...

    with pytest.raises(RuntimeError, match="make it `async def`"):
        await run(lambda: asyncio.get_event_loop_policy().get_event_loop().create_task(never()))


async def test_the_language_that_a_function_activates() -> None:
    """What Django keeps for each thread goes along, there and back."""
    with translation.override("fr"):
        seen = await run(translation.get_language)
        await run(translation.activate, "de")
        lasting = translation.get_language()

    assert (seen, lasting) == ("fr", "de")


async def test_async_code_that_a_function_waits_for() -> None:
    """`async_to_sync` runs it on the caller's loop; thread-sensitive code in it comes back to the waiting thread."""
    loop = asyncio.get_running_loop()

    async def on_the_loop() -> tuple[bool, int]:
        return asyncio.get_running_loop() is loop, await sync_to_async(threading.get_ident)()

    def work() -> tuple[bool, bool]:
        is_same_loop, thread = async_to_sync(on_the_loop)()
        return is_same_loop, thread == threading.get_ident()

    assert await run(work) == (True, True)


async def test_a_cancellation_while_a_function_waits_for_async_code() -> None:
    """That is cancelled as well, so the thread is free again."""
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(run(async_to_sync(hang)))
    await begun.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert type(caught.value) is asyncio.CancelledError


async def test_functions_that_are_busy_for_nobody() -> None:
    """They are counted until they end."""
    gate, before = ThreadGate(), counters.blocked_threads
    task = asyncio.create_task(run(gate.wait))
    await gate.reached.wait()

    task.cancel()
    await asyncio.sleep(0)
    counted = counters.blocked_threads
    gate.open()
    with pytest.raises(CancelledTooLate):
        await task

    assert (counted, counters.blocked_threads) == (before + 1, before)


async def test_functions_that_end_close_together(one_thread: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their loop is woken for all of them at once."""
    loop, wakes, last = asyncio.get_running_loop(), list[object](), threading.Event()
    gate = ThreadGate()
    tasks = [asyncio.create_task(run(function)) for function in (gate.wait, *[list] * 100, last.set)]
    await gate.reached.wait()
    wake = loop.call_soon_threadsafe
    monkeypatch.setattr(
        loop, "call_soon_threadsafe", lambda *args, **kwargs: (wakes.append(args), wake(*args, **kwargs))
    )

    gate.open()
    assert last.wait(LIMIT)  # The loop has something else to do meanwhile.
    await asyncio.gather(*tasks)

    assert len(wakes) <= 2


def test_another_loop_after_one_that_was_closed_too_early() -> None:
    """A function that ends after its loop has nobody to tell it; the next loop is served as ever."""
    gates: list[ThreadGate] = []

    async def leave_behind() -> None:
        gates.append(gate := ThreadGate())
        asyncio.get_running_loop().create_task(run(gate.wait))
        await gate.reached.wait()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave_behind())
    left = asyncio.all_tasks(loop)
    loop.close()
    gates[0].open()

    assert asyncio.run(run(len, "abc")) == 3
    assert len(left) == 1


@pytest.mark.usefixtures("one_thread")
def test_garbage_of_a_loop_that_was_closed_too_early() -> None:
    """Whoever happens to collect it keeps the context variables that it has."""
    gates: list[ThreadGate] = []

    async def leave_behind() -> None:
        tenant.set("the closed loop's")
        gates.append(gate := ThreadGate())
        asyncio.get_running_loop().create_task(run(gate.wait))
        await gate.reached.wait()

    async def collect() -> str:
        tenant.set("the collector's")
        await run(len, "behind what was left")
        gc.collect()
        return tenant.get()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave_behind())
    loop.close()
    gates[0].open()

    assert asyncio.run(collect()) == "the collector's"


async def test_two_loops_at_the_same_time() -> None:
    """Each gets its own results."""
    here = [run(str, number) for number in range(100)]

    async def there() -> list[str]:
        return await asyncio.gather(*(run(str, -number) for number in range(100)))

    other = asyncio.to_thread(asyncio.run, there())

    assert await asyncio.gather(*here) == [str(number) for number in range(100)]
    assert await other == [str(-number) for number in range(100)]


def test_two_loops_that_begin_at_the_same_time() -> None:
    """They share the threads of the process."""
    workers._threads_of.clear()
    together = threading.Barrier(8, timeout=LIMIT)
    found: set[object] = set()

    def look() -> None:
        together.wait()
        found.add(workers._threads())

    loops = [threading.Thread(target=look) for _ in range(8)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()

    assert found == {workers._threads()}


def in_a_program(code: str) -> str:
    """What a program of its own prints that uses `run`; it has to end by itself."""
    prelude = "import asyncio, os, threading\nfrom django_gqlws.execution.workers import run\n"
    done = subprocess.run(
        [sys.executable, "-c", prelude + textwrap.dedent(code)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.project.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_program_that_ends_while_a_function_blocks() -> None:
    """It ends all the same: no thread keeps it alive."""
    printed = in_a_program(
        """
        async def main():
            begun = asyncio.Event()
            loop = asyncio.get_running_loop()
            def block():
                loop.call_soon_threadsafe(begun.set)
                threading.Event().wait()
            loop.create_task(run(block))
            await begun.wait()

        asyncio.new_event_loop().run_until_complete(main())
        print("ended")
        """
    )

    assert printed == "ended\n"


def test_a_forked_process() -> None:
    """It has threads of its own."""
    printed = in_a_program(
        """
        assert asyncio.run(run(len, "ab")) == 2
        if child := os.fork():
            assert os.waitpid(child, 0)[1] == 0
        else:
            print(asyncio.run(run(len, "abc")), flush=True)
            os._exit(0)
        """
    )

    assert printed == "3\n"


class RunsLater:
    """A runner that runs jobs on the loop itself, when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.submitted = asyncio.Event()

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        self.submitted.set()

    def withdraw(self, job: Job) -> bool:
        if job not in self.jobs:
            return False
        self.jobs.remove(job)
        return True


class TestAnotherRunner:
    async def test_a_function(self) -> None:
        """It runs where the runner wants it, as a job of a worker thread in all other respects."""
        later = RunsLater()
        workers.runner.set(later)
        language.set("en")

        task = asyncio.create_task(run(lambda: (threading.get_ident(), workers.in_worker(), language.get())))
        await later.submitted.wait()
        later.jobs.pop().run()

        assert await task == (threading.get_ident(), True, "en")
        assert not workers.in_worker()

    async def test_what_a_connection_starts(self) -> None:
        """It inherits the runner; who began before does not."""
        later = RunsLater()
        outside = asyncio.create_task(run(threading.get_ident))

        async def connection() -> int:
            workers.runner.set(later)
            return await asyncio.create_task(run(threading.get_ident))

        inside = asyncio.create_task(connection())
        await later.submitted.wait()
        later.jobs.pop().run()

        assert await inside == threading.get_ident()
        assert await outside != threading.get_ident()

    async def test_a_cancellation(self) -> None:
        """A job that has not begun is withdrawn."""
        later = RunsLater()
        workers.runner.set(later)
        task = asyncio.create_task(run(len, ""))
        await later.submitted.wait()

        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        assert later.jobs == []

    async def test_surroundings_that_fail(self) -> None:
        """Their exception is the function's."""

        class Fails(nullcontext[None]):
            def __enter__(self) -> None:
                raise ConnectionError("no database")

        later = RunsLater()
        workers.runner.set(later)
        task = asyncio.create_task(run(len, ""))
        await later.submitted.wait()

        later.jobs.pop().run(Fails())

        with pytest.raises(ConnectionError, match="no database"):
            await task

    async def test_a_job_within_a_job(self) -> None:
        """When the inner one has ended, the thread is the outer one's again."""
        later = RunsLater()
        workers.runner.set(later)
        tasks = [asyncio.create_task(run(workers.in_worker))]
        await later.submitted.wait()
        inner = later.jobs.pop()
        later.submitted.clear()

        tasks.append(asyncio.create_task(run(lambda: (inner.run(), workers.in_worker())[1])))
        await later.submitted.wait()
        later.jobs.pop().run()

        assert await asyncio.gather(*tasks) == [True, True]
