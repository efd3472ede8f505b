from __future__ import annotations

import threading

from django_gqlws.layers.worker import Worker
from tests.support.notes import LIMIT


class Selfish(Worker):
    """Its thread stops itself when it is told to end: as the garbage collector does in whatever thread it runs."""

    def __init__(self) -> None:
        super().__init__("selfish")
        self.told = threading.Event()

    def _run(self) -> None:
        assert self.told.wait(LIMIT)
        self.stop()

    def _ask_to_end(self) -> None:
        self.told.set()


def test_a_thread_stops_itself_while_another_waits_for_its_end() -> None:
    """Neither waits for the other for ever."""
    worker = Selfish()
    worker.start()

    stopping = threading.Thread(target=worker.stop, daemon=True)
    stopping.start()
    stopping.join(LIMIT)

    assert not stopping.is_alive()
    assert not worker.is_running


def test_a_thread_stops_itself() -> None:
    """It ends."""
    worker = Selfish()
    worker.start()
    first = worker._latest
    assert first is not None

    worker.told.set()
    first.join(LIMIT)

    assert not worker.is_running
