"""``manage.py gqlws_subscriptions --group 'room-*'``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ... import monitoring
from ..output import Row, add_format, while_read, write_rows
from ..registry import add_filters, filters_of, registry


class Command(BaseCommand):
    """Prints who listens to what."""

    help = (
        "Print the live subscriptions of all processes, the newest first; as JSON with their documents and variables."
        " Exit codes: 0 done; 1 there is no registry, and why; 2 wrong arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_filters(parser)
        add_format(parser)

    def handle(self, **options: Any) -> None:
        with registry(), while_read(self.stdout):
            found = monitoring.subscriptions(**filters_of(options)).select_related("connection", "process")
            rows = [_row(one, options["format"] == "json") for one in found.prefetch_related("memberships")]
            write_rows(self.stdout, options["format"], rows)
            if not rows:
                self.stderr.write("There is no such subscription.")


def _row(subscription: Any, is_long: bool) -> Row:
    groups = sorted(membership.name for membership in subscription.memberships.all() if membership.name)
    row = {
        "id": str(subscription.pk),
        "user": subscription.connection.user_label or subscription.connection.user or None,
        "field": subscription.field,
        "groups": groups if is_long else ", ".join(groups) or None,
        "delivered": subscription.delivered,
        "dropped": subscription.dropped,
        "errors": subscription.errors,
        "queue": subscription.queued,
        "process": str(subscription.process),
        "since": subscription.since.isoformat(sep=" ", timespec="seconds"),
    }
    if not is_long:
        return row
    return {
        **row,
        "connection": str(subscription.connection_id),
        "operation_id": subscription.operation_id,
        "operation_name": subscription.operation_name or None,
        "document": subscription.document,
        "variables": subscription.variables,
        "shared_share": subscription.shared_share,
    }
