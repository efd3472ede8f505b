"""The tables of the registry: where they are, and what makes them."""

from __future__ import annotations

from django.db import DEFAULT_DB_ALIAS, connections, router

from .models import Process


def exist() -> bool:
    """Whether they have been made; raises DatabaseError where nobody can tell."""
    return Process._meta.db_table in connections[alias()].introspection.table_names()


def alias() -> str:
    """Of their database."""
    return router.db_for_write(Process)


def migrate_command() -> str:
    """What to type to have them made."""
    database = "" if alias() == DEFAULT_DB_ALIAS else f" --database {alias()}"
    return f"manage.py migrate {Process._meta.app_label}{database}"
