"""``manage.py gqlws_triggers``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ...bridge.postgres.checks import bridges_in
from ...bridge.postgres.installation import Difference, Installation, MissingTableError
from ..postgres import add_database, find_database


class Command(BaseCommand):
    """Makes a PostgreSQL notice changes of models."""

    help = (
        'Install the triggers of the models with "source": "triggers" in GQLWS["MODELS"]: make what is missing, update'
        " what the settings have changed, remove what nobody needs any more. To run it again changes nothing. Exit"
        " codes: 0 done; 1 refused, and why, or (with --check) something is to be done; 2 wrong arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_database(parser)
        parser.add_argument("--remove", action="store_true", help="Remove everything, the outbox included.")
        mode = parser.add_mutually_exclusive_group()
        mode.add_argument(
            "--check", action="store_true", help="Change nothing; exit with 1 if there is something to do."
        )
        mode.add_argument("--dry-run", action="store_true", help="Change nothing; print the SQL.")

    def handle(self, database: str, remove: bool, check: bool, dry_run: bool, **options: Any) -> None:
        connection = find_database(database)
        try:
            installation = Installation(connection)
            found = installation.everything() if remove else installation.differences(bridges_in(database).values())
            if dry_run:
                self.stdout.write("".join(f"{statement};\n" for one in found for statement in one.statements))
            elif not check:
                _apply(connection, found)
        except MissingTableError as error:
            raise CommandError(f'{error} Run "manage.py migrate --database {database}" first.') from error
        except DatabaseError as error:
            raise CommandError(
                f"{error}\nIt takes the role that owns the tables (or has TRIGGER and SELECT on them), with CREATE on"
                " the schema."
            ) from error
        if not dry_run:
            for one in found:
                self.stdout.write(f"{one.text}{'' if check else ' Done.'}")
            if not found:
                self.stderr.write("Nothing is to be done.")
        if check and found:
            raise CommandError(f"{len(found)} of these are to be mended.")


def _apply(connection: BaseDatabaseWrapper, differences: Sequence[Difference]) -> None:
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        for difference in differences:
            for statement in difference.statements:
                cursor.execute(statement)
