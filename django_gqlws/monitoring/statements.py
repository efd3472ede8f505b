"""Many rows in few statements, and without an instance of a model for each: that would cost three times as much, of an
interpreter that the event loop wants, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from django.db import connections, models
from django.utils import timezone

from ..connection.tally import Counts
from .models import Subscription
from .registry import WrittenSubscription

Row = Mapping[str, Any]
"""The values of a row's fields; a foreign key's under the name of its attribute, such as ``process_id``."""

CHUNK = 500
"""Rows of one statement at most."""

_AS_THEY_ARE = (models.CharField, models.TextField, models.IntegerField)
"""Fields whose values need no look at each: the database takes them, and what makes rows has cut them."""


def insert(model: type[models.Model], rows: Sequence[Row], using: str) -> None:
    """Adds rows that have values for the same fields; the model's other ones are the database's affair."""
    if not rows:
        return
    connection, meta = connections[using], model._meta
    quote = connection.ops.quote_name
    fields: list[Any] = [meta.get_field(name) for name in rows[0]]
    into = f"INSERT INTO {quote(meta.db_table)} ({', '.join(quote(field.column) for field in fields)})"
    size = min(CHUNK, connection.ops.bulk_batch_size(fields, rows))
    prepare = _preparation(rows[0], fields, connection)
    with connection.cursor() as cursor:
        for chunk in (rows[start : start + size] for start in range(0, len(rows), size)):
            values = connection.ops.bulk_insert_sql(fields, cast(Any, [["%s"] * len(fields)] * len(chunk)))
            cursor.execute(f"{into} {values}", [value for row in chunk for value in prepare(row)])


def _preparation(names: Row, fields: Sequence[Any], connection: Any) -> Callable[[Row], list[Any]]:
    """What makes the values of a row those that the database takes."""
    changed = {
        name: getattr(field, "target_field", field).get_db_prep_save
        for name, field in zip(names, fields, strict=True)
        if not isinstance(field, _AS_THEY_ARE)
    }
    return lambda row: [
        changed[name](value, connection=connection) if name in changed else value for name, value in row.items()
    ]


def update_counts(counts: Sequence[tuple[WrittenSubscription, Counts]], using: str) -> None:
    """Writes what became of subscriptions: one prepared statement is ten times cheaper than ``bulk_update``."""
    if not counts:
        return
    connection, meta = connections[using], cast(Any, Subscription)._meta
    quote = connection.ops.quote_name
    columns = [quote(meta.get_field(name).column) for name in (*Counts._fields, "last_event")]
    assignments = ", ".join(f"{column} = %s" for column in columns)
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    to_database = meta.pk.get_db_prep_value
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quote(meta.db_table)} SET {assignments} WHERE {quote(meta.pk.column)} = %s",
            [(*new, now, to_database(known.id, connection)) for known, new in counts],
        )
