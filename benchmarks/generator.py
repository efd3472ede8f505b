"""The load generator, a process of its own: ``python -m benchmarks.generator``, started by the runner.

Prints one JSON object: the figures, or ``{"error": ...}`` when the server did anything that voids them.
"""

from __future__ import annotations

import argparse
import gc
import json

from benchmarks import process
from benchmarks.bench import Bench
from benchmarks.catalogue import WORKLOADS
from benchmarks.client import LoadError, Loop
from benchmarks.meter import Meter


def main() -> None:
    """Run one workload against one server."""
    arguments = _arguments()
    process.pin(arguments.core)
    gc.disable()  # it would walk everything received, in the middle of a measurement, and find nothing to free
    bench = Bench(
        Loop(arguments.ports),
        Meter(arguments.pids, arguments.redis, arguments.profiles),
        arguments.seconds,
        speaks_graphql=not arguments.only_connections,
    )
    try:
        print(json.dumps(WORKLOADS[arguments.workload].run(bench)))
    except LoadError as error:
        print(json.dumps({"error": str(error)}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workload", choices=WORKLOADS, required=True)
    parser.add_argument("--ports", type=int, nargs="+", required=True, help="of the server's processes")
    parser.add_argument("--pids", type=int, nargs="+", required=True, help="theirs, whose CPU and memory are read")
    parser.add_argument("--redis", type=int, help="the process of Redis, whose CPU is read")
    parser.add_argument("--core", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--only-connections", action="store_true", help="the server speaks no GraphQL")
    parser.add_argument("--profiles", action="store_true", help="the server has a profiler")
    return parser.parse_args()


if __name__ == "__main__":
    main()
