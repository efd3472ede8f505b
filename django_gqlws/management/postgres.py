"""The database of a command that needs a PostgreSQL."""

from __future__ import annotations

from django.core.management.base import CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper


def add_database(parser: CommandParser) -> None:
    """The option ``--database``."""
    parser.add_argument(
        "--database", default=DEFAULT_DB_ALIAS, choices=tuple(connections), help='Its alias. Default: "default".'
    )


def find_database(alias: str) -> BaseDatabaseWrapper:
    """The PostgreSQL with this alias. Raises CommandError."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        raise CommandError(
            f"The database {alias!r} is no PostgreSQL, and only there triggers can notify.", returncode=2
        )
    return connection
