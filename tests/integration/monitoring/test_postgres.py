"""The registry on a PostgreSQL, which has a clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django import DjangoDbBlocker, Settings

from django_gqlws import monitoring
from django_gqlws.connection.tally import Counts
from django_gqlws.monitoring import BlockedUser, Connection, Membership, Process, Sample, Subscription
from django_gqlws.monitoring.writer import remove, sweep
from tests.support import services
from tests.support.postgres import POSTGRES_HINT, PostgresServer, find_pg_ctl
from tests.unit.monitoring.test_reporter import Beats, client, operation, rows

TABLES = (Process, Connection, Subscription, Membership, Sample, BlockedUser)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A running PostgreSQL that only this module uses."""
    with PostgresServer(find_pg_ctl() or services.give_up(POSTGRES_HINT)) as server:
        yield server


@pytest.fixture(autouse=True)
def registry(server: PostgresServer, settings: Settings, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The tables of the registry, in that PostgreSQL alone."""
    like_default = {**connections.settings["default"], "TEST": {}, "OPTIONS": {}}
    connections.settings["postgres"] = {**like_default, **server.settings}
    settings.DATABASE_ROUTERS = ["django_gqlws.monitoring.router.MonitoringRouter"]
    settings.GQLWS = {**settings.GQLWS, "MONITORING_DATABASE": "postgres"}
    # Not the mark: that is for the databases of the settings.
    with django_db_blocker.unblock():
        with connections["postgres"].schema_editor() as editor:
            for table in TABLES:
                editor.create_model(table)
        yield
        with connections["postgres"].schema_editor() as editor:
            for table in TABLES:
                editor.delete_model(table)
        connections["postgres"].close()
    del connections["postgres"]
    del connections.settings["postgres"]


def test_the_life_of_a_process() -> None:
    """It comes, changes and goes, and its groups are counted."""
    beat, busy = Beats(), operation("a", "b")
    beat.registry.enter(client(busy, operation("a")))
    beat()
    assert rows() == (1, 2, 5)

    busy.counts = Counts(delivered=5, shared=4, dropped=3, errors=2, queued=1)
    beat()
    assert Subscription.objects.live().get(delivered=5).last_event is not None
    assert [group["subscriptions"] for group in monitoring.groups()] == [2, 2, 1]
    assert [group["name"] for group in monitoring.groups("*b")] == ["b"]

    remove(beat.process)
    assert rows() == (0, 0, 0)
    assert not Process.objects.exists()


def test_a_process_that_was_killed() -> None:
    """Its rows are hidden when its lease is over, and somebody else deletes them."""
    beat = Beats()
    beat.registry.enter(client(operation("a")))
    beat()

    Process.objects.update(seen=timezone.now() - timedelta(hours=1))

    assert rows() == (0, 0, 0)
    assert sweep() == 1
    assert not Subscription.objects.exists()


def test_a_chart() -> None:
    """It has the samples of all processes, but for the newest moment: others may not have written yet."""
    one, other = Beats(), Beats()
    one()
    other()
    Sample.objects.update(at=timezone.now() - timedelta(minutes=1))
    one()

    assert monitoring.totals().processes == 2
    assert len(monitoring.history()) == 1


def test_a_block_that_is_over() -> None:
    """It ends by the clock of the database."""
    now = timezone.now()
    for user, minutes in {"blocked": 1, "free again": -1}.items():
        BlockedUser.objects.create(user=user, since=now, until=now + timedelta(minutes=minutes))

    assert [blocked.user for blocked in BlockedUser.objects.live()] == ["blocked"]
