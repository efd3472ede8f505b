"""``manage.py gqlws_relay``."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from ...bridge.postgres.checks import bridges_in
from ...bridge.postgres.installation import Installation, MissingTableError
from ...bridge.postgres.relay import run_relay
from ...broker.layer import reaches_other_processes
from ..postgres import add_database, find_database


class Command(BaseCommand):
    """Tells subscribers of the changes that triggers have noticed."""

    help = (
        "Send the changes that the triggers of a PostgreSQL notice to the subscribers, in the order of their commits,"
        " until Ctrl-C. Of several for one database, one works and the others wait to take over. Exit codes: 0 ended;"
        " 1 refused, and why; 2 wrong arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_database(parser)

    def handle(self, database: str, **options: Any) -> None:
        connection = find_database(database)
        _refuse_psycopg2()
        if not reaches_other_processes():
            raise CommandError(
                "The in-memory channel layer reaches no other process, so nobody would ever be told: use one that"
                " reaches them (SqliteChannelLayer, Redis)."
            )
        bridges = bridges_in(database)
        if not bridges:
            raise CommandError('No model has "source": "triggers" in GQLWS["MODELS"].')
        self._look_at(connection)
        with suppress(KeyboardInterrupt):
            self.stderr.write(f"Changes of {', '.join(bridges)} in {database!r}. Ctrl-C ends it.")
            run_relay(database, bridges, self.stderr.write)

    def _look_at(self, connection: BaseDatabaseWrapper) -> None:
        try:
            differences = Installation(connection).differences(bridges_in(connection.alias).values())
        except (MissingTableError, DatabaseError) as error:
            raise CommandError(str(error)) from error
        for difference in differences:
            self.stderr.write(self.style.WARNING(difference.text))
        if differences:
            raise CommandError(f'Run "manage.py gqlws_triggers --database {connection.alias}" first.')


def _refuse_psycopg2() -> None:
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    if not is_psycopg3:
        raise CommandError("Notifications need psycopg 3: pip install psycopg")
