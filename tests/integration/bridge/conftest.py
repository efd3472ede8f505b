"""Fixtures for the bridge.

def test_x(told): ...         what went into the channel layer: told.rows("project.Product", "all")
def test_x(alias): ...        a database, each in turn: SQLite, PostgreSQL
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from channels.layers import channel_layers
from django.db import connections, transaction
from pytest_django import DjangoDbBlocker, Settings

from django_gqlws.bridge.delivery import layer_group
from django_gqlws.bridge.rows import Row
from django_gqlws.broker import process
from django_gqlws.broker.envelope import Envelope
from django_gqlws.serialization import unpack
from tests.project.models import (
    Bestseller,
    Book,
    Exhibit,
    Manuscript,
    Note,
    Product,
    Scroll,
    Shelf,
    Supplier,
    Tag,
    Ticket,
)
from tests.support import services
from tests.support.postgres import POSTGRES_HINT, PostgresServer, find_pg_ctl

TABLES = [Supplier, Tag, Product, Book, Exhibit, Manuscript, Scroll, Note, Ticket, Shelf]

PRODUCT = {"groups": ["all", "pk-{pk}", "supplier-{supplier_id}"], "fields": ["name", "stock", "supplier", "tags"]}


class Told:
    """A channel layer that nobody listens to, and that remembers all it was given."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, list[Row]]] = []
        """The layer's name of the group, the alias of the database, the rows; in order."""
        self.fails = False

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self.fails:
            raise ConnectionError("the layer is down")
        alias, rows = unpack(Envelope.from_message(message).payload)
        self.messages.append((group, alias, [Row(*row) for row in rows]))

    def broadcasts(self, label: str, group: str) -> list[list[Row]]:
        """The rows of each broadcast to a group."""
        return [rows for name, _, rows in self.messages if name == layer_group(label, group)]

    def rows(self, label: str = "project.Product", group: str = "all") -> list[Row]:
        """The rows of all broadcasts to a group."""
        return [row for rows in self.broadcasts(label, group) for row in rows]

    def words(self, label: str = "project.Product", group: str = "all") -> list[str]:
        """The same in words: what happened, the fields that changed, what it means to the group."""
        return [
            " ".join([row.event, *row.changed, *([row.move] if row.move else [])]) for row in self.rows(label, group)
        ]


@pytest.fixture
def told() -> Iterator[Told]:
    """The project's channel layer."""
    layer = Told()
    channel_layers.set("default", layer)
    yield layer
    process._background.stop()
    channel_layers.backends.clear()


@pytest.fixture
def bridged(settings: Settings) -> None:
    """Products are bridged, and shelves."""
    settings.GQLWS = {**settings.GQLWS, "MODELS": {"project.Product": PRODUCT, "project.Shelf": {"groups": ["all"]}}}


@pytest.fixture(scope="module")
def sqlite_settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The entry of DATABASES for a file of one's own."""
    file = tmp_path_factory.mktemp("bridge") / "db.sqlite3"
    # No commit waits for the disk.
    options = {"init_command": "PRAGMA synchronous = OFF"}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": file, "OPTIONS": options}


@pytest.fixture(scope="module")
def postgres_settings() -> Iterator[dict[str, Any]]:
    """The entry of DATABASES for a running PostgreSQL."""
    with PostgresServer(find_pg_ctl() or services.give_up(POSTGRES_HINT)) as server:
        yield server.settings


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database with the tables of the shop; its alias."""
    alias = f"bridge-{request.param}"
    defaults = {**connections.settings["default"], "OPTIONS": {}, "TEST": {}}
    connections.settings[alias] = {**defaults, **request.getfixturevalue(f"{request.param}_settings")}
    with django_db_blocker.unblock():
        with connections[alias].schema_editor() as editor:
            for model in TABLES:
                editor.create_model(model)
        yield alias
        connections[alias].close()
    del connections[alias]
    del connections.settings[alias]


@pytest.fixture
def alias(database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The alias of an empty database."""
    # Not the mark: that is for the databases of the settings, and empties all tables of the project after each test.
    with django_db_blocker.unblock():
        yield database
        with transaction.atomic(database):
            for model in (Note, Ticket, Book, Bestseller, Product, Exhibit, Supplier, Tag):
                model._base_manager.using(database).all().delete()
