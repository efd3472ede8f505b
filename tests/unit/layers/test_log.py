"""The statements, on a file in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from channels.exceptions import ChannelFull

from django_gqlws.layers import log
from django_gqlws.layers.file import SCHEMA
from django_gqlws.layers.log import Kind
from tests.unit.layers.conftest import Clock

MINUTE = 60.0


@pytest.fixture
def db(time: Clock) -> Iterator[sqlite3.Connection]:
    """An empty file."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        yield connection


def append(db: sqlite3.Connection, count: int) -> None:
    """Write messages to a group."""
    for number in range(count):
        log.append(db, Kind.GROUP, "group", b"%d" % number, 0.0)


def positions(db: sqlite3.Connection) -> list[int]:
    """What is in the log."""
    return [entry.position for entry in log.read(db, 0)]


def test_positions_have_no_gaps(db: sqlite3.Connection) -> None:
    """Also when everything before was deleted, or a transaction was undone."""
    append(db, 3)
    log.trim(db)
    db.commit()
    append(db, 5)
    db.rollback()
    append(db, 2)

    assert positions(db) == [3, 4, 5]


def test_what_all_have_read_is_deleted(db: sqlite3.Connection) -> None:
    """The slowest decides."""
    append(db, 10)
    log.register(db, "quick", 9)
    log.register(db, "slow", 4)

    log.trim(db)

    assert positions(db) == [5, 6, 7, 8, 9, 10]


def test_a_process_is_silent(db: sqlite3.Connection, time: Clock) -> None:
    """It counts until its lease is over; then nothing is kept for it."""
    append(db, 10)
    log.register(db, "silent", 4)
    time.advance(log.LEASE)
    log.register(db, "alive", 9)
    assert {process.name for process in log.reading_processes(db)} == {"silent", "alive"}

    time.advance(0.1)
    log.trim(db)

    assert [process.name for process in log.reading_processes(db)] == ["alive"]
    assert positions(db) == [10]


def test_how_long_ago_a_process_was_heard(db: sqlite3.Connection, time: Clock) -> None:
    """In seconds."""
    log.register(db, "one", 0)
    time.advance(3)

    (process,) = log.reading_processes(db)

    assert process.seconds_ago == 3


def test_the_host_was_restarted(db: sqlite3.Connection, time: Clock) -> None:
    """Its clock begins anew; what was noted before is void, also if it would not have expired for long."""
    log.enqueue(db, "work", b"1", time.now + MINUTE, capacity=1)
    log.add_member(db, "group", "work", time.now + MINUTE)
    log.register(db, "one", 0)

    time.now = 5.0

    assert log.claim(db, "work") is None
    assert log.members(db, "group") == []
    assert log.reading_processes(db) == []
    log.enqueue(db, "work", b"2", time.now + MINUTE, capacity=1)
    log.trim(db)
    assert db.execute("SELECT message FROM queue").fetchall() == [(b"2",)]
    assert db.execute("SELECT count(*) FROM members").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM readers").fetchone() == (0,)


def test_a_normal_channel(db: sqlite3.Connection, time: Clock) -> None:
    """First in, first out; what was put back is the first again; what has expired is gone and leaves room."""
    for number in range(3):
        log.enqueue(db, "work", b"%d" % number, time.now + (1 if number == 1 else MINUTE), capacity=3)
    with pytest.raises(ChannelFull):
        log.enqueue(db, "work", b"3", time.now + MINUTE, capacity=3)

    claimed = log.claim(db, "work")
    assert claimed is not None
    log.put_back(db, claimed)
    time.advance(1)
    log.enqueue(db, "work", b"3", time.now + MINUTE, capacity=3)

    assert [log.claim(db, "work").message for _ in range(3)] == [b"0", b"2", b"3"]  # type: ignore[union-attr]
    assert log.waiting(db, ["work"]) == []


def test_a_file_that_is_too_large(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older half of the log goes, although somebody has not read it."""
    monkeypatch.setattr(log, "MAX_BYTES", 0)
    append(db, 10)
    log.register(db, "slow", 0)

    log.trim(db)

    assert positions(db) == [6, 7, 8, 9, 10]
