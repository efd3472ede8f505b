"""System checks of the databases (``manage.py check --database default``, and each ``migrate``).

They are warnings: ``migrate`` has to run before there can be triggers.

========================  ============================================================================
``gqlws.W021``            triggers are asked for, and the database is no PostgreSQL
``gqlws.W022``            a trigger, or what it needs, is missing
``gqlws.W023``            a trigger is not what the settings ask for
========================  ============================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from ..capture import triggered_bridges
from ..declaration import Bridge
from .installation import Installation, MissingTableError


@register(Tags.database)
def check_triggers(
    app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Checks that the databases notice changes of the models that have triggers as their source."""
    return [message for alias in databases or () for message in _problems(connections[alias])]


def bridges_in(alias: str) -> dict[str, Bridge]:
    """The bridges with triggers whose tables belong into a database, by the labels of their models."""
    return {
        label: bridge
        for label, bridge in triggered_bridges().items()
        if router.allow_migrate_model(alias, bridge.model)
    }


def _problems(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    bridges = bridges_in(connection.alias)
    if not bridges:
        return
    if connection.vendor != "postgresql":
        yield Warning(
            f"The database {connection.alias!r} is no PostgreSQL: changes of {', '.join(bridges)} in it are not told.",
            hint='Write "source": "signals" where the project runs on another database.',
            id="gqlws.W021",
        )
        return
    try:
        differences = Installation(connection).differences(bridges.values())
    except (MissingTableError, DatabaseError):
        return  # `migrate`, or whoever needs the database, says so.
    hint = f'Run "manage.py gqlws_triggers --database {connection.alias}".'
    for difference in differences:
        yield Warning(difference.text, hint=hint, id="gqlws.W022" if difference.is_missing else "gqlws.W023")
