"""How long things take, in a few counts, however many there are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

EDGES = tuple(0.0001 * 1.25**step for step in range(64))
"""The upper ends of the classes, in seconds: from 0.1 ms to two minutes, each a quarter longer than the one before."""


class Latencies:
    """Counts durations by class. Changed on event loops only."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts = [0] * (len(EDGES) + 1)
        """How many there were of each class since the process began; the last one: of all that are longer."""

    def note(self, seconds: float) -> None:
        """Counts one. Less than nothing (another host's clock) counts as nothing."""
        self.counts[bisect_left(EDGES, seconds)] += 1


def percentile(counts: Sequence[int], percent: float) -> float | None:
    """The duration that so many percent do not exceed, in seconds, a quarter too long at most; None: there is none."""
    wanted = sum(counts) * percent / 100
    reached = 0
    for edge, count in zip((*EDGES, EDGES[-1]), counts, strict=True):
        reached += count
        if count and reached >= wanted:
            return edge
    return None


publish_to_deliver = Latencies()
"""From the broadcast, by its sender's clock, to the socket. A sample: the first of all who share a result, and every
64th of the others."""
