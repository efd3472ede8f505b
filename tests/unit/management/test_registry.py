"""What the commands have in common that read the registry."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import override_settings

from django_gqlws import monitoring
from django_gqlws.management.commands import gqlws_groups
from django_gqlws.monitoring.checks import ROUTER
from tests.support.registry import write_connection, write_process, write_subscription


@pytest.mark.django_db(transaction=True)
def test_groups_are_watched_until_somebody_has_seen_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look is printed; Ctrl-C is no failure."""
    connection = write_connection(write_process())
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt
        write_subscription(connection, "lobby")

    monkeypatch.setattr(gqlws_groups, "time", SimpleNamespace(sleep=pause))
    stdout, stderr = io.StringIO(), io.StringIO()

    with override_settings(GQLWS={}):
        call_command("gqlws_groups", "l*", watch=5, stdout=stdout, stderr=stderr)

    assert stderr.getvalue() == "Nobody listens to such a group.\n"
    assert stdout.getvalue().splitlines()[-1].split()[1:4] == ["lobby", "1", "1"]
    assert pauses == [5, 5]


def test_tables_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says what to run, for the database that is meant."""

    def no_table(pattern: str) -> None:
        raise OperationalError("no such table")

    monkeypatch.setattr(monitoring, "groups", no_table)

    with (
        override_settings(GQLWS={"MONITORING_DATABASE": "other"}, DATABASE_ROUTERS=[ROUTER]),
        pytest.raises(CommandError, match=r"`manage\.py migrate django_gqlws --database other`"),
    ):
        call_command("gqlws_groups")
