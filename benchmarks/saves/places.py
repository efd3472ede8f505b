"""Databases and channel layers to save and to send to, and the settings of a process that does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.conf import settings

from tests.support.postgres import PostgresServer, find_pg_ctl
from tests.support.services import RedisServer, find_redis

GROUP = "room-1"

Place = tuple[dict[str, Any], dict[str, Any]]
"""The database, and the channel layer."""


@contextmanager
def sqlite() -> Iterator[Place]:
    """Files in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        yield (
            {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path(folder) / "db.sqlite3")},
            {
                "BACKEND": "django_gqlws.layers.SqliteChannelLayer",
                "CONFIG": {"path": str(Path(folder) / "channels.sqlite3")},
            },
        )


@contextmanager
def postgres() -> Iterator[Place]:
    """Servers of one's own, which keep what is committed as SQLite does. Raises LookupError where there are none."""
    pg_ctl, redis = find_pg_ctl(), find_redis()
    if pg_ctl is None or redis is None:
        raise LookupError("no PostgreSQL or no Redis on this machine")
    with PostgresServer(pg_ctl, is_durable=True) as database, RedisServer(redis) as server:
        yield (
            database.settings,
            {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [server.url]}},
        )


PLACES = {"SQLite, SqliteChannelLayer": sqlite, "PostgreSQL, Redis pub/sub": postgres}


def set_up(place: Place) -> None:
    """Make this process one of a project in that place."""
    database, layer = place
    settings.configure(
        DATABASES={"default": database},
        CHANNEL_LAYERS={"default": layer},
        INSTALLED_APPS=["channels", "django_gqlws", "benchmarks.saves"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        GQLWS={"MODELS": {"saves.Told": {"groups": ["room-{room_id}"]}}},
    )
    django.setup()
