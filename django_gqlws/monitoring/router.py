"""Where the tables are, when they are not in the default database."""

from __future__ import annotations

from typing import Any

from ..conf import get_setting

APP = "django_gqlws"


class MonitoringRouter:
    """For ``DATABASE_ROUTERS``: puts the tables of the registry into ``GQLWS["MONITORING_DATABASE"]``."""

    def db_for_read(self, model: type[Any], **hints: Any) -> str | None:
        return _database() if model._meta.app_label == APP else None

    def db_for_write(self, model: type[Any], **hints: Any) -> str | None:
        return self.db_for_read(model)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return db == _database() if app_label == APP else None


def _database() -> str:
    database: str = get_setting("monitoring_database")
    return database
