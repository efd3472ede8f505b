"""The pool of threads: order, bound, and nobody who waits for one that blocks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from django_gqlws.execution.threads import Threads
from tests.support.notes import LIMIT

Call = Callable[[], object]


class Gate:
    """Holds the threads that come to it."""

    def __init__(self) -> None:
        self.reached = threading.Semaphore(0)
        self._opened = threading.Event()

    def __call__(self) -> None:
        self.reached.release()
        assert self._opened.wait(LIMIT), "nobody opened the gate"

    def open(self) -> None:
        self._opened.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Open at the end of the test at the latest."""
    gate = Gate()
    yield gate
    gate.open()


def threads(size: int) -> Threads[Call]:
    """Threads whose jobs are functions."""
    return Threads(size, lambda job: job())


def wait_for(pool: Threads[Call]) -> None:
    """Return when a job that is submitted now has ended."""
    ended = threading.Event()
    pool.submit(ended.set)
    assert ended.wait(LIMIT)


def test_jobs_that_wait_for_a_thread(gate: Gate) -> None:
    """They run in the order in which they came."""
    pool, ran = threads(1), list[int]()
    pool.submit(gate)

    for number in range(100):
        pool.submit(lambda number=number: ran.append(number))
    gate.open()

    wait_for(pool)
    assert ran == list(range(100))


def test_a_job_that_blocks(gate: Gate) -> None:
    """Nobody else waits for it, however many came with it."""
    pool, ran = threads(2), list[int]()

    pool.submit(gate)
    for number in range(100):
        pool.submit(lambda number=number: ran.append(number))

    wait_for(pool)
    assert ran == list(range(100))


def test_as_many_blocking_jobs_as_threads(gate: Gate) -> None:
    """They all run, side by side; the next one waits."""
    pool, ran = threads(3), list[str]()
    for _ in range(3):
        pool.submit(lambda: gate())

    for _ in range(3):
        assert gate.reached.acquire(timeout=LIMIT)
    pool.submit(lambda: ran.append("next"))

    assert ran == []
    gate.open()
    wait_for(pool)
    assert ran == ["next"]


def test_a_job_that_is_withdrawn_while_it_waits(gate: Gate) -> None:
    """It never runs, and nothing of it stays."""
    pool, ran = threads(1), list[str]()
    pool.submit(gate)
    assert gate.reached.acquire(timeout=LIMIT)
    job: Call = lambda: ran.append("ran")  # noqa: E731 - one object, to submit and to withdraw
    pool.submit(job)

    withdrawn = pool.withdraw(job)

    assert withdrawn
    assert not pool._jobs
    gate.open()
    wait_for(pool)
    assert ran == []


def test_a_job_that_is_withdrawn_when_it_has_begun(gate: Gate) -> None:
    """It is too late."""
    pool = threads(1)
    pool.submit(gate)
    assert gate.reached.acquire(timeout=LIMIT)

    assert not pool.withdraw(gate)


def test_quick_jobs_one_after_the_other() -> None:
    """They need no more threads than there may be, and these are daemons: they keep no program alive."""
    pool, seen = threads(4), set[threading.Thread]()

    for _ in range(1_000):
        pool.submit(lambda: seen.add(threading.current_thread()))
    wait_for(pool)

    assert len(seen) <= 4
    assert all(thread.daemon for thread in seen)


def test_a_system_that_has_no_thread_to_spare(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The threads that there are do the work; later there may be more."""
    pool, ran = threads(2), list[str]()
    pool.submit(gate)
    assert gate.reached.acquire(timeout=LIMIT)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        pool.submit(lambda: ran.append("refused a thread"))

    assert "could not be started: can't start new thread" in caplog.text
    assert ran == []
    wait_for(pool)
    assert ran == ["refused a thread"]


def refuse(thread: threading.Thread) -> None:
    """What `Thread.start` does when the system has reached its limit."""
    raise RuntimeError("can't start new thread")
