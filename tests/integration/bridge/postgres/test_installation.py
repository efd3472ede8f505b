"""`gqlws_triggers`, and what the system checks say of a database."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import Settings

from django_gqlws.bridge.postgres.checks import check_triggers
from tests.integration.bridge.conftest import Told
from tests.project.models import Shelf

from .conftest import MODELS, Follower, sql


@pytest.fixture
def clean(alias: str) -> Iterator[str]:
    """The alias of a database in which nothing is installed, before and after."""
    run(alias, remove=True)
    yield alias
    run(alias, remove=True)


def run(alias: str, command: str = "gqlws_triggers", **options: Any) -> str:
    """What the command prints."""
    output = StringIO()
    call_command(command, database=alias, stdout=output, stderr=StringIO(), **options)
    return output.getvalue()


def check(alias: str) -> list[str]:
    """The ids of what the system checks find."""
    messages = check_triggers(databases=[alias])
    assert all("gqlws_triggers" in (message.hint or "") for message in messages)
    return sorted({message.id or "" for message in messages})


def test_installed_twice(clean: str) -> None:
    """Nothing is left to do, and the second time changes nothing."""
    before = check(clean)
    run(clean)

    assert (before, check(clean), run(clean), run(clean, check=True)) == (["gqlws.W022"], [], "", "")


def test_a_dry_run(clean: str) -> None:
    """It prints what psql can execute, and changes nothing."""
    script = run(clean, dry_run=True)
    unchanged = check(clean)
    sql(clean, script)

    assert (unchanged, check(clean)) == (["gqlws.W022"], [])


def test_only_looking(clean: str) -> None:
    """The command fails if there is something to do, and changes nothing."""
    with pytest.raises(CommandError, match="mended"):
        run(clean, check=True)

    assert check(clean) == ["gqlws.W022"]


CHANGES = {
    "other fields": {**MODELS, "project.Product": {**MODELS["project.Product"], "fields": ["name"]}},
    "a model less": {"project.Product": MODELS["project.Product"]},
    "no model at all": {},
}


@pytest.mark.parametrize("models", CHANGES.values(), ids=CHANGES)
def test_the_settings_change(clean: str, settings: Settings, models: dict[str, Any]) -> None:
    """What is installed is made to fit, and what nobody needs is removed."""
    run(clean)
    settings.GQLWS = {**settings.GQLWS, "MODELS": models}
    before = check(clean)
    run(clean)

    # Without a model with triggers nobody looks into the database.
    assert (before, check(clean), run(clean)) == (["gqlws.W023"] if models else [], [], "")


def test_a_disabled_trigger(clean: str) -> None:
    """It is found, and enabled."""
    run(clean)
    sql(clean, 'ALTER TABLE project_product DISABLE TRIGGER "gqlws_project.product.update"')
    before = check(clean)
    run(clean)

    assert (before, check(clean)) == (["gqlws.W023"], [])


def test_a_database_that_is_no_postgresql(settings: Settings) -> None:
    """A warning says that nothing is told there; the commands refuse."""
    settings.GQLWS = {**settings.GQLWS, "MODELS": MODELS}
    (message,) = check_triggers(databases=["default"])

    assert message.id == "gqlws.W021"
    for command in ("gqlws_triggers", "gqlws_relay"):
        with pytest.raises(CommandError, match="no PostgreSQL"):
            run("default", command)


def test_a_role_without_rights(clean: str) -> None:
    """The command says which rights it takes, and has changed nothing."""
    sql(clean, "DROP ROLE IF EXISTS guest", "CREATE ROLE guest", "SET ROLE guest")
    try:
        with pytest.raises(CommandError, match="owns the tables"):
            run(clean)
    finally:
        sql(clean, "RESET ROLE", "DROP ROLE guest")

    assert check(clean) == ["gqlws.W022"]


def test_a_table_that_is_not_there(clean: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command asks for migrate."""
    with monkeypatch.context() as patch, pytest.raises(CommandError, match="migrate"):
        patch.setattr(Shelf._meta, "db_table", "nowhere")
        run(clean)


RELAYS = {
    "on the in-memory layer": ({}, "in-memory"),
    "without triggers": ({"CHANNEL_LAYERS": None}, "gqlws_triggers"),
    "without a model": ({"CHANNEL_LAYERS": None, "GQLWS": {}}, "No model"),
}


@pytest.mark.parametrize(("changed", "reason"), RELAYS.values(), ids=RELAYS)
def test_a_relay_that_cannot_begin(clean: str, settings: Settings, changed: dict[str, Any], reason: str) -> None:
    """It refuses, and says what is missing."""
    for name, value in changed.items():
        setattr(settings, name, value if value is not None else {"default": settings.LAYERS["sqlite"]})

    with pytest.raises(CommandError, match=reason):
        run(clean, "gqlws_relay")


ODD = 'odd"."she%lf (it\'s)'


def test_odd_names(clean: str, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables in other schemas, and names with all kinds of characters, are nothing special."""
    quoted = connections[clean].ops.quote_name(ODD)
    sql(
        clean,
        "CREATE SCHEMA odd",
        f'CREATE TABLE {quoted} ("Aisle" int, "gqlws_r%" int, found int, PRIMARY KEY ("Aisle", "gqlws_r%"))',
    )
    with monkeypatch.context() as patch:
        patch.setattr(Shelf._meta, "db_table", ODD)
        for name, column in (("aisle", "Aisle"), ("number", "gqlws_r%")):
            patch.setattr(Shelf._meta.get_field(name), "column", column)
        run(clean)
        with Follower(clean, told) as relay:
            sql(clean, f"INSERT INTO {quoted} VALUES (1, 2, 3)", f"TRUNCATE {quoted}")
            sql(clean, f"INSERT INTO {quoted} VALUES (1, 2, 3)")
            relay.begin()
        run(clean, remove=True)
        sql(clean, "DROP SCHEMA odd CASCADE")
    for field in Shelf._meta.concrete_fields:
        field.__dict__.pop("cached_col", None)  # With the name of the table.

    assert [(row.pk, row.event) for row in told.rows("project.Shelf")] == [((1, 2), "created")]
