"""``python -m benchmarks.layers``: SqliteChannelLayer beside channels-redis' pub/sub, interleaved; prints a table.

The exit code is 1 if SqliteChannelLayer loses, repeats or reorders a message, 2 if it misses a target.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from benchmarks.layers.kinds import KINDS, place
from benchmarks.layers.party import Order, Report, live

N = 5_000
QUIET, PAUSE = 150, 0.05
IDLE = 10.0


@dataclass(frozen=True)
class Result:
    """What a run gave."""

    reports: list[Report]
    most_bytes: int
    """Of the file, with what lies beside it."""


@dataclass(frozen=True)
class Target:
    """What SqliteChannelLayer has to reach."""

    words: str
    is_met: Callable[[float, float], bool]
    """Given its figure and that of Redis."""


@dataclass(frozen=True)
class Workload:
    """A row of the table."""

    title: str
    orders: tuple[Order, ...]
    figure: Callable[[Result], float]
    unit: str
    target: Target


def per_second(result: Result) -> float:
    seconds = max(report.ended for report in result.reports) - min(report.began for report in result.reports)
    return sum(report.delivered for report in result.reports) / seconds


def p95(result: Result) -> float:
    return quantiles([one for report in result.reports for one in report.latencies], n=20)[-1] * 1_000


def cpu_of_receiver(result: Result) -> float:
    report = result.reports[-1]
    return report.cpu / (report.ended - report.began) * 100


def most_mib(result: Result) -> float:
    return result.most_bytes / 2**20


HALF = Target("at least 0.5 x", lambda ours, redis: ours >= 0.5 * redis)


def at_most(bound: float) -> Target:
    return Target(f"at most {bound:g}", lambda ours, _: ours <= bound)


def _one_way(sends: int, together: int = 1, groups: int = 1, channels: int = 1, **more: float) -> tuple[Order, ...]:
    per_channel = {"a": sends}
    return (
        Order("a", groups, sends=sends, together=together, **more),  # type: ignore[arg-type]
        Order("b", groups, channels=channels, expects=per_channel),
    )


def _both_ways(sends: int, together: int) -> tuple[Order, ...]:
    expects = {"a": sends, "b": sends}
    return tuple(Order(name, 1, 1, expects, sends, together) for name in "ab")


WORKLOADS = [
    Workload("burst, one send after the other", _one_way(N), per_second, "deliveries/s", HALF),
    Workload("burst, 100 sends at a time", _one_way(N, together=100), per_second, "deliveries/s", HALF),
    Workload("burst, 100 channels in the group", _one_way(N // 20, channels=100), per_second, "deliveries/s", HALF),
    Workload("burst over 1,000 groups", _one_way(N, groups=1_000), per_second, "deliveries/s", HALF),
    Workload("both send and receive, 10 at a time", _both_ways(N // 2, 10), per_second, "deliveries/s", HALF),
    Workload("messages of 64 KiB", _one_way(N // 10, payload=65_536), per_second, "deliveries/s", HALF),
    Workload("at a quiet time, p95", _one_way(QUIET, pause=PAUSE), p95, "ms", at_most(30)),
    Workload("steady load: largest size", _one_way(10_000, pause=0.001), most_mib, "MiB on disk", at_most(16)),
    Workload("idle receiver", _one_way(2, pause=IDLE), cpu_of_receiver, "% of a core", at_most(1)),
]


def run(kind: str, workload: Workload) -> Result:
    """One round, in fresh processes."""
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        where = stack.enter_context(place(kind))
        pipes = []
        for order in workload.orders:
            ours, theirs = context.Pipe()
            process = context.Process(target=live, args=(kind, where, order, theirs))
            process.start()
            theirs.close()
            stack.callback(process.join)
            stack.callback(process.kill)  # Redis connections of a loop that ends may keep it waiting.
            assert ours.recv() == "ready"
            pipes.append(ours)
        for pipe in pipes:
            pipe.send("go")
        most_bytes, reports = 0, []
        for pipe in pipes:
            while not pipe.poll(0.1):
                most_bytes = max(most_bytes, _bytes_in(Path(where).parent))
            reports.append(pipe.recv())
        return Result(reports, most_bytes)


def _bytes_in(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.glob("channels.sqlite3*"))


def main() -> int:
    """Measure, and say whether that is good enough."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="measure the workloads whose title contains this")
    arguments = parser.parse_args()
    errors, missed = [], []
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    print(f"| workload | {' | '.join(KINDS)} | ratio | target |\n|---|{'--:|' * len(KINDS)}--:|---|")
    for workload in WORKLOADS:
        if arguments.only not in workload.title:
            continue
        figures: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for number in range(arguments.rounds):
            for kind in KINDS if number % 2 == 0 else reversed(KINDS):
                result = run(kind, workload)
                figures[kind].append(workload.figure(result))
                errors += [f"{workload.title}, {kind}: {error}" for one in result.reports for error in one.errors]
        medians = [median(figures[kind]) for kind in KINDS]
        ratio = f"{medians[0] / medians[1]:.2f}" if medians[1] else ""
        cells = " | ".join(f"{value:,.1f}" if value < 100 else f"{value:,.0f}" for value in medians)
        if not workload.target.is_met(*medians):
            missed.append(workload.title)
        verdict = "**missed**" if workload.title in missed else "met"
        row = f"{workload.title}, {workload.unit} | {cells} | {ratio} | {workload.target.words}: {verdict}"
        print(f"| {row} |", flush=True)
    print(*errors, sep="\n")
    return 1 if any("sqlite" in error for error in errors) else 2 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
