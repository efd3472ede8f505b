"""The tables: medians of all rounds, how this project compares, and how busy both sides were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from benchmarks.catalogue import Row, Workload
from benchmarks.lineup import Server
from benchmarks.runner import Measurement

_OURS = "ours"
_COMPARED = ("peer", "graphql-ws", "raw", "empty")
_SHARES = ("server_core", "generator_core")


class Results:
    """Medians of what was measured."""

    def __init__(self, measurements: Iterable[Measurement]) -> None:
        self._measurements = tuple(measurements)

    def value(self, workload: str, server: str, row: Row) -> float | None:
        """A row's figure for a server; None when it was not measured or a round of it was void."""
        figure = self.median(workload, server, row.figure)
        if figure is not None and row.above_empty:
            empty = self.median(workload, "empty", row.above_empty)
            figure = None if empty is None else figure - empty
        return None if figure is None else figure * row.scale

    def median(self, workload: str, server: str, figure: str) -> float | None:
        """The median of a figure over the rounds."""
        rounds = [m for m in self._measurements if (m.workload, m.server) == (workload, server)]
        values = [m.figures[figure] for m in rounds if figure in m.figures]
        return median(values) if values and len(values) == len(rounds) else None

    def void(self) -> list[Measurement]:
        """Measurements that went wrong."""
        return [measurement for measurement in self._measurements if measurement.error]


def markdown(results: Results, workloads: Sequence[Workload], servers: Sequence[Server]) -> str:
    """All tables in Markdown."""
    return "\n".join((*_comparison(results, workloads, servers), "", *_shares(results, workloads, servers), ""))


def _comparison(results: Results, workloads: Sequence[Workload], servers: Sequence[Server]) -> Iterable[str]:
    names = {server.name for server in servers}
    compared = [name for name in _COMPARED if _OURS in names and name in names]
    yield from _header(["workload", *(server.title for server in servers), *(f"ours / {name}" for name in compared)])
    for workload in workloads:
        for row in workload.rows:
            values = {server.name: results.value(workload.name, server.name, row) for server in servers}
            cells = [_number(value, row.digits) for value in values.values()]
            ratios = [_ratio(values[_OURS], values[name], row) for name in compared]
            yield _line([row.label, *cells, *ratios])
    yield ""
    for measurement in results.void():
        where = f"{measurement.server}, {measurement.workload}, round {measurement.round + 1}"
        yield f"- void: {where}: {measurement.error.strip().splitlines()[-1]}"


def _shares(results: Results, workloads: Sequence[Workload], servers: Sequence[Server]) -> Iterable[str]:
    yield from _header(["share of a core: server / load generator", *(server.title for server in servers)])
    for workload in workloads:
        pairs = [[results.median(workload.name, server.name, figure) for figure in _SHARES] for server in servers]
        if any(pair != [None, None] for pair in pairs):
            yield _line(
                [workload.name, *(" / ".join(_number(share, 2) for share in pair).strip(" /") for pair in pairs)]
            )


def _ratio(ours: float | None, theirs: float | None, row: Row) -> str:
    """How many times better ours is."""
    if ours is None or theirs is None or ours <= 0 or theirs <= 0:
        return ""
    return f"{ours / theirs if row.more_is_better else theirs / ours:.2f}"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _header(cells: Sequence[str]) -> Iterable[str]:
    yield _line(cells)
    yield _line(["---", *["--:"] * (len(cells) - 1)])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
