"""What changed in a transaction, told after its commit, as a whole.

Django keeps the callbacks of ``on_commit`` by savepoint and drops those of a savepoint that is rolled back. So the
changes are kept in *segments*, one for each stretch between savepoints, and each is a callback that nobody but Django
holds. When the first callback is called, the transaction is committed, and the segments that are still there are all
that was not rolled back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary, ref

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from .declaration import Bridge
from .rows import State


# Not frozen: that would be most of what one of ten thousand takes.
@dataclass(slots=True)
class Change:
    """A row before and after; None: there was, or is, no such row."""

    bridge: Bridge
    pk: object
    before: State | None
    after: State | None
    relations: frozenset[str] = frozenset()
    """Many-to-many fields that changed."""
    since: int | None = None
    """When ``before`` was read, if that was not right now: a save may have another one within it, noted before it."""

    def then(self, later: Change) -> Change:
        """Both as one change."""
        is_around = later.since is not None and self.since is not None and later.since < self.since
        first = later if is_around else self
        # Django tells of a deletion before it deletes: what changes a row that is there does not bring it back.
        after = None if self.after is None and later.before is not None else later.after
        return Change(self.bridge, self.pk, first.before, after, self.relations | later.relations, first.since)


def merge(changes: Iterable[Change]) -> list[Change]:
    """The changes of a transaction, one for each row."""
    merged: list[Change] = []
    # By bridge and key, and not by a pair: each object of ten thousand rows is one more for the garbage collector.
    places: defaultdict[Bridge, dict[object, int]] = defaultdict(dict)
    for change in changes:
        place = places[change.bridge].setdefault(change.pk, len(merged))
        if place == len(merged):
            merged.append(change)
        else:
            merged[place] = merged[place].then(change)
    return merged


Deliver = Callable[[Sequence[Change], str], None]
"""Gets the changes of a committed transaction, one for each row, and the alias of their database."""


class _Segment:
    __slots__ = ("__weakref__", "changes", "savepoints", "transaction")

    def __init__(self, transaction: _Transaction, savepoints: Sequence[object]) -> None:
        self.transaction = transaction
        self.savepoints = savepoints
        self.changes: list[Change] = []

    def __call__(self) -> None:
        self.transaction.finish()


class _Transaction:
    def __init__(self, connection: BaseDatabaseWrapper, deliver: Deliver) -> None:
        self._connection = ref(connection)
        self._using = connection.alias
        self._deliver = deliver
        self._segments: list[ref[_Segment]] = []
        self.is_over = False

    def note(self, changes: Sequence[Change], connection: BaseDatabaseWrapper) -> None:
        last = self._segments[-1]() if self._segments else None
        savepoints = tuple(connection.savepoint_ids)
        # The last callback of all, or else it may be one of an earlier transaction, whose callbacks are being called.
        if last is not None and last.savepoints == savepoints and _is_last(last, connection):
            last.changes.extend(changes)
            return
        self._segments = [segment for segment in self._segments if segment() is not None]
        last = _Segment(self, savepoints)
        last.changes.extend(changes)
        self._segments.append(ref(last))
        # Outside of a transaction it is called at once.
        connection.on_commit(last, robust=True)

    def finish(self) -> None:
        if self.is_over:
            return
        self.is_over = True
        segments = filter(None, [segment() for segment in self._segments])
        self._deliver(merge(change for segment in segments for change in segment.changes), self._using)


def _is_last(segment: _Segment, connection: BaseDatabaseWrapper) -> bool:
    callbacks = connection.run_on_commit
    return bool(callbacks) and callbacks[-1][1] is segment


class Collector:
    """Notes the changes of all connections; ``deliver`` gets them by transaction, in the order of the commits."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._open: WeakKeyDictionary[BaseDatabaseWrapper, _Transaction] = WeakKeyDictionary()

    def note(self, using: str, *changes: Change) -> None:
        """Takes changes in. They are delivered after the commit on that database, or now if there is no transaction."""
        connection = connections[using]
        current = self._open.get(connection)
        if current is None or current.is_over:
            current = self._open[connection] = _Transaction(connection, self._deliver)
        current.note(changes, connection)
