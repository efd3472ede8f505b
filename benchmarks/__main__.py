"""``python -m benchmarks``: measures, prints the table, saves it with all figures in ``benchmarks/results/``."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import platform
import sys
from pathlib import Path

from benchmarks.catalogue import CATALOGUE, WORKLOADS
from benchmarks.lineup import LINEUP, SERVERS
from benchmarks.report import Results, markdown
from benchmarks.runner import Measurement, measure

_RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run what was asked for; 1 if this project did anything wrong on the way."""
    arguments = _arguments()
    workloads = [WORKLOADS[name] for name in arguments.workloads]
    servers = [SERVERS[name] for name in arguments.servers]
    measurements = []
    for measurement in measure(workloads, servers, arguments.rounds, arguments.seconds):
        measurements.append(measurement)
        print(_progress(measurement), file=sys.stderr, flush=True)
    results = Results(measurements)
    table = markdown(results, workloads, servers)
    print(table)
    _save(table, measurements)
    return int(any(measurement.server == "ours" for measurement in results.void()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of the chief workloads and servers")
    parser.add_argument("--rounds", type=int, help="default: 3")
    parser.add_argument("--seconds", type=float, help="length of a measurement, default: 3")
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, metavar="NAME", help=", ".join(WORKLOADS))
    parser.add_argument("--servers", nargs="+", choices=SERVERS, metavar="NAME", help=", ".join(SERVERS))
    arguments = parser.parse_args()
    quick = arguments.quick
    arguments.rounds = arguments.rounds or (1 if quick else 3)
    arguments.seconds = arguments.seconds or (1 if quick else 3)
    arguments.workloads = arguments.workloads or [w.name for w in CATALOGUE if w.in_quick or not quick]
    arguments.servers = arguments.servers or [s.name for s in LINEUP if s.in_quick or not quick]
    return arguments


def _progress(measurement: Measurement) -> str:
    figures = ", ".join(f"{name} {value:,.2f}" for name, value in measurement.figures.items())
    where = f"round {measurement.round + 1}  {measurement.workload}  {measurement.server}"
    return f"{where}: {figures or measurement.error}"


def _save(table: str, measurements: list[Measurement]) -> None:
    _RESULTS.mkdir(exist_ok=True)
    name = datetime.datetime.now().strftime("%Y-%m-%d-%H%M%S")
    machine = {"python": platform.python_version(), "system": platform.platform()}
    figures = {"machine": machine, "measurements": [dataclasses.asdict(m) for m in measurements]}
    (_RESULTS / f"{name}.md").write_text(table)
    (_RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    raise SystemExit(main())
