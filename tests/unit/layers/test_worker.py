from __future__ import annotations

import threading

import pytest

from django_gqlws.exceptions import LayerError
from django_gqlws.layers.worker import Worker
from tests.support.notes import LIMIT
from tests.support.threads import refuse_to_start


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


def test_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says so; it can be stopped, and started when there is a way again."""
    worker = Selfish()
    monkeypatch.setattr(threading.Thread, "start", refuse_to_start)

    with pytest.raises(LayerError, match="can start no thread"):
        worker.start()
    worker.stop()
    monkeypatch.undo()
    worker.start()

    assert worker.is_running
    worker.stop()
