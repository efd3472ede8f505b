"""Durations, counted by class."""

from __future__ import annotations

import pytest

from django_gqlws.latency import Latencies, percentile


def test_nothing_has_no_percentile() -> None:
    """There is no number for it."""
    assert percentile(Latencies().counts, 95) is None


def test_a_percentile_is_at_most_a_quarter_too_long() -> None:
    """It is the upper end of its class."""
    latencies = Latencies()
    for milliseconds in range(1, 101):
        latencies.note(milliseconds / 1_000)

    assert percentile(latencies.counts, 95) == pytest.approx(0.095, rel=0.25)
    assert percentile(latencies.counts, 50) == pytest.approx(0.05, rel=0.25)


@pytest.mark.parametrize(("seconds", "least", "most"), [(-5.0, 0, 0.001), (10_000.0, 100, 200)])
def test_what_is_out_of_range_is_counted_at_its_end(seconds: float, least: float, most: float) -> None:
    """The clock of another host may be ahead."""
    latencies = Latencies()

    latencies.note(seconds)

    found = percentile(latencies.counts, 95)
    assert found is not None
    assert least <= found <= most
