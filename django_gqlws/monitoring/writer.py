"""What a beat does in the database: in short transactions, which give up at once where somebody else holds the lock."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import close_old_connections, connections, router, transaction
from django.db.models import Q

from .blocks import Block
from .clock import ago, latest, present
from .models import BlockedUser, Connection, Membership, Process, Sample, Subscription
from .registry import Changes
from .rows import connection_row, membership_rows, subscription_row, user_of
from .samples import KEPT
from .statements import CHUNK, Row, insert, update_counts

logger = logging.getLogger(__name__)

SWEPT = 2_000
"""Rows of a process that is gone which one transaction deletes."""

MAX_BLOCKS = 10_000


@dataclass(frozen=True, slots=True)
class Beat:
    """What one beat has to say."""

    process: Process
    is_first: bool
    changes: Changes
    sample: Sample


@dataclass(frozen=True, slots=True)
class Answer:
    """What the database said to it."""

    was_forgotten: bool
    """Another process has taken this one for gone and deleted its rows: nothing of the changes was written."""
    blocks: dict[str, Block]


def prepare(patience: float) -> None:
    """Makes the connection of this thread wait so many seconds for SQLite's lock, and raise OperationalError then."""
    close_old_connections()
    connection = connections[router.db_for_write(Process)]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {patience * 1_000:.0f}")


@contextmanager
def _transaction() -> Iterator[str]:
    """Names the database."""
    using = router.db_for_write(Process)
    with transaction.atomic(using):
        yield using


def write(beat: Beat) -> Answer:
    """Writes a beat, in one transaction."""
    with _transaction() as using:
        process = beat.process
        process.seen = present(using)
        was_forgotten = not beat.is_first and not _renew(process)
        if beat.is_first or was_forgotten:
            _remove(process.pk)
            Process.objects.bulk_create([process])
        if not was_forgotten:
            _write_changes(process.pk, beat.changes, using)
        beat.sample.at = present(using)
        Sample.objects.bulk_create([beat.sample])
        Sample.objects.filter(Q(at__lt=ago(KEPT, using)) | Q(at__gt=latest(using))).delete()
        BlockedUser.objects.stale().delete()
        return Answer(was_forgotten, read_blocks())


def read_blocks() -> dict[str, Block]:
    """Who is blocked."""
    blocked = BlockedUser.objects.live()[:MAX_BLOCKS]
    return {row.user: Block(row.until.timestamp(), row.reason) for row in blocked}


def sweep() -> int:
    """Deletes what processes that are gone have left; says how many processes there were. In several transactions."""
    with _transaction():
        gone: int = Process.objects.stale().delete()[0]
    while _sweep_some():
        pass
    return gone


def remove(process: Process) -> None:
    """Deletes the rows of this process: it shuts down."""
    with _transaction():
        # `delete()` reads first where anything listens to deletions, and who has read does not wait for SQLite's lock.
        Process.objects.filter(pk=process.pk).update(pid=process.pid)
        Process.objects.filter(pk=process.pk).delete()
        _remove(process.pk)


def _renew(process: Process) -> int:
    changing = {
        name: getattr(process, name)
        for name in ("seen", "connections_total", "subscriptions_total", "unwritten", "events", "deliveries", "drops")
    }
    renewed: int = Process.objects.filter(pk=process.pk).update(**changing)
    return renewed


def _remove(process: UUID) -> None:
    for model in (Membership, Subscription, Connection):
        model.objects.filter(process=process).delete()


def _sweep_some() -> bool:
    """Whether there is more."""
    with _transaction():
        for model in (Membership, Subscription, Connection):
            orphans = model.objects.exclude(process__in=Process.objects.all()).order_by()
            ids = list(orphans.values_list("pk", flat=True)[:SWEPT])
            _delete(model, "pk", ids)
            if len(ids) == SWEPT:
                return True
    return False


def _write_changes(process: UUID, changes: Changes, using: str) -> None:
    ended = [id for id, _, _ in changes.ended]
    _delete(Membership, "subscription", [*ended, *(known.id for known, _, _, _ in changes.groups)])
    _delete(Subscription, "pk", ended)
    _delete(Connection, "pk", [id for id, _ in changes.closed])
    come = ((id, process, connection) for id, connection in changes.connections)
    insert(Connection, _made(connection_row, come), using)
    for id, connection, _ in changes.users:
        user, label = user_of(connection.scope)
        Connection.objects.filter(pk=id).update(user=user, user_label=label)
    started = _made(subscription_row, ((new, process) for new in changes.subscriptions))
    insert(Subscription, started, using)
    made = {row["id"] for row in started}
    joined = [(new.id, new.topic, new.groups) for new in changes.subscriptions if new.id in made]
    joined += [(known.id, topic, names) for known, topic, names, _ in changes.groups]
    insert(
        Membership, [row for id, topic, names in joined for row in membership_rows(id, process, topic, names)], using
    )
    update_counts(changes.counts, using)


def _made(make: Callable[..., Row], given: Iterable[tuple[Any, ...]]) -> list[Row]:
    """Rows made of what lives. One that cannot be made is left out: it must not cost the others theirs."""
    rows = []
    for arguments in given:
        try:
            rows.append(make(*arguments))
        except Exception:
            logger.exception("A row of the registry of live connections cannot be written; it is left out.")
    return rows


def _delete(model: Any, name: str, ids: Sequence[Any]) -> None:
    for start in range(0, len(ids), CHUNK):
        model.objects.filter(**{f"{name}__in": ids[start : start + CHUNK]}).delete()
