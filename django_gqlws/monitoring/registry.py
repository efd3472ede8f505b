"""The clients of one event loop, and how far the database has been told of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from ..connection.connection import Connection
from ..connection.operation import Operation
from ..connection.tally import Counts

MAX_GROUPS = 1_000
"""Groups of one subscription that are shown: a client that joins more takes no beat from the others."""

SLICE = 100
"""Connections that are looked at between two looks at everything else that the event loop has to do."""


@dataclass(slots=True)
class WrittenSubscription:
    """What the database was told of a subscription."""

    id: UUID
    counts: Counts
    changes: int
    """Of its groups."""


@dataclass(slots=True)
class WrittenConnection:
    """What the database was told of a connection."""

    id: UUID
    user: Any
    """The object, which tells whether it is still the same user."""
    subscriptions: dict[Operation, WrittenSubscription] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """One that the database does not know yet."""

    id: UUID
    connection: Connection
    connection_id: UUID
    operation: Operation
    field: str
    topic: str
    groups: list[str]
    """Empty for a native stream."""
    counts: Counts
    changes: int


@dataclass(slots=True)
class Changes:
    """What is to be written; what does not find room waits for the next beat."""

    room: int
    """Rows that may still be added. The last subscription may take more, with all of its groups."""
    connections: list[tuple[UUID, Connection]] = field(default_factory=list)
    users: list[tuple[UUID, Connection, Any]] = field(default_factory=list)
    subscriptions: list[NewSubscription] = field(default_factory=list)
    counts: list[tuple[WrittenSubscription, Counts]] = field(default_factory=list)
    groups: list[tuple[WrittenSubscription, str, list[str], int]] = field(default_factory=list)
    closed: list[tuple[UUID, Connection]] = field(default_factory=list)
    ended: list[tuple[UUID, Connection, Operation]] = field(default_factory=list)
    living_connections: int = 0
    living_subscriptions: int = 0
    unwritten: int = 0
    """Connections and subscriptions that have found no room."""
    undeleted: int = 0
    """The same, of those that are gone; a connection's subscriptions may hide others."""

    def take(self, rows: int = 1) -> bool:
        """Whether there is room, which so many rows take then."""
        if self.room <= 0:
            return False
        self.room -= rows
        return True


class Registry:
    """Knows the clients that are connected, and which rows the database has.

    What is to be written is the difference between the two: nothing is queued, so nothing can pile up, however many
    come and go and however long the database is away.
    """

    def __init__(self) -> None:
        self._connections: dict[Connection, None] = {}
        self._written: dict[Connection, WrittenConnection] = {}
        self._offset = 0
        self.connections: dict[str, Connection] = {}
        """Those that the database knows, by the id of their row."""
        self.subscriptions: dict[str, Operation] = {}
        """The same."""

    def enter(self, connection: Connection) -> None:
        """A client has come."""
        self._connections[connection] = None

    def leave(self, connection: Connection) -> None:
        """A client has gone."""
        self._connections.pop(connection, None)

    @property
    def is_empty(self) -> bool:
        """Whether nobody is connected."""
        return not self._connections

    def __iter__(self) -> Iterator[Connection]:
        """The clients that have been let in."""
        return (connection for connection in tuple(self._connections) if connection.since is not None)

    async def changes(self, room: int) -> Changes:
        """What the database should be told, up to so many rows."""
        changes = Changes(room)
        self._find_gone(changes)
        living = list(self)
        start = self._offset % max(len(living), 1)
        self._offset = 0
        for number, connection in enumerate(living[start:] + living[:start]):
            has_room = changes.room > 0
            self._compare(connection, changes)
            if has_room and changes.room <= 0:
                # The next beat begins with those that it was too late for. Who had all of this one waits, too.
                self._offset = start + max(number, 1)
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        return changes

    def wrote(self, changes: Changes) -> None:
        """The database has been told."""
        for id, connection in changes.closed:
            del self._written[connection], self.connections[str(id)]
        for id, connection, operation in changes.ended:
            if connection in self._written:
                del self._written[connection].subscriptions[operation]
            del self.subscriptions[str(id)]
        for id, connection in changes.connections:
            self._written[connection] = WrittenConnection(id, connection.scope.get("user"))
            self.connections[str(id)] = connection
        for _, connection, user in changes.users:
            self._written[connection].user = user
        for new in changes.subscriptions:
            written = WrittenSubscription(new.id, new.counts, new.changes)
            self._written[new.connection].subscriptions[new.operation] = written
            self.subscriptions[str(new.id)] = new.operation
        for written, counts in changes.counts:
            written.counts = counts
        for written, _, _, number in changes.groups:
            written.changes = number

    def forget(self) -> None:
        """The database has lost what it was told."""
        self._written.clear()
        self.connections.clear()
        self.subscriptions.clear()

    # Comparing

    def _find_gone(self, changes: Changes) -> None:
        for connection, written in self._written.items():
            if connection not in self._connections:
                self._find_ended(connection, written, set(), changes)
                if not changes.take():
                    changes.undeleted += 1
                    return
                changes.closed.append((written.id, connection))

    def _find_ended(
        self, connection: Connection, written: WrittenConnection, living: set[Operation], changes: Changes
    ) -> None:
        for operation, subscription in written.subscriptions.items():
            if operation in living:
                continue
            if changes.take():
                changes.ended.append((subscription.id, connection, operation))
            else:
                changes.undeleted += 1

    def _compare(self, connection: Connection, changes: Changes) -> None:
        living = {operation for operation in connection.operations if operation.tally is not None}
        changes.living_connections += 1
        changes.living_subscriptions += len(living)
        written = self._written.get(connection)
        if written is None:
            if not changes.take():
                changes.unwritten += 1 + len(living)
                return
            written = WrittenConnection(uuid4(), connection.scope.get("user"))
            changes.connections.append((written.id, connection))
        else:
            self._find_ended(connection, written, living, changes)
            user = connection.scope.get("user")
            if user is not written.user and changes.take():
                changes.users.append((written.id, connection, user))
        for operation in living:
            known = written.subscriptions.get(operation)
            if known is None:
                self._list(connection, written.id, operation, changes)
            else:
                self._compare_subscription(operation, known, changes)

    def _compare_subscription(self, operation: Operation, known: WrittenSubscription, changes: Changes) -> None:
        counts = operation.counts
        if counts != known.counts and changes.take():
            changes.counts.append((known, counts))
        membership = operation.membership
        if membership is not None and membership.changes != known.changes:
            names = membership.names[:MAX_GROUPS]
            if changes.take(len(names)):
                changes.groups.append((known, membership.topic, names, membership.changes))

    def _list(self, connection: Connection, connection_id: UUID, operation: Operation, changes: Changes) -> None:
        membership = operation.membership
        names = [] if membership is None else membership.names[:MAX_GROUPS]
        if not changes.take(1 + len(names)):
            changes.unwritten += 1
            return
        changes.subscriptions.append(
            NewSubscription(
                uuid4(),
                connection,
                connection_id,
                operation,
                operation.field,
                "" if membership is None else membership.topic,
                names,
                operation.counts,
                0 if membership is None else membership.changes,
            )
        )
