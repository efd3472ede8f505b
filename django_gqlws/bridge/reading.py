"""Rows as they are in the database, read before and after they change.

A single row is read before each save. Its statement is compiled once for each connection: to build and compile a
queryset takes longer than many a database takes to answer.

In a transaction, who is about to change rows *holds* them while reading: nobody else changes them in between, and what
was read is what the change replaces. That takes the lock of the change itself, a moment earlier. On databases whose
locks for reading are more than that (MySQL's are for gaps, too) nothing is held.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from django.db import DatabaseError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CompositePrimaryKey, Field, Model, QuerySet

from .rows import State

Columns: TypeAlias = "Sequence[Field[Any, Any]]"


def read_rows(
    model: type[Model], columns: Columns, pks: Iterable[Any], using: str, hold: bool = False
) -> dict[Any, State]:
    """The rows by primary key; those that are not there are missing."""
    connection = connections[using]
    pks, found = list(pks), {}
    size = connection.ops.bulk_batch_size([model._meta.pk], pks) or 1
    rows = _rows(model, columns, using)
    if hold and connection.in_atomic_block:
        _begin_to_write(connection, model)
        if connection.features.has_select_for_no_key_update:
            rows = rows.select_for_update(no_key=True)
    for start in range(0, len(pks), size):
        for pk, *values in rows.filter(pk__in=pks[start : start + size]):
            found[pk] = _state(columns, pk, values)
    return found


def read_row(model: type[Model], columns: Columns, pk: Any, using: str, hold: bool = False) -> State | None:
    """The row with a primary key, if it is there."""
    if isinstance(model._meta.pk, CompositePrimaryKey):
        return read_rows(model, columns, [pk], using, hold).get(pk)
    connection = connections[using]
    hold = hold and connection.in_atomic_block
    key = model, using, hold
    statement = _thread.statements.get(key)
    if statement is None or not statement.is_for(columns, connection):
        statement = _thread.statements[key] = _Statement(model, columns, connection, pk, hold)
    if hold:
        _begin_to_write(connection, model)
    return statement.read(pk)


def breaks_transaction(error: Exception, using: str) -> bool:
    """Whether what a read has raised makes every later statement of the transaction fail, or would come again."""
    connection = connections[using]
    if not connection.in_atomic_block:
        return False
    return isinstance(error, DatabaseError if connection.vendor == "postgresql" else OperationalError)


def _begin_to_write(connection: BaseDatabaseWrapper, model: type[Model]) -> None:
    # SQLite lets a transaction that has read fail when it begins to write and somebody else has written meanwhile.
    if connection.vendor == "sqlite":
        quote = connection.ops.quote_name
        key: Any = model._meta.pk.column
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {quote(model._meta.db_table)} SET {quote(key)} = {quote(key)} WHERE 0")


class _Statement:
    """A compiled ``SELECT`` of one row, made for the first key that was asked for."""

    def __init__(
        self, model: type[Model], columns: Columns, connection: BaseDatabaseWrapper, pk: Any, hold: bool
    ) -> None:
        self._columns = columns
        self._connection = connection
        self._pk: Any = model._meta.pk
        rows = _rows(model, columns, connection.alias).filter(pk=pk)
        if hold and connection.features.has_select_for_no_key_update:
            rows = rows.select_for_update(no_key=True)
        self._compiler: Any = rows.query.get_compiler(connection=connection)
        self._sql, _ = self._compiler.as_sql()
        self._converters = self._compiler.get_converters([column for column, *_ in self._compiler.select])

    def is_for(self, columns: Columns, connection: BaseDatabaseWrapper) -> bool:
        """Whether it reads these columns over this connection."""
        return self._columns is columns and self._connection is connection

    def read(self, pk: Any) -> State | None:
        """The row, if it is there."""
        with self._connection.cursor() as cursor:
            cursor.execute(self._sql, [self._pk.get_db_prep_value(pk, self._connection)])
            rows = cursor.fetchmany(1)
        for pk, *values in self._compiler.apply_converters(rows, self._converters):
            return _state(self._columns, pk, values)
        return None


class _Thread(threading.local):
    """The statements of a thread: its connections are its own."""

    def __init__(self) -> None:
        self.statements: dict[tuple[type[Model], str, bool], _Statement] = {}


_thread = _Thread()


def _rows(model: type[Model], columns: Columns, using: str) -> QuerySet[Any, Any]:
    # Not by a manager: one of the user's may hide rows.
    return QuerySet(model, using=using).values_list("pk", *(field.attname for field in columns))


def _state(columns: Columns, pk: Any, values: Iterable[Any]) -> State:
    state = {field.attname: value for field, value in zip(columns, values, strict=True)}
    state["pk"] = pk
    return state
