"""The clock that several hosts agree on: the database's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models.functions import Now
from django.utils import timezone

from ..conf import get_setting


def present(using: str) -> Any:
    """Now, for a query on this database."""
    # SQLite has no clock but its host's, and knows nothing of USE_TZ.
    return timezone.now() if connections[using].vendor == "sqlite" else Now()


def ago(seconds: float, using: str) -> Any:
    """So many seconds ago, for a query on this database."""
    return present(using) - timedelta(seconds=seconds)


def latest(using: str) -> Any:
    """What was written later than this was written by a clock that has jumped back since. For a query, too."""
    return ago(-get_setting("monitoring_lease"), using)


def moment(seconds: float) -> datetime:
    """A Unix time as the project's models keep it."""
    return datetime.fromtimestamp(seconds, UTC if settings.USE_TZ else None)
