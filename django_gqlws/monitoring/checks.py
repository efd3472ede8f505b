"""System checks: what would keep the registry of live connections from being written, or others from writing.

========================  ============================================================================
``gqlws.E030``            ``MONITORING_DATABASE`` without the router
``gqlws.W030``            its tables do not exist (asked with ``check --database``, and by ``migrate``)
``gqlws.W031``            SQLite with the project's other tables, without IMMEDIATE transactions
``gqlws.W032``            a lease that a healthy process does not keep
========================  ============================================================================
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections
from django.db import Error as DatabaseError

from ..conf import get_settings
from . import tables

ROUTER = "django_gqlws.monitoring.router.MonitoringRouter"


@register()
def check_monitoring(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """Checks where and how often the registry is written."""
    try:
        settings = get_settings()
    except ImproperlyConfigured:
        return []  # Another check's affair.
    return list(_problems(settings)) if settings.monitoring else []


def _problems(settings: Any) -> Iterator[CheckMessage]:
    alias = settings.monitoring_database
    if tables.alias() != alias:
        yield Error(
            f'GQLWS["MONITORING_DATABASE"] is "{alias}", but the models of the registry go elsewhere.',
            hint=f'Write DATABASE_ROUTERS = ["{ROUTER}"].',
            id="gqlws.E030",
        )
    elif _is_shared_sqlite(alias):
        yield Warning(
            "The registry of live connections is written every few seconds into the project's SQLite database, where it"
            " makes a transaction fail that reads first and writes then.",
            hint='Write "OPTIONS": {"transaction_mode": "IMMEDIATE"} for this database; or give the registry a file of'
            f' its own: GQLWS["MONITORING_DATABASE"] and DATABASE_ROUTERS = ["{ROUTER}"]. GQLWS["MONITORING"] = False'
            " switches it off.",
            id="gqlws.W031",
        )
    if settings.monitoring_lease < 2 * settings.monitoring_interval:
        yield Warning(
            f'GQLWS["MONITORING_LEASE"] is {settings.monitoring_lease:g} seconds, and processes renew it every'
            f" {settings.monitoring_interval:g} seconds: they are taken for gone as soon as they are late.",
            hint='Let "MONITORING_LEASE" be several times "MONITORING_INTERVAL".',
            id="gqlws.W032",
        )


def _is_shared_sqlite(alias: str) -> bool:
    connection = connections[alias]
    mode = connection.settings_dict["OPTIONS"].get("transaction_mode") or "DEFERRED"
    return alias == DEFAULT_DB_ALIAS and connection.vendor == "sqlite" and mode.upper() == "DEFERRED"


@register(Tags.database)
def check_tables(
    app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Checks whether the tables are there."""
    try:
        is_asked = get_settings().monitoring and tables.alias() in (databases or ())
        # `migrate` asks before it makes them.
        if not is_asked or sys.argv[1:2] == ["migrate"] or tables.exist():
            return []
    except (ImproperlyConfigured, DatabaseError):
        return []  # Somebody else says so.
    return [
        Warning(
            "The tables of the registry of live connections do not exist: the admin and the commands have nothing to"
            " show.",
            hint=f'Run `{tables.migrate_command()}`, or write GQLWS["MONITORING"] = False.',
            id="gqlws.W030",
        )
    ]
