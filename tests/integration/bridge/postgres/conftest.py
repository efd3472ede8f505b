"""Fixtures for triggers.

def test_x(alias): ...        a PostgreSQL with the tables of the shop and their triggers; its alias
def test_x(relay): ...        a relay that listens: relay.follow() sends everything that was committed
"""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from itertools import count
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django import DjangoDbBlocker, Settings

from django_gqlws.bridge.capture import triggered_bridges
from django_gqlws.bridge.postgres.relay import Relay
from tests.integration.bridge.conftest import PRODUCT, TABLES, Told
from tests.project.models import Book, Product, Shelf, Supplier, Tag
from tests.support import services
from tests.support.postgres import POSTGRES_HINT, PostgresServer, find_pg_ctl

ALIAS = "bridge-triggers"

MODELS: dict[str, dict[str, Any]] = {
    "project.Product": {**PRODUCT, "source": "triggers"},
    "project.Shelf": {"groups": ["all"], "source": "triggers"},
}


class Follower(Relay):
    """A relay that knows when it has sent everything: the last is a shelf, on which nothing else happens."""

    numbers = count(1)

    def __init__(self, using: str, told: Told) -> None:
        super().__init__(using, triggered_bridges())
        self.using = using
        self.told = told

    def follow(self) -> None:
        """Send what was committed until now."""
        shelf = Shelf.objects.using(self.using).create(aisle=0, number=next(self.numbers))
        while shelf.pk not in [row.pk for row in self.told.rows("project.Shelf")]:
            self.send_next()


@pytest.fixture(scope="package")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL, of these tests alone."""
    with PostgresServer(find_pg_ctl() or services.give_up(POSTGRES_HINT)) as server:
        yield server


@pytest.fixture(scope="package")
def database(postgres: PostgresServer, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The alias of a database with the tables."""
    connections.settings[ALIAS] = {
        **connections.settings["default"],
        "OPTIONS": {},
        "TEST": {},
        **postgres.settings,
    }
    with django_db_blocker.unblock():
        with connections[ALIAS].schema_editor() as editor:
            for model in TABLES:
                editor.create_model(model)
        # Django 5.2 has no way to say so.
        cascading = "ALTER TABLE {} ADD FOREIGN KEY ({}) REFERENCES {} ON DELETE CASCADE ON UPDATE CASCADE"
        sql(
            ALIAS,
            cascading.format("project_product", "supplier_id", "project_supplier"),
            cascading.format("project_product_tags", "product_id", "project_product"),
        )
        yield ALIAS
        connections[ALIAS].close()
    del connections[ALIAS]
    del connections.settings[ALIAS]


@pytest.fixture
def triggered(settings: Settings) -> None:
    """Changes of products and shelves are noticed by triggers."""
    settings.GQLWS = {**settings.GQLWS, "MODELS": MODELS}


@pytest.fixture
def alias(database: str, triggered: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The alias of an empty database with triggers."""
    with django_db_blocker.unblock():
        # What is there already, from the test before, stays.
        call_command("gqlws_triggers", database=database, stdout=StringIO(), stderr=StringIO())
        sql(database, "TRUNCATE gqlws_outbox")
        yield database
        for model in (Book, Product, Supplier, Tag, Shelf):
            model._base_manager.using(database).all().delete()


@pytest.fixture
def relay(alias: str, told: Told) -> Iterator[Follower]:
    """A relay whose turn it is."""
    with Follower(alias, told) as relay:
        assert relay.takes_turn()
        relay.begin()
        yield relay


def sql(alias: str, *statements: str) -> None:
    """Execute statements, none of which Django understands, in one transaction."""
    with connections[alias].cursor() as cursor:
        cursor.execute(";".join(statements))
