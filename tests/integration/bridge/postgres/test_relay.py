"""The relay: in which order it sends, and what it does when something fails."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import ExitStack, closing
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connections, transaction
from pytest_django import Settings

from django_gqlws.bridge.capture import triggered_bridges
from django_gqlws.bridge.postgres import statements
from django_gqlws.bridge.postgres.outbox import Outbox
from django_gqlws.exceptions import BroadcastError
from tests.integration.bridge.conftest import Told
from tests.project.models import Product
from tests.support.postgres import PostgresServer

from .conftest import Follower, sql

WRITERS = 6


class Writers:
    """Connections of other processes, each in a transaction of its own."""

    def __init__(self, alias: str, stack: ExitStack) -> None:
        parameters = connections[alias].get_connection_params()
        known = {key: parameters[key] for key in ("host", "user", "dbname")}
        self.all = [stack.enter_context(closing(psycopg.connect(**known))) for _ in range(WRITERS)]

    def insert(self, writer: int, pk: int) -> None:
        """Insert a product; nothing is committed."""
        self.all[writer].execute(
            "INSERT INTO project_product (id, name, kind, attributes, manual, preview, stock)"
            " VALUES (%s, 'cup', 'paper', '{}', '', '', 0)",
            [pk],
        )


@pytest.fixture
def writers(alias: str) -> Iterator[Writers]:
    """Other connections to the database."""
    with ExitStack() as stack:
        yield Writers(alias, stack)


def told_pks(told: Told) -> list[Any]:
    """The keys of the products, in the order in which they were told."""
    return [row.pk for row in told.rows()]


def test_the_order_of_commits(told: Told, relay: Follower, writers: Writers) -> None:
    """Of transactions side by side the one that commits first is told first, whichever changed something first."""
    writers.insert(0, pk=1)
    writers.insert(1, pk=2)
    writers.insert(0, pk=3)
    writers.all[1].commit()
    writers.all[0].commit()
    relay.follow()

    assert [[row.pk for row in rows] for rows in told.broadcasts("project.Product", "all")] == [[2], [1, 3]]


def test_many_transactions_side_by_side(told: Told, relay: Follower, writers: Writers) -> None:
    """Their order is that of their commits, all over."""
    dice, committed, pending = random.Random(1), [], dict[int, list[int]]()
    for pk in range(1, 200):
        writer = dice.randrange(WRITERS)
        writers.insert(writer, pk)
        pending.setdefault(writer, []).append(pk)
        if dice.random() < 0.5:
            writer = dice.choice(list(pending))
            writers.all[writer].commit()
            committed += pending.pop(writer)
    relay.follow()

    assert told_pks(told) == committed


def test_what_came_before_the_relay(told: Told, alias: str, writers: Writers) -> None:
    """It is told when the relay begins; of transactions that changed the same row, in the order of their commits."""
    writers.insert(0, pk=1)
    writers.insert(1, pk=2)
    writers.all[1].commit()
    writers.all[2].execute("UPDATE project_product SET name = 'mug' WHERE id = 2")
    writers.all[2].commit()
    writers.all[0].execute("DELETE FROM project_product WHERE id = 2")
    writers.all[0].commit()
    with Follower(alias, told) as relay:
        relay.begin()

    assert [(row.pk, row.event) for row in told.rows()] == [
        (2, "created"),
        (2, "updated"),
        (1, "created"),
        (2, "deleted"),
    ]


def test_the_holder_of_the_turn_ends(told: Told, relay: Follower) -> None:
    """Another one waits until then, and tells what was not told."""
    with Follower(relay.using, told) as other:
        could_before = other.takes_turn()
        sql(relay.using, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        Product.objects.using(relay.using).create(pk=5, name="cup")
        with pytest.raises(OperationalError):
            relay.send_next()
        could_after = other.takes_turn()
        other.begin()

    assert (could_before, could_after) == (False, True)
    assert told_pks(told) == [5]


def test_a_pool_of_connections(alias: str, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay has a connection of its own, which ends with it, and so does its turn."""
    turns = []
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setitem(connections.settings[alias]["OPTIONS"], "pool", True)
            with Follower(alias, told) as relay:
                turns.append(relay.takes_turn())

    assert turns == [True, True]


def test_the_server_restarts(told: Told, relay: Follower, postgres: PostgresServer) -> None:
    """What was committed before is told afterwards."""
    Product.objects.using(relay.using).create(pk=5, name="cup")
    postgres.restart()
    connections[relay.using].close()
    with pytest.raises(OperationalError):
        relay.follow()
    with Follower(relay.using, told) as other:
        other.begin()

    assert told_pks(told) == [5]


def test_the_layer_is_down(told: Told, relay: Follower) -> None:
    """Nothing is lost: it is told when the layer is back."""
    Product.objects.using(relay.using).create(pk=5, name="cup")
    told.fails = True
    with pytest.raises(BroadcastError):
        relay.send_next()
    told.fails = False
    with Follower(relay.using, told) as other:
        other.begin()
        other.begin()

    assert told_pks(told) == [5]


@pytest.fixture
def installed_anew(relay: Follower) -> Iterator[None]:
    """What a test does to the triggers ends with it."""
    yield
    call_command("gqlws_triggers", database=relay.using, stdout=StringIO(), remove=True)


@pytest.mark.usefixtures("installed_anew")
def test_the_queue_of_notifications_is_full(told: Told, relay: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody notifies any more, so that every commit succeeds; the relay finds what there is."""
    monkeypatch.setattr(statements, "BUSY", 0)
    call_command("gqlws_triggers", database=relay.using, stdout=StringIO())
    Product.objects.using(relay.using).create(pk=5, name="cup")
    Product.objects.using(relay.using).filter(pk=5).delete()
    relay.send_next(patience=0)

    assert [(row.pk, row.event) for row in told.rows()] == [(5, "created"), (5, "deleted")]


@pytest.mark.usefixtures("installed_anew")
def test_the_outbox_is_full(told: Told, relay: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are saved, and not told, until a relay has made room."""
    monkeypatch.setattr(statements, "MAX_ROWS", 1)
    call_command("gqlws_triggers", database=relay.using, stdout=StringIO())
    for pk in range(1, 6):
        Product.objects.using(relay.using).create(pk=pk, name="cup")
    relay.begin()
    Product.objects.using(relay.using).create(pk=6, name="cup")
    relay.follow()

    assert told_pks(told) == [1, 2, 3, 6]
    assert Product.objects.using(relay.using).count() == 6


BROKEN = {
    "no outbox": ("DROP TABLE gqlws_outbox", "SELECT 1"),
    "a column is gone": (
        "ALTER TABLE project_product RENAME stock TO amount",
        "ALTER TABLE project_product RENAME amount TO stock",
    ),
}


@pytest.mark.usefixtures("installed_anew")
@pytest.mark.parametrize(("breaks", "mends"), BROKEN.values(), ids=BROKEN)
def test_a_trigger_fails(told: Told, alias: str, breaks: str, mends: str) -> None:
    """The row is saved all the same, and only that change is not told."""
    sql(alias, breaks)
    with transaction.atomic(alias):
        sql(alias, "UPDATE project_product SET name = 'x'")
        sql(alias, "INSERT INTO project_supplier (name) VALUES ('saved')")
    sql(alias, mends)
    call_command("gqlws_triggers", database=alias, stdout=StringIO())
    Product.objects.using(alias).create(pk=5, name="cup")
    with Follower(alias, told) as relay:
        relay.begin()

    assert told_pks(told) == [5]
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM project_supplier WHERE name = 'saved'")
        assert cursor.fetchone() == (1,)


def test_a_writer_without_rights(told: Told, relay: Follower) -> None:
    """Whoever may change a row need not have any right to the outbox."""
    sql(
        relay.using,
        "DROP ROLE IF EXISTS clerk",
        "CREATE ROLE clerk",
        "GRANT INSERT ON project_product TO clerk",
        "SET ROLE clerk",
        "INSERT INTO project_product (id, name, kind, attributes, manual, preview, stock)"
        " VALUES (5, 'cup', 'paper', '{}', '', '', 0)",
        "RESET ROLE",
        "DROP OWNED BY clerk",
        "DROP ROLE clerk",
    )
    relay.follow()

    assert told_pks(told) == [5]


def test_a_model_that_the_relay_does_not_know(
    told: Told, relay: Follower, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged and forgotten, and the others are told."""
    known = Outbox(connections[relay.using], {"project.Shelf": triggered_bridges()["project.Shelf"]})
    relay._outbox = known
    Product.objects.using(relay.using).create(pk=5, name="cup")
    relay.follow()

    assert [(record.levelno, "project.Product" in record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, True)
    ]
    assert (told_pks(told), known.waiting()) == ([], [])
