from __future__ import annotations

import pytest

from django_gqlws.layers import clock


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all layers."""
    clock_of_test = Clock()
    monkeypatch.setattr(clock, "now", clock_of_test)
    return clock_of_test
