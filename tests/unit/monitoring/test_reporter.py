"""What one process writes, beat by beat: the difference between its clients and what the database knows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django import db
from django.db.models.signals import post_delete
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_gqlws.connection.tally import Counts
from django_gqlws.monitoring import Connection, Membership, Process, Sample, Subscription, reporter, writer
from django_gqlws.monitoring.registry import MAX_GROUPS, Changes, Registry
from django_gqlws.monitoring.reporter import Reporter
from django_gqlws.monitoring.rows import process_row
from django_gqlws.monitoring.writer import Answer, Beat, remove, sweep, write
from tests.support.registry import write_connection, write_process

pytestmark = pytest.mark.django_db
NOTHING = Counts(0, 0, 0, 0, 0)


class Live:
    """What lives in the process: equal to nothing but itself."""

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)


def operation(*groups: str, **request: Any) -> Any:
    """A live subscription to these groups."""
    return Live(
        id="1",
        name=None,
        field="onEvent",
        request=Live(**{"query": "subscription { onEvent }", "variables": {}, **request}),
        tally=Live(since=1_700_000_000.0),
        counts=NOTHING,
        membership=Live(topic="app.OnEvent", names=["", *groups], changes=0),
    )


def client(*operations: Any, **scope: Any) -> Any:
    """A connection that has been let in."""
    return Live(
        scope={"client": ("192.0.2.7", 1), "headers": [], **scope},
        since=1_700_000_000.0,
        subprotocol="graphql-transport-ws",
        operations=list(operations),
    )


class Beats:
    """A process that beats when the test says so."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.process = process_row()
        self._is_first = True

    def __call__(self, room: int = 1_000) -> int:
        """Writes; returns how many clients and subscriptions there was no room for."""
        changes = asyncio.run(self.registry.changes(room))
        sample = Sample(
            process=self.process, seconds=1, connections=0, subscriptions=0, events=0, deliveries=0, drops=0
        )
        answer = write(Beat(self.process, self._is_first, changes, sample))
        self._is_first = False
        if answer.was_forgotten:
            self.registry.forget()
        else:
            self.registry.wrote(changes)
        return changes.unwritten


@pytest.fixture
def beat() -> Beats:
    return Beats()


@pytest.fixture
def listens_to_deletions() -> Iterator[None]:
    """An audit log, say: a receiver for all models."""

    def receiver(**_: object) -> None: ...

    post_delete.connect(receiver)
    yield
    post_delete.disconnect(receiver)


def rows() -> tuple[int, int, int]:
    """How many connections, subscriptions and memberships the database has."""
    return Connection.objects.live().count(), Subscription.objects.live().count(), Membership.objects.live().count()


def test_what_comes_is_added_and_what_goes_is_deleted(beat: Beats) -> None:
    """Each beat writes the difference."""
    first, second = client(operation("a", "b")), client(operation("a"), operation())
    beat.registry.enter(first)
    beat.registry.enter(second)

    beat()
    assert rows() == (2, 3, 6)
    assert Connection.objects.first().address == "192.0.2.7"

    second.operations.pop()
    beat.registry.leave(first)
    beat()
    assert rows() == (1, 1, 2)


def test_one_that_has_not_been_let_in_is_not_shown(beat: Beats) -> None:
    """A flood of strangers writes nothing."""
    stranger = client()
    stranger.since = None
    beat.registry.enter(stranger)

    beat()

    assert rows() == (0, 0, 0)


def test_counts_are_written_where_they_have_changed(beat: Beats) -> None:
    """The row says when that was seen."""
    busy, idle = operation(), operation()
    beat.registry.enter(client(busy, idle))
    beat()

    busy.counts = Counts(delivered=5, shared=4, dropped=3, errors=2, queued=1)
    beat()

    row = Subscription.objects.get(delivered=5)
    assert (row.shared, row.dropped, row.errors, row.queued, row.shared_share) == (4, 3, 2, 1, 0.8)
    assert timezone.now() - row.last_event < timedelta(minutes=1)
    assert Subscription.objects.get(delivered=0).last_event is None


def test_groups_that_are_joined_later_are_shown(beat: Beats) -> None:
    """They are those of the moment."""
    moving = operation("a")
    beat.registry.enter(client(moving))
    beat()

    moving.membership.names, moving.membership.changes = ["", "b", "c"], 2
    beat()

    assert sorted(Membership.objects.values_list("name", flat=True)) == ["", "b", "c"]


def test_a_storm_is_written_bit_by_bit(beat: Beats) -> None:
    """A beat has a bound; what found no room is counted, and comes with the next ones."""
    for _ in range(30):
        beat.registry.enter(client(operation()))

    left = [beat(room=30) for _ in range(5)]

    assert left == [40, 20, 0, 0, 0]
    assert rows() == (30, 30, 30)


def test_a_subscription_to_very_many_groups(beat: Beats) -> None:
    """It is listed with a bounded number of them, however small a beat is, and holds nobody up for longer than that."""
    beat.registry.enter(client(operation(*map(str, range(5 * MAX_GROUPS)))))
    beat.registry.enter(client(operation("a")))

    for _ in range(3):
        beat(room=10)

    assert rows() == (2, 2, MAX_GROUPS + 2)


def test_a_client_that_fills_each_beat(beat: Beats) -> None:
    """It takes turns with the others."""
    moving = operation("a")
    beat.registry.enter(client(moving))
    beat()
    beat.registry.enter(client(operation("b")))

    for number in range(1, 5):
        moving.membership.changes = number
        beat(room=1)

    assert Membership.objects.filter(name="b").exists()


def test_a_row_that_cannot_be_made(beat: Beats, caplog: pytest.LogCaptureFixture) -> None:
    """It is left out, once, and the log says so; the others are written."""
    beat.registry.enter(client(operation("a", variables={"n": object()}), operation("b")))

    beat()
    beat()

    assert rows() == (1, 1, 2)
    assert [record.message for record in caplog.records] == [
        "A row of the registry of live connections cannot be written; it is left out."
    ]


@pytest.mark.django_db(transaction=True)
async def test_an_error_that_nobody_expects(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """It costs a beat, and not the task: the next one writes."""
    caplog.set_level("INFO")
    monkeypatch.setattr(reporter, "read_blocks", dict)
    monkeypatch.setattr(reporter, "write", lambda beat: Answer(False, {}))
    monkeypatch.setattr(Reporter, "_sweep", lambda self: 0)
    ours = Reporter()

    with monkeypatch.context() as broken:
        broken.setattr(ours.registry, "changes", lambda room: 1 / 0)
        await ours._beat()
    await ours._beat()

    assert "ZeroDivisionError" in caplog.text
    assert caplog.messages[-1] == "The registry of live connections is written again."


def test_many_who_leave_together(beat: Beats) -> None:
    """Those whose rows found no room are known to be left: the next beat comes sooner."""
    connections = [client(operation()) for _ in range(20)]
    for connection in connections:
        beat.registry.enter(connection)
    beat()
    for connection in connections:
        beat.registry.leave(connection)

    changes = asyncio.run(beat.registry.changes(30))
    assert (len(changes.ended), len(changes.closed), changes.undeleted > 0) == (15, 15, True)

    beat(room=30)
    beat(room=30)
    assert rows() == (0, 0, 0)
    assert asyncio.run(beat.registry.changes(30)).undeleted == 0


@pytest.mark.django_db(transaction=True)
async def test_a_database_that_hangs_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients wait for it together, and not each for as long as the first."""
    answers = threading.Event()
    monkeypatch.setattr(reporter, "read_blocks", lambda: answers.wait(60) and {})
    monkeypatch.setattr(reporter, "PATIENCE", 0.01)
    ours = Reporter()
    monkeypatch.setattr(reporter, "PATIENCE", 3_600)

    try:
        async with asyncio.timeout(30):
            assert [await ours.ask({}) for _ in range(3)] == [None] * 3
    finally:
        answers.set()


def test_who_comes_and_goes_between_two_beats_costs_nothing(beat: Beats) -> None:
    """There is no queue that they could fill."""
    for _ in range(1_000):
        passing = client(operation())
        beat.registry.enter(passing)
        beat.registry.leave(passing)

    assert asyncio.run(beat.registry.changes(10)) == Changes(10)


def test_busy_subscriptions_take_turns(beat: Beats) -> None:
    """None waits for ever because others change all the time."""
    operations = [operation() for _ in range(40)]
    for one in operations:
        beat.registry.enter(client(one))
    beat()

    for number in range(1, 11):
        for one in operations:
            one.counts = Counts(number, 0, 0, 0, 0)
        beat(room=10)

    assert not Subscription.objects.filter(delivered=0).exists()


def test_a_process_that_was_taken_for_gone_comes_back(beat: Beats) -> None:
    """Its clock had jumped, or it was stopped for a while: it notices, and writes everything again."""
    beat.registry.enter(client(operation("a")))
    beat()
    Process.objects.update(seen=timezone.now() - timedelta(hours=1))
    assert sweep() == 1
    assert rows() == (0, 0, 0)
    assert not Subscription.objects.exists()

    beat()
    assert rows() == (0, 0, 0)
    beat()
    assert rows() == (1, 1, 2)


@pytest.mark.django_db(transaction=True)
async def test_a_sweep_that_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next beat goes on with it, although the process itself is gone already."""
    ours = Reporter()
    ours._must_sweep = False
    await sync_to_async(leave_behind)()
    with monkeypatch.context() as busy:
        busy.setattr(writer, "_sweep_some", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await sync_to_async(ours._sweep)()

    await sync_to_async(ours._sweep)()

    assert not await Connection.objects.aexists()


def leave_behind() -> None:
    """A process is killed."""
    write_connection(write_process(seen=timezone.now() - timedelta(hours=1)))


def test_the_living_are_not_swept(beat: Beats) -> None:
    """Only what belongs to nobody is."""
    beat.registry.enter(client(operation("a")))
    beat()

    assert sweep() == 0
    assert rows() == (1, 1, 2)


def test_a_shutdown_removes_its_own_rows_alone(beat: Beats) -> None:
    """Two processes may have one pid, on two hosts."""
    other = Beats()
    other.process.pid = beat.process.pid
    for each in (beat, other):
        each.registry.enter(client(operation("a")))
        each()

    remove(beat.process)

    assert list(Process.objects.live()) == [other.process]
    assert rows() == (1, 1, 2)


def test_a_shutdown_where_somebody_listens_to_deletions(beat: Beats, listens_to_deletions: None) -> None:
    """It writes before it reads: who has read does not wait for SQLite's lock."""
    beat()

    with CaptureQueriesContext(db.connection) as queries:
        remove(beat.process)

    words = [query["sql"].split()[0] for query in queries]
    assert next(word for word in words if word not in ("BEGIN", "SAVEPOINT")) == "UPDATE"
    assert "SELECT" in words


def test_a_user_of_an_unknown_kind_is_nobody(beat: Beats) -> None:
    """What a project puts into the scope is its own affair; one that logs in later is shown then."""
    connection = client(user=object())
    beat.registry.enter(connection)
    beat()
    assert Connection.objects.get().user == ""

    connection.scope["user"] = Live(pk=7, get_username=lambda: "eve")
    beat()
    assert (Connection.objects.get().user, Connection.objects.get().user_label) == ("7", "eve")
