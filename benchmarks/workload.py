"""What the catalogue consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.bench import Bench
from benchmarks.deployment import Deployment
from benchmarks.meter import Figures


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    figure: str
    label: str
    scale: float = 1.0
    digits: int = 0
    more_is_better: bool = False
    above_empty: bool = False
    """The empty consumer's figure is subtracted first."""
    relative_to: str = ""
    """A workload; the row says how many times that one's figure this workload's is."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One thing to do to several servers."""

    name: str
    section: str
    """The table that its rows belong to."""
    run: Callable[[Bench], Figures]
    rows: tuple[Row, ...]
    servers: frozenset[str]
    """Those that can do it in reasonable time."""
    deployment: Deployment = Deployment()
    in_quick: bool = True
