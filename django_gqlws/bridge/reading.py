"""Rows as they are in the database, read before and after they change.

A single row is read before each save. Its statement is compiled once for each connection: to build and compile a
queryset takes longer than many a database takes to answer.

In a transaction, who is about to change rows *holds* them while reading: nobody else changes them in between, and what
was read is what the change replaces. That takes the lock of the change itself, a moment earlier. Where it would take
more than that, nothing is held: on databases whose locks for reading are for gaps, too (MySQL's), and for many rows of
a child of another model, which are joined to those of its parent. A single one is held in each table that is written,
in the order in which Django writes them: in another, two who change it might wait for each other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

from django.db import DatabaseError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CompositePrimaryKey, Field, Model, QuerySet

from .rows import State

Columns: TypeAlias = "Sequence[Field[Any, Any]]"

Rows = TypeVar("Rows", bound="QuerySet[Any]")


def read_rows(
    model: type[Model], columns: Columns, key: Field[Any, Any], values: Iterable[Any], using: str, hold: bool = False
) -> dict[Any, State]:
    """The rows with these values of a key, by primary key; those that are not there are missing."""
    connection = connections[using]
    rows = _rows(model, columns, using)
    if hold and connection.in_atomic_block:
        begin_to_write(model, using)
        rows = _held(rows, connection)
    values, found = list(values), {}  # It may be a query, which reads, too.
    size = connection.ops.bulk_batch_size([key], values) or 1
    for start in range(0, len(values), size):
        for pk, *row in rows.filter(**{f"{key.name}__in": values[start : start + size]}):
            found[pk] = _state(columns, pk, row)
    return found


def read_row(
    model: type[Model], columns: Columns, key: Field[Any, Any], value: Any, using: str, hold: bool = False
) -> State | None:
    """The row with a value of a key, if it is there. ``None`` is the key of none."""
    if value is None:
        return None
    connection = connections[using]
    hold = hold and connection.in_atomic_block
    if isinstance(key, CompositePrimaryKey):
        return read_rows(model, columns, key, [value], using, hold).get(value)
    name = model, key.name, using, hold
    statement = _thread.statements.get(name)
    if statement is None or not statement.is_for(columns, connection):
        statement = _thread.statements[name] = _Statement(model, columns, key, connection, value, hold)
    if hold:
        begin_to_write(model, using)
    return statement.read(value)


def hold_tables(instance: Model, tables: Iterable[type[Model]], using: str) -> None:
    """Holds the row of an instance of several tables in these, in this order."""
    connection = connections[using]
    if connection.in_atomic_block and connection.features.has_select_for_no_key_update:
        for table in tables:
            if (key := key_in(table, instance)) is not None:
                list(_rows(table, (), using).filter(pk=key).select_for_update(no_key=True))


def key_in(model: type[Model], instance: Model) -> Any:
    """The primary key of the row of a model that an instance, of a child perhaps, stands for; None: it has none yet."""
    key: Any = model._meta.pk
    value = getattr(instance, key.attname)
    if value is None and (link := _link_to(model, type(instance))) is not None:
        # Django fills in the parent's key while it saves.
        value = key_in(link.model, instance) if link.primary_key else getattr(instance, link.attname)
    # What the user has given may be text.
    return key.to_python(value)


def _link_to(parent: type[Model], child: type[Model]) -> Field[Any, Any] | None:
    """What refers to a parent, directly, in a child or between the two."""
    line = [child, *child._meta.get_base_chain(parent)]
    return line[-2]._meta.parents[parent] if len(line) > 1 else None


def begin_to_write(model: type[Model], using: str) -> None:
    """In a transaction, before rows are read that are about to change.

    SQLite lets a transaction that has read fail when it begins to write and somebody else has written meanwhile.
    """
    connection = connections[using]
    if connection.vendor == "sqlite" and connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)} WHERE 0")


def only_read(rows: Rows, key: Field[Any, Any], values: Sequence[Any]) -> Rows:
    """Of the rows of a query those that were read, and not what it would find since.

    On SQLite nobody else has written meanwhile. What is too long for a statement stays as it is.
    """
    connection = connections[rows.db]
    is_short = connection.ops.bulk_batch_size([key], values) >= len(values)
    must_say = connection.features.has_select_for_no_key_update and is_short
    return rows.filter(**{f"{key.name}__in": values}) if must_say else rows


def breaks_transaction(error: Exception, using: str) -> bool:
    """Whether what a read has raised makes every later statement of the transaction fail, or would come again."""
    connection = connections[using]
    if not connection.in_atomic_block:
        return False
    return isinstance(error, DatabaseError if connection.vendor == "postgresql" else OperationalError)


def _held(rows: QuerySet[Any, Any], connection: BaseDatabaseWrapper) -> QuerySet[Any, Any]:
    can_hold = connection.features.has_select_for_no_key_update and not rows.model._meta.parents
    return rows.select_for_update(no_key=True) if can_hold else rows


class _Statement:
    """A compiled ``SELECT`` of one row, made for the first key that was asked for."""

    def __init__(
        self,
        model: type[Model],
        columns: Columns,
        key: Field[Any, Any],
        connection: BaseDatabaseWrapper,
        value: Any,
        hold: bool,
    ) -> None:
        self._columns = columns
        self._connection = connection
        self._key = key
        rows = _rows(model, columns, connection.alias).filter(**{key.name: value})
        if hold:
            rows = _held(rows, connection)
        self._compiler: Any = rows.query.get_compiler(connection=connection)
        self._sql, _ = self._compiler.as_sql()
        self._converters = self._compiler.get_converters([column for column, *_ in self._compiler.select])
        self._cursor: Any = None
        self._made_for: tuple[Any, bool] | None = None

    def is_for(self, columns: Columns, connection: BaseDatabaseWrapper) -> bool:
        """Whether it reads these columns over this connection."""
        return self._columns is columns and self._connection is connection

    def read(self, value: Any) -> State | None:
        """The row, if it is there."""
        cursor = self._open()
        cursor.execute(self._sql, [self._key.get_db_prep_value(value, self._connection)])
        # All, or else SQLite would believe that there is more to be read.
        rows = cursor.fetchall()
        for pk, *values in self._compiler.apply_converters(rows, self._converters):
            return _state(self._columns, pk, values)
        return None

    def _open(self) -> Any:
        # A cursor finds out how values are converted, which is more work than to convert those of one row.
        wrapper = self._connection
        # With CONN_HEALTH_CHECKS the first statement of a request makes a lost connection anew.
        wrapper.close_if_health_check_failed()
        if self._cursor is None or self._made_for != (wrapper.connection, wrapper.queries_logged):
            self._cursor = wrapper.cursor()
            self._made_for = wrapper.connection, wrapper.queries_logged
        return self._cursor


class _Thread(threading.local):
    """The statements of a thread: its connections are its own."""

    def __init__(self) -> None:
        self.statements: dict[tuple[type[Model], str, str, bool], _Statement] = {}


_thread = _Thread()


def _rows(model: type[Model], columns: Columns, using: str) -> QuerySet[Any, Any]:
    # Not by a manager: one of the user's may hide rows.
    return QuerySet(model, using=using).values_list("pk", *(field.attname for field in columns))


def _state(columns: Columns, pk: Any, values: Iterable[Any]) -> State:
    state = {field.attname: value for field, value in zip(columns, values, strict=True)}
    state["pk"] = pk
    return state
