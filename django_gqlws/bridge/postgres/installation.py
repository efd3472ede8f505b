"""What a database must have so that changes are noticed, what it has, and the SQL in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model

from ..declaration import Bridge
from . import statements
from .queries import fetch
from .statements import EVENTS, OUTBOX, quoted

COMMENT = "django_gqlws: changes of {label}"
"""By this a function is known to be ours."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the settings say."""

    text: str
    statements: Sequence[str]
    """What mends it."""
    is_missing: bool = False
    """Whether it is not there at all."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One table whose changes are written down: one function, and a trigger for each event."""

    label: str
    """The model that the changes are told of."""
    name: str
    table: str
    body: str


class MissingTableError(Exception):
    """A table is not there yet."""


class Installation:
    """The outbox, the functions and the triggers in one database."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection

    def differences(self, bridges: Iterable[Bridge]) -> list[Difference]:
        """What is missing, is not as it should be, or is not wanted any more. Raises MissingTableError."""
        watches = [watch for bridge in bridges for watch in self._watches(bridge)]
        if not watches:
            return self.everything()
        return [*self._outbox_differences(), *self._function_differences(watches), *self._unwanted(watches)]

    def everything(self) -> list[Difference]:
        """All that is there, as something to remove."""
        table = self._qualified(quoted(OUTBOX))
        outbox = [] if table is None else [Difference("The outbox is there.", [f"DROP TABLE {table}"])]
        return [*self._unwanted([]), *outbox]

    # What there should be

    def _watches(self, bridge: Bridge) -> Iterator[Watch]:
        model, label = bridge.model, bridge.model._meta.label
        table, outbox = self._table(model), self._in_schema(OUTBOX)
        columns = [str(field.column) for field in stored_fields(bridge)]
        key = [str(field.column) for field in key_fields(model)]
        yield Watch(
            label, statements.function_name(label), table, statements.row_body(outbox, label, table, columns, key)
        )
        for field in model._meta.many_to_many:
            if field.name in bridge.reported:
                through: Any = field.remote_field.through
                owner: Any = through._meta.get_field(field.m2m_field_name())
                body = statements.relation_body(
                    outbox,
                    label,
                    relation=field.name,
                    through=self._table(through),
                    owner=owner.column,
                    table=table,
                    target=owner.target_field.column,
                    columns=columns,
                )
                yield Watch(label, statements.function_name(label, field.name), self._table(through), body)

    def _table(self, model: type[Model]) -> str:
        table = self._qualified(self._connection.ops.quote_name(model._meta.db_table))
        if table is None:
            raise MissingTableError(f"There is no table {model._meta.db_table} of {model._meta.label} yet.")
        return table

    # What there is

    def _outbox_differences(self) -> list[Difference]:
        if self._qualified(quoted(OUTBOX)) is not None:
            return []
        outbox = self._in_schema(OUTBOX)
        return [Difference(f"There is no outbox {outbox}.", statements.create_outbox(outbox), is_missing=True)]

    def _function_differences(self, watches: Iterable[Watch]) -> Iterator[Difference]:
        functions = self._functions()
        for watch in watches:
            function = self._in_schema(watch.name)
            create = statements.create_function(function, watch.body, COMMENT.format(label=watch.label))
            if watch.name not in functions:
                yield Difference(f"There is no function {function}.", create, is_missing=True)
            elif functions[watch.name] != watch.body:
                yield Difference(f"The function {function} is not what the settings of {watch.label} ask for.", create)
            yield from self._trigger_differences(watch, function)

    def _trigger_differences(self, watch: Watch, function: str) -> Iterator[Difference]:
        enabled = self._triggers(watch)
        for event in EVENTS:
            name = f"{watch.name}.{event}"
            create = statements.create_trigger(name, event, watch.table, function)
            if name not in enabled:
                yield Difference(f"{watch.table} has no trigger {quoted(name)}.", [create], is_missing=True)
            elif not enabled[name]:
                enable = f"ALTER TABLE {watch.table} ENABLE TRIGGER {quoted(name)}"
                yield Difference(f"The trigger {quoted(name)} of {watch.table} is disabled.", [create, enable])

    def _unwanted(self, watches: Iterable[Watch]) -> list[Difference]:
        wanted = {watch.name for watch in watches}
        return [
            # With its triggers.
            Difference(f"Nobody needs the function {function} any more.", [f"DROP FUNCTION {function}() CASCADE"])
            for name in self._functions()
            if name not in wanted
            for function in [self._in_schema(name)]
        ]

    def _functions(self) -> dict[str, str]:
        """The bodies of our functions, by name."""
        return dict(
            fetch(
                self._connection,
                "SELECT p.proname, p.prosrc FROM pg_proc p WHERE p.pronamespace = %s::regnamespace"
                " AND obj_description(p.oid, 'pg_proc') LIKE %s ORDER BY p.proname",
                quoted(self._schema),
                COMMENT.format(label="%"),
            )
        )

    def _triggers(self, watch: Watch) -> Mapping[str, bool]:
        """Whether the triggers of a function are enabled, by name."""
        return dict(
            fetch(
                self._connection,
                "SELECT t.tgname, t.tgenabled IN ('O', 'A') FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
                " WHERE t.tgrelid = to_regclass(%s) AND p.proname = %s AND p.pronamespace = %s::regnamespace",
                watch.table,
                watch.name,
                quoted(self._schema),
            )
        )

    # Names

    @cached_property
    def _schema(self) -> str:
        ((schema,),) = fetch(self._connection, "SELECT current_schema()")
        return str(schema)

    def _in_schema(self, name: str) -> str:
        return f"{quoted(self._schema)}.{quoted(name)}"

    def _qualified(self, table: str) -> str | None:
        """The quoted name of a table with its schema; None if there is none."""
        found = fetch(
            self._connection,
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.oid = to_regclass(%s)",
            table,
        )
        return next((f"{quoted(schema)}.{quoted(name)}" for schema, name in found), None)


def key_fields(model: type[Model]) -> Sequence[Field[Any, Any]]:
    """The columns of the primary key."""
    return model._meta.pk_fields


def stored_fields(bridge: Bridge) -> list[Field[Any, Any]]:
    """What is written down of a row."""
    return list(dict.fromkeys([*key_fields(bridge.model), *bridge.columns]))
