"""Rows as they are in the database, read before and after they change.

A single row is read before each save. Its statement is compiled once for each connection: to build and compile a
queryset takes longer than many a database takes to answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CompositePrimaryKey, Field, Model, QuerySet

from .rows import State

Columns: TypeAlias = "Sequence[Field[Any, Any]]"


def read_rows(model: type[Model], columns: Columns, pks: Iterable[Any], using: str) -> dict[Any, State]:
    """The rows by primary key; those that are not there are missing."""
    pks, found = list(pks), {}
    size = connections[using].ops.bulk_batch_size([model._meta.pk], pks) or 1
    rows = _rows(model, columns, using)
    for start in range(0, len(pks), size):
        for pk, *values in rows.filter(pk__in=pks[start : start + size]):
            found[pk] = _state(columns, pk, values)
    return found


def read_row(model: type[Model], columns: Columns, pk: Any, using: str) -> State | None:
    """The row with a primary key, if it is there."""
    if isinstance(model._meta.pk, CompositePrimaryKey):
        return read_rows(model, columns, [pk], using).get(pk)
    connection = connections[using]
    statement = _thread.statements.get((model, using))
    if statement is None or not statement.is_for(columns, connection):
        statement = _thread.statements[model, using] = _Statement(model, columns, connection, pk)
    return statement.read(pk)


class _Statement:
    """A compiled ``SELECT`` of one row, made for the first key that was asked for."""

    def __init__(self, model: type[Model], columns: Columns, connection: BaseDatabaseWrapper, pk: Any) -> None:
        self._columns = columns
        self._connection = connection
        self._pk: Any = model._meta.pk
        rows = _rows(model, columns, connection.alias).filter(pk=pk)
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
        self.statements: dict[tuple[type[Model], str], _Statement] = {}


_thread = _Thread()


def _rows(model: type[Model], columns: Columns, using: str) -> QuerySet[Any, Any]:
    # Not by a manager: one of the user's may hide rows.
    return QuerySet(model, using=using).values_list("pk", *(field.attname for field in columns))


def _state(columns: Columns, pk: Any, values: Iterable[Any]) -> State:
    state = {field.attname: value for field, value in zip(columns, values, strict=True)}
    state["pk"] = pk
    return state
