"""Rows of the live registry, as if processes had written them."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import Any

from django.utils import timezone

from django_gqlws.monitoring import Connection, Membership, Process, Sample, Subscription

TOPIC = "tests.project.subscriptions.OnMessage"


def write_process(**values: Any) -> Process:
    """A living process."""
    now = timezone.now()
    given = {"host": "web-1", "pid": 1, "name": "uvicorn", "started": now, "seen": now, **values}
    process: Process = Process.objects.create(**given)
    return process


def write_connection(process: Process, user: str = "", **values: Any) -> Connection:
    """One of its connections. The user's name is its id."""
    given = {
        "user": user,
        "user_label": user,
        "protocol": "graphql-transport-ws",
        "since": timezone.now(),
        **values,
    }
    connection: Connection = Connection.objects.create(process=process, **given)
    return connection


def write_subscription(connection: Connection, *groups: str, **values: Any) -> Subscription:
    """One of its subscriptions, to these groups."""
    given = {"field": "onMessage", "topic": TOPIC, "operation_id": "1", "since": timezone.now(), **values}
    subscription: Subscription = Subscription.objects.create(
        process_id=connection.process_id, connection=connection, **given
    )
    for name in ("", *groups):
        Membership.objects.create(
            process_id=connection.process_id, subscription=subscription, topic=subscription.topic, name=name
        )
    return subscription


def write_sample(process: Process, seconds_ago: float, **values: Any) -> None:
    """What it did so long ago."""
    given = {
        "seconds": 5,
        "connections": 2,
        "subscriptions": 3,
        "events": 10,
        "deliveries": 50,
        "drops": 0,
        "p95": 0.02,
    }
    at = timezone.now() - timedelta(seconds=seconds_ago)
    Sample.objects.create(process=process, at=at, **{**given, **values})


def write_many(connections: int, subscriptions: int) -> None:
    """So many rows of two processes, in 50 groups."""
    now = timezone.now()
    processes = [write_process(pid=pid) for pid in (1, 2)]
    rows = [
        Connection(
            process=processes[number % 2],
            user=str(number),
            user_label=f"user {number}",
            protocol="graphql-transport-ws",
            since=now - timedelta(seconds=number),
        )
        for number in range(connections)
    ]
    listening = [
        Subscription(
            process_id=row.process_id,
            connection=row,
            topic=TOPIC,
            field=f"onMessage{number % 7}",
            operation_id=str(number),
            since=row.since,
        )
        for number, row in enumerate(islice(_again(rows), subscriptions))
    ]
    groups = [
        Membership(process_id=row.process_id, subscription=row, topic=TOPIC, name=name)
        for number, row in enumerate(listening)
        for name in ("", f"room-{number % 50}")
    ]
    for model, found in ((Connection, rows), (Subscription, listening), (Membership, groups)):
        model.objects.bulk_create(found, batch_size=1_000)


def _again(rows: list[Connection]) -> Any:
    while True:
        yield from rows
