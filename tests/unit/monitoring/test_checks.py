"""The system checks of the registry."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.db import connections
from django.test import override_settings

from django_gqlws.monitoring import Process
from django_gqlws.monitoring.checks import ROUTER, check_monitoring, check_tables

SITUATIONS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "by default": ({}, []),
    "switched off": ({"MONITORING": False, "MONITORING_LEASE": 1}, []),
    "another database without the router": ({"MONITORING_DATABASE": "other"}, ["gqlws.E030"]),
    "a lease that is too short": ({"MONITORING_LEASE": 5, "MONITORING_INTERVAL": 5}, ["gqlws.W032"]),
    "settings that are wrong": ({"NO_SUCH": 1}, []),
}


def ids(messages: list[CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


@pytest.mark.parametrize(("values", "found"), SITUATIONS.values(), ids=SITUATIONS)
def test_settings(values: dict[str, Any], found: list[str]) -> None:
    """What would keep the registry from being written is said before the server starts."""
    with override_settings(GQLWS={"SCHEMA": "tests.project.schema.schema", **values}):
        assert ids(check_monitoring()) == found


def test_another_database_with_the_router() -> None:
    """The models go where the setting says."""
    with override_settings(GQLWS={"MONITORING_DATABASE": "other"}, DATABASE_ROUTERS=[ROUTER]):
        assert check_monitoring() == []
        assert Process.objects.db == "other"


def test_sqlite_without_immediate_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write of ours would make the project's own transactions fail: it is told what to write."""
    connection = connections["default"]
    options = copy.deepcopy(connection.settings_dict)
    del options["OPTIONS"]["transaction_mode"]
    monkeypatch.setattr(connection, "settings_dict", options)

    with override_settings(GQLWS={}):
        (found,) = check_monitoring()

    assert found.id == "gqlws.W031"
    assert '"transaction_mode": "IMMEDIATE"' in str(found.hint)


@pytest.mark.django_db
def test_tables_that_do_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked of the database that has them, and of no other; `migrate` is not told to migrate."""
    with override_settings(GQLWS={}):
        assert check_tables(databases=["default"]) == []
        monkeypatch.setattr(Process._meta, "db_table", "no_such_table")

        assert ids(check_tables(databases=["default"])) == ["gqlws.W030"]
        assert check_tables(databases=["other"]) == []
        assert check_tables() == []
        monkeypatch.setattr("sys.argv", ["manage.py", "migrate"])
        assert check_tables(databases=["default"]) == []
