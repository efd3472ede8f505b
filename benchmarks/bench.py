"""What a workload has at hand."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.client import Loop
from benchmarks.meter import Meter


@dataclass(frozen=True, slots=True)
class Bench:
    """One measurement of one server, which is at the other end of the loop."""

    loop: Loop
    meter: Meter
    seconds: float
    """How long to measure, about."""
    speaks_graphql: bool
    """False for a server that only takes connections."""
