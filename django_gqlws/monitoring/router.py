"""Where the tables are, when they are not in the default database."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS

from ..conf import get_setting

APP = "django_gqlws"


class MonitoringRouter:
    """For ``DATABASE_ROUTERS``: puts the tables of the registry, and no others, into
    ``GQLWS["MONITORING_DATABASE"]``."""

    def db_for_read(self, model: type[Any], **hints: Any) -> str | None:
        return _alias() if model._meta.app_label == APP else None

    def db_for_write(self, model: type[Any], **hints: Any) -> str | None:
        return self.db_for_read(model)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        if app_label == APP:
            return db == _alias()
        # What Django itself does after migrating a database needs tables of its own, unless it is kept out.
        return False if db == _alias() != DEFAULT_DB_ALIAS else None


def _alias() -> str:
    alias: str = get_setting("monitoring_database")
    return alias
