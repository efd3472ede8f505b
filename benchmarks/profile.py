"""``profile``: where a server's time goes, by package, while a workload runs."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.catalogue import WORKLOADS
from benchmarks.lineup import OURS, SERVERS
from benchmarks.markdown import table
from benchmarks.packages import package_of
from benchmarks.runner import measure

_PROFILER = "benchmarks.servers.profiled"
_LINES = 15
"""How many of the dearest lines are listed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("workload", choices=WORKLOADS, metavar="WORKLOAD", help=", ".join(WORKLOADS))
    parser.add_argument("--server", choices=SERVERS, default=OURS.name, help="default: ours")
    parser.add_argument("--seconds", type=float, default=15, help="default: 15")


def run(arguments: argparse.Namespace, folder: Path) -> int:
    """Print and save the profile; 1 if there is none."""
    workload, server = WORKLOADS[arguments.workload], SERVERS[arguments.server]
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary, "profile")
        measurement = measure(workload, server, 0, arguments.seconds, [_PROFILER, str(out)])
        if measurement.error or not out.exists():
            print(measurement.error or "this server cannot be profiled", file=sys.stderr)
            return 1
        samples = json.loads(out.read_text())
    profile = {"workload": workload.name, "server": server.title} | _summary(samples)
    (folder / f"profile-{workload.name}.json").write_text(json.dumps(profile, indent=1))
    print(markdown(profile))
    return 0


def markdown(profile: dict[str, Any]) -> str:
    """A table of the packages and one of the dearest lines."""
    samples = profile["samples"]

    def shares(counts: dict[str, int]) -> list[list[str]]:
        return [[name, f"{count / samples:.1%}"] for name, count in counts.items()]

    packages = table([f"`{profile['workload']}`, {profile['server']}", "share of CPU"], shares(profile["packages"]))
    lines = table(["the dearest lines", "share of CPU"], shares(profile["lines"]))
    return f"{packages}\n\n{lines}\n\n{samples:,} samples.\n"


def _summary(samples: Sequence[tuple[str, str, int, int]]) -> dict[str, Any]:
    packages: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for file, function, line, count in samples:
        package = package_of(file, line)
        packages[package] += count
        lines[f"{package}: `{Path(file).name}:{line}`, `{function}`"] += count
    return {
        "samples": packages.total(),
        "packages": dict(packages.most_common()),
        "lines": dict(lines.most_common(_LINES)),
    }
