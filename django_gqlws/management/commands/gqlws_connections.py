"""``manage.py gqlws_connections --user eve``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Count

from ... import monitoring
from ..output import Row, add_format, while_read, write_rows
from ..registry import add_filters, filters_of, registry


class Command(BaseCommand):
    """Prints who is connected."""

    help = (
        "Print the live connections of all processes, the newest first. Exit codes: 0 done; 1 there is no registry,"
        " and why; 2 wrong arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_filters(parser)
        add_format(parser)

    def handle(self, **options: Any) -> None:
        with registry(), while_read(self.stdout):
            found = monitoring.connections(**filters_of(options)).select_related("process")
            rows = [_row(connection) for connection in found.annotate(count=Count("subscriptions"))]
            write_rows(self.stdout, options["format"], rows)
            if not rows:
                self.stderr.write("There is no such connection.")


def _row(connection: Any) -> Row:
    return {
        "id": str(connection.pk),
        "user": connection.user_label or connection.user or None,
        "address": connection.address or None,
        "origin": connection.origin or None,
        "protocol": connection.protocol,
        "process": str(connection.process),
        "subscriptions": connection.count,
        "since": connection.since.isoformat(sep=" ", timespec="seconds"),
    }
