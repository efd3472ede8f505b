"""``python -m benchmarks COMMAND``: everything that is measured, and what becomes of it."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from benchmarks import compare, docs, profile, steady

_COMMANDS = {"compare": compare, "steady": steady, "profile": profile, "docs": docs}
_RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run the command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in _COMMANDS.items():
        command = commands.add_parser(name, help=module.__doc__, description=module.__doc__)
        command.add_argument("--results", type=Path, default=_new_folder(), help="default: a new one in results/")
        module.add_arguments(command)
    arguments = parser.parse_args()
    arguments.results.mkdir(parents=True, exist_ok=True)
    return int(_COMMANDS[arguments.command].run(arguments, arguments.results))


def _new_folder() -> Path:
    return _RESULTS / datetime.datetime.now().strftime("%Y-%m-%d-%H%M%S")


if __name__ == "__main__":
    raise SystemExit(main())
