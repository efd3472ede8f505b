"""The tables: medians of all rounds, how this project compares, its targets, and how busy both sides were."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from benchmarks.catalogue import CATALOGUE
from benchmarks.lineup import LINEUP, OURS, SERVERS
from benchmarks.markdown import number, table
from benchmarks.results import Results
from benchmarks.series import Series
from benchmarks.targets import Verdict, verdicts
from benchmarks.workload import Row, Workload

_COMPARED = ("peer", "graphql-ws", "raw", "layer", "empty")
_SHARES = {"server_core": "server", "generator_core": "load generator", "redis_core": "Redis"}
_WORDS = {True: "met", False: "**not met**", None: "not measured"}


def markdown(results: Results) -> str:
    """All tables in Markdown."""
    parts = [_machine(results), _targets(verdicts(results))]
    parts += [_comparison(results, title, list(group)) for title, group in groupby(CATALOGUE, lambda w: w.section)]
    parts += [_shares(results), _void(results)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _machine(results: Results) -> str:
    facts = ", ".join(f"{name} {fact}" for name, fact in results.machine.items())
    return f"Medians of {results.rounds} round(s). {facts}."


def _targets(found: Sequence[Verdict]) -> str:
    counts = ", ".join(f"{sum(v.met is met for v in found)} {word.strip('*')}" for met, word in _WORDS.items())
    return f"### Targets: {counts}\n\n" + table(["target", "bound", "measured", ""], map(_target, found))


def _target(verdict: Verdict) -> list[str]:
    bound = f"{'≥' if verdict.is_least else '≤'} {verdict.bound:g} {verdict.unit}"
    value = "" if verdict.value is None else f"{verdict.value:.3g} {verdict.unit}"
    return [verdict.label, bound, value, _WORDS[verdict.met]]


def _comparison(results: Results, title: str, workloads: Sequence[Workload]) -> str:
    """One table, with a column for each server that has a figure in it."""
    rows = [(row, _values(results, workload, row)) for workload in workloads for row in workload.rows]
    servers = [server for server in LINEUP if any(values[server.name].median is not None for _, values in rows)]
    names = {server.name for server in servers}
    compared = [name for name in _COMPARED if OURS.name in names and name in names]
    lines = [
        [
            row.label,
            *(number(values[server.name].median, row.digits) for server in servers),
            *(_better(values[OURS.name], values[name], row) for name in compared),
        ]
        for row, values in rows
        if any(series.median is not None for series in values.values())
    ]
    header = [title, *(server.title for server in servers), *(f"ours / {name}" for name in compared)]
    return f"### {title}\n\n{table(header, lines)}" if servers else ""


def _values(results: Results, workload: Workload, row: Row) -> dict[str, Series]:
    """A row's figures, by server."""
    return {name: _value(results, workload, row, name) for name in SERVERS}


def _value(results: Results, workload: Workload, row: Row, server: str) -> Series:
    """A row's figures for a server; none when it was not measured."""
    value = results.series(workload.name, server, row.figure)
    if row.above_empty:
        return value - results.series(workload.name, "empty", row.figure)
    if row.relative_to:
        return value / results.series(row.relative_to, server, row.figure)
    return value.times(row.scale)


def _better(ours: Series, theirs: Series, row: Row) -> str:
    """How many times better ours is."""
    ratio = (ours / theirs if row.more_is_better else theirs / ours).median
    return number(ratio if ratio is not None and ratio > 0 else None, 2)


def _shares(results: Results) -> str:
    lines = ([w.name, *(_share(results, w.name, server.name) for server in LINEUP)] for w in CATALOGUE)
    header = ["workload", *(server.title for server in LINEUP)]
    legend = " / ".join(_SHARES.values())
    return f"### Shares of a core: {legend}\n\n" + table(header, (line for line in lines if any(line[1:])))


def _share(results: Results, workload: str, server: str) -> str:
    shares = (results.series(workload, server, figure).median for figure in _SHARES)
    return " / ".join(number(share, 2) for share in shares if share is not None)


def _void(results: Results) -> str:
    return "\n".join(
        f"- void: {m.server}, {m.workload}, round {m.round + 1}: {m.error.strip().splitlines()[-1]}"
        for m in results.void()
    )
