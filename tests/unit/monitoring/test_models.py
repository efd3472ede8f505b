"""The registry's tables, as the admin and the commands read them."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone

from django_gqlws import monitoring
from django_gqlws.monitoring import Connection, Membership, Process, Sample, Subscription
from django_gqlws.monitoring.audience import count_groups
from tests.support.registry import write_sample

pytestmark = pytest.mark.django_db


def process(seconds_ago: float = 0, **values: object) -> Process:
    """A process that was seen so many seconds ago."""
    now = timezone.now()
    return Process.objects.create(
        host="a", pid=1, name="server", started=now, seen=now - timedelta(seconds=seconds_ago), **values
    )


def subscription(owner: Process, *groups: str) -> Subscription:
    """A subscription to these groups of one class."""
    connection = Connection.objects.create(process=owner, protocol="graphql-transport-ws", since=timezone.now())
    created = Subscription.objects.create(
        process=owner, connection=connection, field="onEvent", operation_id="1", since=timezone.now()
    )
    for name in groups:
        Membership.objects.create(process=owner, subscription=created, topic="app.OnEvent", name=name)
    return created


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("a*c", ["a\nc", "abc"]),
        ("***b***", ["abc"]),
        ("A*", []),
        ("*?", ["[x]%_\\?"]),
        ("[x]*", ["[x]%_\\?"]),
        ("*%_\\*", ["[x]%_\\?"]),
        ("[abc]*", []),
        ("\0*", ["\N{REPLACEMENT CHARACTER}"]),
        ("\0", ["\N{REPLACEMENT CHARACTER}"]),
        ("a" * 100_000 + "*", []),
        ("*" * 100_000 + "b*", ["abc"]),
        ("*" + "a*" * 50 + "x", []),
    ],
)
def test_every_other_character_of_a_pattern_stands_for_itself(pattern: str, found: list[str]) -> None:
    """Whatever the name has, and however hard the pattern is."""
    for _ in range(2):
        subscription(process(), "abc", "a\nc", "[x]%_\\?", "\N{REPLACEMENT CHARACTER}", "a" * 255)

    assert sorted(row["name"] for row in monitoring.groups(pattern)) == sorted(found)
    assert count_groups(pattern) == len(found)


def test_the_migrations_are_complete() -> None:
    """Nothing of the models waits for a migration."""
    call_command("makemigrations", "django_gqlws", check=True, dry_run=True, verbosity=0)


def test_what_a_process_has_not_renewed_within_its_lease_is_hidden_at_once() -> None:
    """A killed process takes its rows out of sight, before anybody deletes them; one pid on two hosts is two."""
    alive, killed = process(), process(seconds_ago=31)
    seen, hidden = subscription(alive, "room"), subscription(killed, "room")

    assert list(Process.objects.live()) == [alive]
    assert list(Subscription.objects.live()) == [seen]
    assert list(Subscription.objects.stale()) == [hidden]
    assert [row["subscriptions"] for row in monitoring.groups()] == [1]


def test_what_a_clock_wrote_that_has_jumped_back() -> None:
    """What is from the future is stale at once, and not only when that comes; a clock may be ahead by a lease."""
    ahead, later = process(seconds_ago=-20), process(seconds_ago=-3_600)
    hidden = subscription(later, "room")
    for seconds in (60, 0, -3_600):
        write_sample(ahead, seconds)

    assert list(Process.objects.live()) == [ahead]
    assert list(Process.objects.stale()) == [later]
    assert list(Subscription.objects.stale()) == [hidden]
    assert [point.at > timezone.now() for point in monitoring.history()] == [False]


def test_a_row_whose_process_is_gone_is_hidden() -> None:
    """No constraint ties the two: a row that was left alone is not alive."""
    orphan = subscription(process(), "room")
    Process.objects.all().delete()

    assert Subscription.objects.filter(pk=orphan.pk).exists()
    assert not Subscription.objects.live().exists()


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*", ["room-1", "", "room-2", "user.+"]),
        ("room-*", ["room-1", "room-2"]),
        ("*2", ["room-2"]),
        ("room-1", ["room-1"]),
        ("r.*", []),
        ("user.+", ["user.+"]),
        ("", [""]),
    ],
)
def test_groups_are_found_by_their_readable_names(pattern: str, found: list[str]) -> None:
    """A star stands for anything, everything else for itself; the largest group comes first."""
    first, second = process(), process()
    subscription(first, "", "room-1")
    subscription(second, "room-1", "user.+")
    subscription(second, "", "room-1", "room-2")

    rows = list(monitoring.groups(pattern))

    assert [row["name"] for row in rows] == found
    if pattern == "*":
        assert (rows[0]["topic"], rows[0]["subscriptions"], rows[0]["processes"]) == ("app.OnEvent", 3, 2)


def test_totals_count_what_is_not_written_yet() -> None:
    """They are what the processes say, not what rows there are."""
    process(connections_total=5, subscriptions_total=7, unwritten=3)
    process(connections_total=1, subscriptions_total=1)
    process(seconds_ago=60, connections_total=100)

    assert monitoring.totals() == monitoring.Totals(2, 6, 8, 3)


def test_the_points_of_a_chart_add_up_the_processes() -> None:
    """Rates are per second; the step that is not over yet is left out."""
    now = timezone.now().replace(microsecond=0)
    begin = now - timedelta(seconds=now.timestamp() % 10 + 20)
    for name, events in (("a", 50), ("b", 100)):
        owner = uuid4()
        for second, p95 in ((5, 0.1), (9, 0.2 if name == "b" else None), (25, None)):
            Sample.objects.create(
                process_id=owner,
                at=begin + timedelta(seconds=second),
                seconds=5,
                connections=second,
                subscriptions=1,
                events=events,
                deliveries=0,
                drops=0,
                p95=p95,
            )

    points = monitoring.history(60)

    assert [(point.connections, point.subscriptions, point.events, point.p95) for point in points] == [(14, 2, 30, 0.2)]
    assert points[0].at == begin + timedelta(seconds=10)


def test_a_block_ends_by_itself_and_a_second_one_replaces_the_first() -> None:
    """Whoever is blocked until a time that is over is no longer blocked."""
    monitoring.block(7, minutes=5, reason="Flooding", by="staff")
    monitoring.block("7", minutes=1, label="eve")

    (blocked,) = monitoring.BlockedUser.objects.live()
    assert (blocked.user, blocked.user_label, blocked.reason) == ("7", "eve", "")
    monitoring.BlockedUser.objects.update(until=timezone.now())
    assert not monitoring.BlockedUser.objects.live().exists()


@pytest.mark.parametrize("minutes", [0, -1, float("nan")])
def test_a_block_without_duration_is_refused(minutes: float) -> None:
    """It says what to write."""
    with pytest.raises(ValueError, match="above 0"):
        monitoring.block(7, minutes)


def test_a_topic_that_is_none_is_refused_with_those_that_are() -> None:
    """A broadcast to a misspelt class reaches nobody, and must not look as if it had."""
    with pytest.raises(LookupError, match=r"tests\.project\.subscriptions\.OnMessage"):
        monitoring.broadcast("tests.project.subscriptions.OnMesage", "room", {})
