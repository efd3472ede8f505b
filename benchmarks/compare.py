"""``compare``: all servers side by side, the tables, the charts, and all figures as JSON."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from benchmarks import charts, machine
from benchmarks.catalogue import CATALOGUE, WORKLOADS
from benchmarks.lineup import LINEUP, SERVERS
from benchmarks.report import markdown
from benchmarks.results import Measurement, Results
from benchmarks.runner import measure_all
from benchmarks.targets import compared, verdicts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--quick", action="store_true", help="one short round of the chief workloads and servers")
    parser.add_argument("--targets", action="store_true", help="nothing but what the targets compare")
    parser.add_argument("--rounds", type=int, help="default: 3")
    parser.add_argument("--seconds", type=float, help="length of a measurement, default: 3")
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, metavar="NAME", help=", ".join(WORKLOADS))
    parser.add_argument("--servers", nargs="+", choices=SERVERS, metavar="NAME", help=", ".join(SERVERS))


def run(arguments: argparse.Namespace, folder: Path) -> int:
    """Measure what was asked for; 1 if this project did anything wrong on the way."""
    quick = arguments.quick
    workloads = [WORKLOADS[name] for name in arguments.workloads or []]
    servers = [SERVERS[name] for name in arguments.servers or []]
    measurements = []
    facts = machine.facts()
    pairs = compared()
    for measurement in measure_all(
        workloads or [workload for workload in CATALOGUE if workload.in_quick or not quick],
        servers or [server for server in LINEUP if server.in_quick or not quick],
        arguments.rounds or (1 if quick else 3),
        arguments.seconds or (1 if quick else 3),
        lambda workload, server: not arguments.targets or (workload.name, server.name) in pairs,
    ):
        measurements.append(measurement)
        print(_progress(measurement), file=sys.stderr, flush=True)
    results = Results(measurements, facts)
    _save(results, folder)
    print(markdown(results))
    return int(any(measurement.server == "ours" for measurement in results.void()))


def _progress(measurement: Measurement) -> str:
    figures = ", ".join(f"{name} {value:,.2f}" for name, value in measurement.figures.items())
    where = f"round {measurement.round + 1}  {measurement.workload}  {measurement.server}"
    return f"{where}: {figures or measurement.error}"


def _save(results: Results, folder: Path) -> None:
    targets = [dataclasses.asdict(verdict) | {"met": verdict.met} for verdict in verdicts(results)]
    results.save(folder / "comparison.json", targets=targets)
    (folder / "comparison.md").write_text(markdown(results))
    charts.save(results, folder)
