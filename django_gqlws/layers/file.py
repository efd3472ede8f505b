"""The file of the layer: made, opened, watched, and set aside when it is damaged."""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..exceptions import LayerError

logger = logging.getLogger(__name__)

APPLICATION_ID = 0x6771_776C
VERSION = 1
"""Of the schema; the file says both, so that no other SQLite file is taken for one of ours."""

SCHEMA = """
CREATE TABLE log (
    position INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    target TEXT NOT NULL,
    message BLOB NOT NULL,
    expires REAL NOT NULL
);
CREATE TABLE queue (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    message BLOB NOT NULL,
    sent REAL NOT NULL,
    expires REAL NOT NULL
);
CREATE INDEX queue_of_channel ON queue (channel, position);
CREATE TABLE members (
    "group" TEXT NOT NULL,
    channel TEXT NOT NULL,
    joined REAL NOT NULL,
    expires REAL NOT NULL,
    PRIMARY KEY ("group", channel)
) WITHOUT ROWID;
CREATE TABLE readers (
    name TEXT PRIMARY KEY,
    pid INTEGER NOT NULL,
    position INTEGER NOT NULL,
    seen REAL NOT NULL
) WITHOUT ROWID;
"""

PATIENCE = 5.0
"""Seconds that a write waits while others write."""

NAPS = 0.01
"""Seconds of SQLite's naps in one attempt to write. They grow, in the end to 100 ms: who is unlucky would starve."""

JOURNAL_BYTES = 4 * 2**20
"""What is kept of SQLite's write-ahead log when it has grown beyond that."""

Identity = tuple[int, int]


class DamagedFileError(LayerError):
    """The file is damaged and was set aside: the next attempt finds a new one."""


class LockedFileError(LayerError):
    """Somebody else has kept the file locked."""


class Session:
    """The connection of one thread to the file.

    It is opened when it is needed, anew after an error, and anew when the file is not the same any more: deleted, or
    set aside by another process. All errors are LayerError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self.identity: Identity | None = None
        """Which file it is; None before the first."""
        self.opened = 0
        """How often a connection was opened."""

    @contextmanager
    def use(self, look_closely: bool = True) -> Iterator[sqlite3.Connection]:
        """The connection, outside of a transaction. Whether it is still the same file takes a close look."""
        try:
            yield self._connect(look_closely)
        except sqlite3.Error as error:
            self.close()
            if _primary_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                _set_aside(self._path, self.identity, error)
                raise DamagedFileError(f"The file {self._path} of the channel layer was damaged: {error}.") from error
            raise _explained(self._path, error) from error
        except OSError as error:
            self.close()
            raise LayerError(f"The channel layer cannot use {self._path}: {error}.") from error

    @contextmanager
    def transaction(self, patience: float | None = None) -> Iterator[sqlite3.Connection]:
        """The connection in a transaction that may write; it is committed at the end, or undone by an exception."""
        with self.use() as connection:
            _begin(connection, PATIENCE if patience is None else patience)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Closes the connection; the next use opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connect(self, look_closely: bool) -> sqlite3.Connection:
        if self._connection is None or (look_closely and _identity(self._path) != self.identity):
            self.close()
            _make(self._path)
            self.identity = _identity(self._path)
            self._connection = _open(self._path)
            self.opened += 1
        return self._connection


def _identity(path: Path) -> Identity | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - called 50 times a second
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _make(path: Path) -> None:
    """An empty file that is only ours, if there is none."""
    with suppress(FileExistsError):
        path.parent.mkdir(mode=0o700, parents=True)
        (path.parent / ".gitignore").write_text("*\n")
    # An existing file must only be opened by SQLite: closing it would give up all locks that this process has on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if _is_empty(connection):
        # Two that turn one file into WAL at the same time: SQLite lets one of them fail, and does not wait.
        with _alone_in(path.parent):
            _make_tables(connection, path)
    if (found := _pragma(connection, "application_id")) != APPLICATION_ID:
        raise LayerError(f"{path} is not a file of the channel layer (application id {found}): choose another path.")
    if (version := _pragma(connection, "user_version")) != VERSION:
        raise LayerError(
            f"{path} was made by another version of the channel layer ({version}, not {VERSION}): stop all processes"
            " that use it, and delete it."
        )
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
    connection.execute(f"PRAGMA busy_timeout = {NAPS * 1_000:.0f}")


def _is_empty(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def _make_tables(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise LayerError(f"The file system of {path} has no shared memory between processes: choose a local one.")
    _begin(connection, PATIENCE)
    if _is_empty(connection):  # Otherwise another process was quicker.
        for statement in filter(str.strip, SCHEMA.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def _begin(connection: sqlite3.Connection, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if _primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        else:
            return


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


_NO_PERMISSION = (
    "this process may not write it: give it and its folder to the user of this process, or choose another path"
)
_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: _NO_PERMISSION,
    sqlite3.SQLITE_CANTOPEN: _NO_PERMISSION,
    sqlite3.SQLITE_PERM: _NO_PERMISSION,
}


def _explained(path: Path, error: sqlite3.Error) -> LayerError:
    code = _primary_code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LockedFileError(f"The file {path} of the channel layer is locked by another program.")
    return LayerError(f"The channel layer cannot use {path}: {_REASONS.get(code, 'SQLite says')} ({error}).")


def _set_aside(path: Path, identity: Identity | None, error: Exception) -> None:
    with _alone_in(path.parent):
        if identity is None or _identity(path) != identity:
            return  # Another process was quicker.
        aside = f"{path}.damaged-{time.strftime('%Y%m%d-%H%M%S')}"
        # The file itself last: a new one must not meet the old one's journal.
        for suffix in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                os.replace(f"{path}{suffix}", f"{aside}{suffix}")  # noqa: PTH105 - suffixes are not parts of paths
    logger.error(
        "The file %s of the channel layer is damaged (%s). It is now %s, and a new one is used;"
        " messages that were in it and not yet read are lost.",
        path,
        error,
        aside,
    )


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One process at a time."""
    if sys.platform == "win32":  # Open files cannot be renamed there anyway.
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
