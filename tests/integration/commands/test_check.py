"""`gqlws_check`: what would keep this project from delivering, each with the fix."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import graphene
import pytest
from channels.layers import channel_layers
from django.core.management import CommandError, call_command
from pytest_django import Settings

from django_gqlws.broker import census
from tests.support.tables import situations

from .conftest import Process
from .running import BRIEFLY, Here

BARE_SCHEMA = graphene.Schema(query=type("Query", (graphene.ObjectType,), {"nothing": graphene.String()}))

Finding = dict[str, Any]


@pytest.fixture(autouse=True)
def alone(settings: Settings) -> Iterator[None]:
    """What other tests of this process have left is not looked at: their channel layer, their model subscriptions."""
    settings.SILENCED_SYSTEM_CHECKS = ["gqlws.E024"]
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()


def check(*arguments: str) -> tuple[list[Finding], bool]:
    """What the command finds, and whether it calls that a success."""
    stdout = io.StringIO()
    try:
        call_command("gqlws_check", "--format", "json", *arguments, stdout=stdout)
    except CommandError:
        return json.loads(stdout.getvalue()), False
    return json.loads(stdout.getvalue()), True


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application without a route of ours."""


def test_a_project_in_order() -> None:
    """Each part is looked at; what may surprise is a note and no failure."""
    findings, succeeds = check()

    assert succeeds
    assert {finding["part"] for finding in findings} == {"settings", "layer", "application", "schema", "origin"}
    assert [finding["part"] for finding in findings if finding["verdict"] == "note"] == ["layer"]
    assert any("onMessage" in finding["message"] for finding in findings)


NO_REDIS = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": ["redis://127.0.0.1:1"]}}

WRONG: dict[str, tuple[Mapping[str, Any], str, str, str]] = {
    "an unknown key": ({"GQLWS": {"SCHEME": "x"}}, "settings", "gqlws.E001", "SCHEMA"),
    "a layer that is down": ({"CHANNEL_LAYERS": {"default": NO_REDIS}}, "layer", "does not work", "CHANNEL_LAYERS"),
    "no such application": ({"ASGI_APPLICATION": "tests.nowhere.application"}, "application", "import", "asgi.py"),
    "a broken application": (
        {"ASGI_APPLICATION": "tests.integration.commands.broken.application"},
        "application",
        "ZeroDivisionError",
        "asgi.py",
    ),
    "no route": ({"ASGI_APPLICATION": f"{__name__}.nothing"}, "application", "No GraphqlWsConsumer", "URLRouter"),
    "no host": ({"ALLOWED_HOSTS": []}, "origin", "every browser is refused", "hosts"),
}


def test_no_layer(settings: Settings) -> None:
    """The system checks say it first."""
    settings.CHANNEL_LAYERS = {}

    findings, _ = check()

    first, second = [finding for finding in findings if finding["verdict"] == "problem"]
    assert (first["part"], first["message"]) == ("settings", "gqlws.E004: There is no default channel layer.")
    assert (second["part"], "needs a channel layer" in second["message"]) == ("layer", True)


def test_a_file_that_is_none_of_the_layer(settings: Settings, tmp_path: Path) -> None:
    """It is told once what to do, in the words of the layer."""
    path = tmp_path / "notes.sqlite3"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE notes (id)")
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "django_gqlws.layers.SqliteChannelLayer", "CONFIG": {"path": path}}
    }

    findings, succeeds = check()

    assert not succeeds
    (problem,) = [finding for finding in findings if finding["verdict"] == "problem"]
    assert (problem["part"], "choose another path" in problem["message"]) == ("layer", True)
    assert problem["fix"] is None


@pytest.mark.parametrize(("wrong", "part", "says", "fix"), situations(WRONG))
def test_a_problem(settings: Settings, wrong: Mapping[str, Any], part: str, says: str, fix: str | None) -> None:
    """It names the part, what is wrong and what to do, and the command fails."""
    for name, value in wrong.items():
        setattr(settings, name, value)

    findings, succeeds = check()

    assert not succeeds
    problem = next(finding for finding in findings if finding["verdict"] == "problem")
    assert (problem["part"], says in problem["message"]) == (part, True), problem
    assert fix in problem["fix"]


def test_without_an_application(settings: Settings) -> None:
    """The schema of the settings is looked at all the same; the fix names the project's own package."""
    settings.ASGI_APPLICATION = None
    settings.ROOT_URLCONF = "tests.project.urls"

    findings, _ = check()

    [application] = [finding for finding in findings if finding["part"] == "application"]
    [schema] = [finding for finding in findings if finding["part"] == "schema"]
    assert "tests.project.asgi.application" in application["fix"]
    assert (schema["verdict"], "GQLWS['SCHEMA']" in schema["message"]) == ("ok", True)


NOTED: dict[str, tuple[Mapping[str, Any], str, str]] = {
    "no ASGI_APPLICATION": ({"ASGI_APPLICATION": None}, "application", "no ASGI_APPLICATION"),
    "everybody may connect": ({"GQLWS": {"SCHEMA": BARE_SCHEMA, "ALLOWED_ORIGINS": ["*"]}}, "origin", "every origin"),
    "no subscriptions": ({"GQLWS": {"SCHEMA": BARE_SCHEMA}}, "schema", "no subscription type"),
}


@pytest.mark.parametrize(("wrong", "part", "says"), situations(NOTED))
def test_a_surprise(settings: Settings, wrong: Mapping[str, Any], part: str, says: str) -> None:
    """It is told, and is no failure."""
    for name, value in wrong.items():
        setattr(settings, name, value)

    findings, succeeds = check()

    assert succeeds
    notes = [finding for finding in findings if (finding["verdict"], finding["part"]) == ("note", part)]
    assert any(says in note["message"] for note in notes), findings


async def test_a_running_server(here: Here, processes: tuple[Process, Process]) -> None:
    """It answers a query, and hears what the command would broadcast."""
    done = await here("gqlws_check", "--url", processes[0].url("graphql/"), "--format", "json")

    assert done.code == 0, done.stdout
    query, census = [finding for finding in done.json if finding["part"] == "server"]
    assert "answered a query of the type Query" in query["message"]
    assert "arrive in:" in census["message"]


async def test_a_server_that_hears_nothing_of_it(
    here: Here, settings: Settings, monkeypatch: pytest.MonkeyPatch, processes: tuple[Process, Process]
) -> None:
    """Another prefix of the groups: it says what has to be the same."""
    monkeypatch.setattr(census, "FIRST_ANSWER", BRIEFLY)
    settings.GQLWS = {**settings.GQLWS, "GROUP_NAME_PREFIX": "elsewhere"}

    done = await here("gqlws_check", "--url", processes[0].url("graphql/"), "--format", "json")

    assert done.code == 1
    assert "GROUP_NAME_PREFIX" in done.json[-1]["fix"]


def test_no_server() -> None:
    """It says what a server has to be."""
    findings, succeeds = check("--url", "ws://127.0.0.1:1/graphql/")

    assert not succeeds
    assert findings[-1]["part"] == "server"
    assert "ASGI" in findings[-1]["fix"]


def test_in_words() -> None:
    """Without --format json it is for people: the verdict first, the fix below."""
    stdout = io.StringIO()

    call_command("gqlws_check", stdout=stdout, no_color=True)

    lines = stdout.getvalue().splitlines()
    assert lines[0] == "ok       settings     The system checks of django_gqlws found nothing."
    assert lines[1].startswith("note     layer        InMemoryChannelLayer reaches no other process")
    assert lines[2].strip().startswith("Write CHANNEL_LAYERS")
