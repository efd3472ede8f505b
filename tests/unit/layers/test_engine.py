"""What a layer has in a process that forks."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from django_gqlws.layers.engine import Engine
from tests.support.notes import LIMIT


def test_a_thread_forks_while_another_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process reads on when both have forked."""
    engine = Engine(tmp_path / "channels.sqlite3", lambda channel: 100)
    engine.reader.start()
    comes_second = threading.Event()
    pause = engine.reader.pause

    def say_and_pause() -> bool:
        comes_second.set()
        return pause()

    def fork() -> None:
        engine.pause()
        engine.resume()

    engine.pause()
    monkeypatch.setattr(engine.reader, "pause", say_and_pause)
    second = threading.Thread(target=fork, daemon=True)
    second.start()
    assert comes_second.wait(LIMIT)
    engine.resume()
    second.join(LIMIT)

    assert engine.reader.is_running
    engine.stop()


def test_the_last_reference_goes_in_a_child_before_it_has_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is waited for: the locks that are held there nobody gives back."""
    engine = Engine(tmp_path / "layer.sqlite3", lambda channel: 100)
    engine.pause()  # As before a fork.

    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        engine.stop()

    engine.resume()
    engine.stop()
