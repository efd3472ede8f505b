"""What is in the file, and the statements that read and write it.

Each function is to be called in a transaction, but for `read` and `waiting`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from enum import IntEnum
from sqlite3 import Connection
from typing import NamedTuple

from channels.exceptions import ChannelFull

from . import clock

LEASE = 20.0
"""Seconds after its last heartbeat that a process counts as living."""

MAX_BYTES = 64 * 2**20
"""Of the log; beyond, its older half goes, whoever has not read it."""

ROW_BYTES = 50
"""What an entry takes in the file beside its message, about."""

PAGE_OF_ROWS = 500
"""Rows that are read at a time."""


class Kind(IntEnum):
    """What an entry of the log is."""

    GROUP = 1
    """A message to the members of a group."""
    CHANNEL = 2
    """A message to a channel of one process."""
    JOIN = 3
    """Another process puts a channel into a group; the entry's message is the channel."""
    LEAVE = 4
    """Another process takes a channel out of a group."""
    FLUSH = 5
    """Everything is to be forgotten."""


class Entry(NamedTuple):
    """One row of the log. Positions grow by one in the order of the commits."""

    position: int
    kind: int
    target: str
    message: bytes
    expires: float


class Queued(NamedTuple):
    """A message in a normal channel."""

    position: int
    channel: str
    message: bytes
    sent: float
    expires: float


class ReadingProcess(NamedTuple):
    """A process that listens on a channel, or did, and is alive."""

    name: str
    """The part of its channels' names before the exclamation mark."""
    pid: int
    seconds_ago: float
    """How long ago it said so."""


def append(db: Connection, kind: Kind, target: str, message: bytes, expires: float) -> None:
    """Writes an entry behind the last one."""
    db.execute("INSERT INTO log (kind, target, message, expires) VALUES (?, ?, ?, ?)", (kind, target, message, expires))


def read(db: Connection, position: int) -> list[Entry]:
    """The entries behind a position, in order, `PAGE_OF_ROWS` at most."""
    rows = db.execute(
        "SELECT position, kind, target, message, expires FROM log WHERE position > ? ORDER BY position LIMIT ?",
        (position, PAGE_OF_ROWS),
    )
    return [Entry(*row) for row in rows.fetchall()]


def last_position(db: Connection) -> int:
    """The position of the last entry."""
    position: int = db.execute("SELECT coalesce(max(position), 0) FROM log").fetchone()[0]
    return position


# Normal channels: who receives a message takes it out of the queue.


def enqueue(db: Connection, channel: str, message: bytes, expires: float, capacity: int) -> None:
    """Puts a message into a normal channel. Raises ChannelFull."""
    now = clock.now()
    (count,) = db.execute(
        "SELECT count(*) FROM queue WHERE channel = ? AND expires > ? AND sent <= ?", (channel, now, now)
    ).fetchone()
    if count >= capacity:
        raise ChannelFull(channel)
    db.execute(
        "INSERT INTO queue (channel, message, sent, expires) VALUES (?, ?, ?, ?)", (channel, message, now, expires)
    )


def claim(db: Connection, channel: str) -> Queued | None:
    """Takes the oldest message out of a normal channel."""
    now = clock.now()
    row = db.execute(
        "SELECT position, channel, message, sent, expires FROM queue"
        " WHERE channel = ? AND expires > ? AND sent <= ? ORDER BY position LIMIT 1",
        (channel, now, now),
    ).fetchone()
    if row is None:
        return None
    db.execute("DELETE FROM queue WHERE position = ?", row[:1])
    return Queued(*row)


def put_back(db: Connection, queued: Queued) -> None:
    """Makes a claimed message the oldest of its channel again."""
    db.execute("INSERT OR IGNORE INTO queue (position, channel, message, sent, expires) VALUES (?, ?, ?, ?, ?)", queued)


def waiting(db: Connection, channels: Iterable[str]) -> list[str]:
    """Those of the normal channels that have a message."""
    now = clock.now()
    query = "SELECT 1 FROM queue WHERE channel = ? AND expires > ? AND sent <= ? LIMIT 1"
    return [channel for channel in channels if db.execute(query, (channel, now, now)).fetchone()]


def add_member(db: Connection, group: str, channel: str, expires: float) -> None:
    """Puts a normal channel into a group."""
    db.execute("INSERT OR REPLACE INTO members VALUES (?, ?, ?, ?)", (group, channel, clock.now(), expires))


def discard_member(db: Connection, group: str, channel: str) -> None:
    """Takes a normal channel out of a group."""
    db.execute('DELETE FROM members WHERE "group" = ? AND channel = ?', (group, channel))


def members(db: Connection, group: str) -> list[str]:
    """The normal channels of a group."""
    now = clock.now()
    rows = db.execute(
        'SELECT channel FROM members WHERE "group" = ? AND expires > ? AND joined <= ?', (group, now, now)
    )
    return [channel for (channel,) in rows.fetchall()]


# The processes that read


def register(db: Connection, name: str, position: int) -> None:
    """This process is alive and has read up to this position."""
    db.execute("INSERT OR REPLACE INTO readers VALUES (?, ?, ?, ?)", (name, os.getpid(), position, clock.now()))


def unregister(db: Connection, name: str) -> None:
    """This process reads no more."""
    db.execute("DELETE FROM readers WHERE name = ?", (name,))


def reading_processes(db: Connection) -> list[ReadingProcess]:
    """The living ones."""
    now = clock.now()
    rows = db.execute(
        "SELECT name, pid, ? - seen FROM readers WHERE seen BETWEEN ? AND ? ORDER BY pid, name", (now, now - LEASE, now)
    )
    return [ReadingProcess(*row) for row in rows.fetchall()]


def flush(db: Connection) -> None:
    """Empties queues and groups, and tells all processes to do the same."""
    db.execute("DELETE FROM queue")
    db.execute("DELETE FROM members")
    append(db, Kind.FLUSH, "", b"", 0.0)


def trim(db: Connection) -> None:
    """Deletes what nobody needs any more, and if the file is too large, what somebody may need."""
    now = clock.now()
    db.execute("DELETE FROM readers WHERE seen NOT BETWEEN ? AND ?", (now - LEASE, now))
    for table, since in (("queue", "sent"), ("members", "joined")):
        # What was noted in the future was noted before the host was restarted.
        db.execute(f"DELETE FROM {table} WHERE expires <= ? OR {since} > ?", (now, now))
    last = last_position(db)
    read_by_all = db.execute("SELECT min(position) FROM readers").fetchone()[0]
    _delete_up_to(db, last if read_by_all is None else read_by_all, last)
    # The file is quickly looked at, and may be as large because of what waits in normal channels.
    if _used_bytes(db) > MAX_BYTES and _bytes_of_log(db) > MAX_BYTES:
        (first,) = db.execute("SELECT coalesce(min(position), 0) FROM log").fetchone()
        _delete_up_to(db, (first + last) // 2, last)


def _delete_up_to(db: Connection, position: int, last: int) -> None:
    # The last entry stays: the next one gets its position from it.
    db.execute("DELETE FROM log WHERE position <= ?", (min(position, last - 1),))


def _bytes_of_log(db: Connection) -> int:
    size: int = db.execute(f"SELECT coalesce(sum(length(message) + {ROW_BYTES}), 0) FROM log").fetchone()[0]
    return size


def _used_bytes(db: Connection) -> int:
    (pages,), (free,), (size,) = (
        db.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "freelist_count", "page_size")
    )
    used: int = (pages - free) * size
    return used
