"""What the triggers have written, as changes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field
from django.db.utils import DataError, ProgrammingError

from ..declaration import Bridge
from ..rows import State
from ..transactions import Change, merge
from .installation import key_fields, stored_fields
from .queries import fetch
from .statements import OUTBOX, quoted

logger = logging.getLogger(__name__)

Numbered = tuple[int, int, Change]
"""A change behind its number and that of its transaction."""


class Outbox:
    """The committed changes that nobody has been told of yet, in one database."""

    def __init__(self, connection: BaseDatabaseWrapper, bridges: Mapping[str, Bridge]) -> None:
        self._connection = connection
        self._bridges = bridges

    def waiting(self) -> list[int]:
        """The numbers of all transactions, in the order of their last changes.

        Of two that changed the same row, this is the order of their commits: the second one had to wait.
        """
        found = fetch(self._connection, f"SELECT xid FROM {quoted(OUTBOX)} GROUP BY xid ORDER BY max(id)")
        return [xid for (xid,) in found]

    def has_silent(self) -> bool:
        """Whether there are transactions without a notification."""
        ((found,),) = fetch(self._connection, f"SELECT EXISTS (SELECT FROM {quoted(OUTBOX)} WHERE NOT is_notified)")
        return bool(found)

    def changes(self, xids: Sequence[int]) -> dict[int, list[Change]]:
        """What each of these transactions has changed, one change for each row."""
        labels = fetch(self._connection, f"SELECT DISTINCT model FROM {quoted(OUTBOX)} WHERE xid = ANY(%s)", list(xids))
        found: list[Numbered] = [change for (label,) in labels for change in self._changes_of(label, xids)]
        found.sort(key=lambda change: change[0])
        by_xid: dict[int, list[Change]] = {xid: [] for xid in xids}
        for _, xid, change in found:
            by_xid[xid].append(change)
        return {xid: _put_together(changes) for xid, changes in by_xid.items()}

    def forget(self, xids: Sequence[int]) -> None:
        """They have been told."""
        with self._connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {quoted(OUTBOX)} WHERE xid = ANY(%s)", [list(xids)])

    def _changes_of(self, label: str, xids: Sequence[int]) -> list[Numbered]:
        bridge = self._bridges.get(label)
        if bridge is None:
            logger.warning(
                'Changes of %s are not told: the relay does not know of it. Start it again, and run "manage.py'
                ' gqlws_triggers", when GQLWS["MODELS"] has changed.',
                label,
            )
            return []
        try:
            return self._read(bridge, xids)
        except (DataError, ProgrammingError) as error:
            # It would be the same the next time, and all others would have to wait.
            logger.exception("%s: changes cannot be read, and are not told: %s", bridge, error)
            return []

    def _read(self, bridge: Bridge, xids: Sequence[int]) -> list[Numbered]:
        fields = stored_fields(bridge)
        table = self._connection.ops.quote_name(bridge.model._meta.db_table)
        columns = ", ".join(f"{row}.{quoted(str(field.column))}" for row in "ba" for field in fields)
        rows = fetch(
            self._connection,
            f"SELECT o.id, o.xid, o.relation, o.before IS NULL, o.after IS NULL, {_escaped(columns)}"
            f" FROM {quoted(OUTBOX)} o"
            # The columns get their types back, as if they were read from the table.
            f" LEFT JOIN LATERAL jsonb_populate_record(NULL::{_escaped(table)}, o.before) b ON true"
            f" LEFT JOIN LATERAL jsonb_populate_record(NULL::{_escaped(table)}, o.after) a ON true"
            " WHERE o.xid = ANY(%s) AND o.model = %s",
            list(xids),
            bridge.model._meta.label,
        )
        state = _state_reader(bridge, fields, self._connection)
        found = []
        for number, xid, relation, is_new, is_gone, *values in rows:
            before = None if is_new else state(values[: len(fields)])
            after = None if is_gone else state(values[len(fields) :])
            pk = (before or after or {})["pk"]
            relations = frozenset(filter(None, [relation]))
            found.append((number, xid, Change(bridge, pk, before, after, relations)))
        return found


def _put_together(changes: Sequence[Change]) -> list[Change]:
    merged = {(change.bridge, change.pk): change for change in merge(one for one in changes if not one.relations)}
    for change in merge(one for one in changes if one.relations):
        # Its states are one in the middle of the transaction: they count only where the row itself did not change.
        row = merged.get((change.bridge, change.pk), change)
        merged[change.bridge, change.pk] = replace(row, relations=change.relations)
    return list(merged.values())


def _escaped(names: str) -> str:
    """For a query with parameters."""
    return names.replace("%", "%%")


def _state_reader(
    bridge: Bridge, fields: Sequence[Field[Any, Any]], connection: BaseDatabaseWrapper
) -> Callable[[Sequence[Any]], State]:
    """A function from the values of a row, as the database gives them, to its state."""
    readers = [_reader(field, connection) for field in fields]
    key = [field.attname for field in key_fields(bridge.model)]

    def read(values: Sequence[Any]) -> State:
        state = {field.attname: get(value) for field, get, value in zip(fields, readers, values, strict=True)}
        pk = tuple(state[name] for name in key)
        return {**state, "pk": pk if len(pk) > 1 else pk[0]}

    return read


def _reader(field: Field[Any, Any], connection: BaseDatabaseWrapper) -> Callable[[Any], Any]:
    column = field.get_col(field.model._meta.db_table)
    converters = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]

    def read(value: Any) -> Any:
        for convert in converters:
            value = convert(value, column, connection)
        return value

    return read
