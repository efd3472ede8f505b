"""The SQL: the table that changes are written into, and the functions that write them.

A function must never fail, and never mistake a column for something of its own: columns are qualified, names of ours
begin with ``gqlws_``, and all else is looked up in ``pg_catalog`` alone. It runs with the rights of its owner, so that
whoever may change a row need not know of the outbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.backends.utils import truncate_name

OUTBOX = "gqlws_outbox"
"""The table; in the schema that is the current one when it is made."""

CHANNEL = "gqlws"
"""What the relay listens to. A notification is the number of a transaction: one for each."""

MAX_ROWS = 1_000_000
"""Changes that wait for a relay; beyond, no more are written."""

BUSY = 0.5
"""How full PostgreSQL's queue of notifications may be. When it is full, everybody's commit would fail."""

EVENTS = {
    "insert": "AFTER INSERT ON {table} REFERENCING NEW TABLE AS gqlws_new",
    "update": "AFTER UPDATE ON {table} REFERENCING OLD TABLE AS gqlws_old NEW TABLE AS gqlws_new",
    "delete": "AFTER DELETE ON {table} REFERENCING OLD TABLE AS gqlws_old",
    # Afterwards there is nothing left to read.
    "truncate": "BEFORE TRUNCATE ON {table}",
}
"""When a trigger is called, and under which names it sees the rows."""

_NAME_LENGTH = 63 - len(".truncate")


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a constant."""
    return "'" + text.replace("'", "''") + "'"


def function_name(*parts: str) -> str:
    """The name of the function for a model, or for a relation of it; unique, and short enough for PostgreSQL."""
    return truncate_name("gqlws_" + ".".join(parts).lower(), _NAME_LENGTH)


def create_outbox(outbox: str) -> list[str]:
    """What makes the table."""
    return [
        f"CREATE TABLE {outbox} (\n"
        "    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n"
        "    xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),\n"
        "    model text NOT NULL,\n"
        "    relation text,\n"
        "    before jsonb,\n"
        "    after jsonb,\n"
        "    is_notified boolean NOT NULL\n"
        ")",
        f"CREATE INDEX ON {outbox} (xid)",
        f"CREATE INDEX ON {outbox} (id) WHERE NOT is_notified",
    ]


def create_function(function: str, body: str, comment: str) -> list[str]:
    """What makes a function, or replaces it."""
    return [
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
        f" SET search_path = pg_catalog, pg_temp AS $gqlws${body}$gqlws$",
        f"COMMENT ON FUNCTION {function}() IS {literal(comment)}",
    ]


def create_trigger(name: str, event: str, table: str, function: str) -> str:
    """What makes a trigger, or replaces it."""
    return f"CREATE OR REPLACE TRIGGER {quoted(name)} {EVENTS[event].format(table=table)} EXECUTE FUNCTION {function}()"


def row_body(outbox: str, label: str, table: str, columns: Sequence[str], key: Iterable[str]) -> str:
    """The function for a table of rows: each is written as it was and as it is, if there is a difference."""

    def rows(of: str, alias: str) -> str:
        return f"(SELECT {_columns(columns)} FROM {of} gqlws_r) {alias}"

    def write(before: str, after: str, source: str) -> str:
        return _write(outbox, label, "NULL", before, after, source)

    same = " AND ".join(f"gqlws_b.{quoted(name)} = gqlws_a.{quoted(name)}" for name in key)
    before, after = "to_jsonb(gqlws_b)", "to_jsonb(gqlws_a)"
    pairs = f"{rows('gqlws_old', 'gqlws_b')} FULL JOIN {rows('gqlws_new', 'gqlws_a')} ON {same}"
    return _body(
        outbox,
        label,
        insert=write("NULL", after, rows("gqlws_new", "gqlws_a")),
        update=write(before, after, f"{pairs} WHERE {before} IS DISTINCT FROM {after}"),
        delete=write(before, "NULL", rows("gqlws_old", "gqlws_b")),
        truncate=write(before, "NULL", rows(table, "gqlws_b")),
    )


def relation_body(
    outbox: str, label: str, relation: str, through: str, owner: str, table: str, target: str, columns: Sequence[str]
) -> str:
    """The function for the table behind a many-to-many field: the rows on the declaring side have changed.

    ``owner`` is the column of ``through`` that names them by their column ``target``.
    """

    def write(*sources: str) -> str:
        keys = " UNION ALL ".join(f"SELECT gqlws_t.{quoted(owner)} FROM {source} gqlws_t" for source in sources)
        rows = f"(SELECT {_columns(columns)} FROM {table} gqlws_r WHERE gqlws_r.{quoted(target)} IN ({keys})) gqlws_b"
        return _write(outbox, label, literal(relation), "to_jsonb(gqlws_b)", "to_jsonb(gqlws_b)", rows)

    return _body(
        outbox,
        label,
        insert=write("gqlws_new"),
        update=write("gqlws_old", "gqlws_new"),
        delete=write("gqlws_old"),
        truncate=write(through),
    )


def _columns(names: Iterable[str]) -> str:
    return ", ".join(f"gqlws_r.{quoted(name)}" for name in names)


def _write(outbox: str, label: str, relation: str, before: str, after: str, source: str) -> str:
    return (
        f"INSERT INTO {outbox} (model, relation, before, after, is_notified)\n"
        f"        SELECT {literal(label)}, {relation}, {before}, {after}, gqlws.is_notified\n"
        f"        FROM {source};"
    )


def _body(outbox: str, label: str, *, insert: str, update: str, delete: str, truncate: str) -> str:
    return f"""
<<gqlws>>
DECLARE
    is_notified boolean;
BEGIN
    IF (SELECT max(o.id) - min(o.id) FROM {outbox} o) > {MAX_ROWS} THEN
        RAISE WARNING 'Changes of % are not told: the outbox is full. Run "manage.py gqlws_relay".', {literal(label)};
        RETURN NULL;
    END IF;
    gqlws.is_notified := pg_notification_queue_usage() < {BUSY};
    IF TG_OP = 'INSERT' THEN
        {insert}
    ELSIF TG_OP = 'UPDATE' THEN
        {update}
    ELSIF TG_OP = 'DELETE' THEN
        {delete}
    ELSE
        {truncate}
    END IF;
    IF FOUND AND gqlws.is_notified THEN
        PERFORM pg_notify('{CHANNEL}', pg_current_xact_id()::text);
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'A change of % is not told: %', {literal(label)}, SQLERRM;
    RETURN NULL;
END
"""
