"""``manage.py gqlws_groups 'room-*'``."""

from __future__ import annotations

import math
import time
from argparse import ArgumentTypeError
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from ... import monitoring
from ..output import Row, add_format, while_read, write_rows
from ..registry import registry


class Command(BaseCommand):
    """Prints the groups that somebody listens to."""

    help = (
        "Print the groups that live subscriptions listen to, in all processes, the largest first. Exit codes: 0 done;"
        " 1 there is no registry, and why; 2 wrong arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "pattern", nargs="?", default="*", help="The groups, as `subscribe` names them; * stands for anything."
        )
        parser.add_argument(
            "--watch", metavar="SECONDS", type=_seconds, help="Print them again and again, until Ctrl-C."
        )
        add_format(parser)

    def handle(self, **options: Any) -> None:
        with registry(), while_read(self.stdout), suppress(KeyboardInterrupt):
            self._print(**options)
            while options["watch"] is not None:
                time.sleep(options["watch"])
                close_old_connections()
                self.stdout.write("")
                self._print(**options)

    def _print(self, **options: Any) -> None:
        rows = [_row(group) for group in monitoring.groups(options["pattern"])]
        write_rows(self.stdout, options["format"], rows)
        if not rows:
            self.stderr.write("Nobody listens to such a group.")


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 < (seconds := float(text)) < math.inf:
            return seconds
    raise ArgumentTypeError(f"{text!r} is no number of seconds above 0")


def _row(group: dict[str, Any]) -> Row:
    return {
        "subscription": group["topic"],
        "group": group["name"] or None,
        "subscriptions": group["subscriptions"],
        "processes": group["processes"],
        "last_event": group["last_event"] and group["last_event"].isoformat(sep=" ", timespec="seconds"),
    }
