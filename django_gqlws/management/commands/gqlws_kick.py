"""``manage.py gqlws_kick --user eve --disconnect``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ... import monitoring
from ...exceptions import BroadcastError
from ..registry import add_filters, filters_of, registry, uuid


class Command(BaseCommand):
    """Ends subscriptions, or closes connections."""

    help = (
        "End live subscriptions, or close connections, in whatever process they are. It asks first. Exit codes: 0 done;"
        " 1 there are none, or it failed, and why; 2 wrong arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_argument_group("which ones (all of what is given must be true)")
        which.add_argument(
            "ids", nargs="*", type=uuid, metavar="ID", help="Of a subscription or a connection, as the lists show it."
        )
        add_filters(parser)
        what = parser.add_argument_group("what to do (default: end the subscriptions)")
        what.add_argument("--disconnect", action="store_true", help="Close the connections: 4401, clients stay away.")
        what.add_argument("--may-reconnect", action="store_true", help="Close them with 4499: clients come back.")
        what.add_argument("--reason", default="", help="What clients are told when they are closed.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, **options: Any) -> None:
        filters = filters_of(options)
        if not options["ids"] and not any(value is not None for value in filters.values()):
            raise CommandError("Say which ones: an ID, --user, --group or --field.", returncode=2)
        for name, value in filters.items():
            if value == "":  # Of users that is everybody who is not logged in; of groups, every subscription.
                raise CommandError(f"--{name} is empty: is a variable of your script not set?", returncode=2)
        if not options["disconnect"] and (options["may_reconnect"] or options["reason"]):
            raise CommandError("--may-reconnect and --reason belong to --disconnect.", returncode=2)
        choose = monitoring.connections if options["disconnect"] else monitoring.subscriptions
        with registry():
            ids = list(choose(options["ids"], **filters).values_list("pk", flat=True))
        kind = "connection" if options["disconnect"] else "subscription"
        what = f"{len(ids)} {kind}{'' if len(ids) == 1 else 's'}"
        if not ids:
            raise CommandError(f"There is no such {kind}.")
        if not (options["yes"] or self._may(f"{'Close' if options['disconnect'] else 'End'} {what}?")):
            raise CommandError("Nothing was done.")
        self._kick(ids, options)
        self.stderr.write(f"{what} told to {'close' if options['disconnect'] else 'end'}.")

    def _may(self, question: str) -> bool:
        self.stderr.write(f"{question} [y/N] ", ending="")
        try:
            return input().strip().lower() in {"y", "yes"}
        except EOFError:
            return False

    def _kick(self, ids: list[Any], options: dict[str, Any]) -> None:
        try:
            if options["disconnect"]:
                monitoring.disconnect(ids, options["reason"], options["may_reconnect"])
            else:
                monitoring.end(ids)
        except BroadcastError as error:
            raise CommandError(f"Nothing more was done. {error}") from error
