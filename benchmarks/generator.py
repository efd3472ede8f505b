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
        Loop(arguments.port), Meter(arguments.pid), arguments.seconds, speaks_graphql=not arguments.only_connections
    )
    try:
        print(json.dumps(WORKLOADS[arguments.workload].run(bench)))
    except LoadError as error:
        print(json.dumps({"error": str(error)}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workload", choices=WORKLOADS, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pid", type=int, required=True, help="the server, whose CPU and memory are read")
    parser.add_argument("--core", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--only-connections", action="store_true", help="the server speaks no GraphQL")
    return parser.parse_args()


if __name__ == "__main__":
    main()
