"""What commands print: a table for people, JSON for programs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser, OutputWrapper
from django.core.serializers.json import DjangoJSONEncoder

Row = Mapping[str, Any]


def add_format(parser: CommandParser) -> None:
    """The option ``--format``."""
    parser.add_argument(
        "--format",
        choices=["table", "json"],
        default="table",
        help="How to print the result: a table (default), or JSON, alone on stdout.",
    )


def write_rows(stdout: OutputWrapper, form: str, rows: Sequence[Row]) -> None:
    """Rows with the same keys. JSON: a list of objects."""
    if form == "json":
        write_json(stdout, rows)
    elif rows:
        stdout.write(table(rows))
        stdout.flush()


def write_json(stdout: OutputWrapper, value: Any) -> None:
    """One line of JSON."""
    stdout.write(json.dumps(value, cls=DjangoJSONEncoder))
    stdout.flush()


@contextmanager
def while_read(stdout: OutputWrapper) -> Iterator[None]:
    """Around what prints: it ends in silence when whoever reads has heard enough: ``gqlws_listen ... | head -1``."""
    try:
        yield
    except BrokenPipeError:
        # What is still in its buffer; otherwise Python complains of the same when it exits.
        with suppress(OSError), Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), stdout.fileno())


def table(rows: Sequence[Row]) -> str:
    """The rows in columns, under their keys."""
    lines = [
        [key.replace("_", " ").upper() for key in rows[0]],
        *(["-" if cell is None else printable(str(cell)) for cell in row.values()] for row in rows),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def printable(text: str) -> str:
    """Others choose the names of groups and write messages: what a terminal would obey is shown, and not sent to it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
