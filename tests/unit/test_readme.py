"""What the README says is true."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import connections
from django.test import override_settings

from django_gqlws import GraphqlWsConsumer
from django_gqlws.conf import Settings
from django_gqlws.monitoring.checks import check_monitoring
from tests.support.notes import LIMIT
from tests.support.peers import Peer

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()


def code_blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def settings_table() -> dict[str, str]:
    """The cells of key and default, without their backticks."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| `(.*?)` \|", README, re.MULTILINE)
    return {key.lower(): default for key, default in rows}


def test_the_table_of_settings() -> None:
    """It names every setting with its default."""
    table = settings_table()
    # The schema has no default of its own but another setting.
    assert table.pop("schema") == 'GRAPHENE["SCHEMA"]'

    settings = Settings()
    defaults = {item.name: getattr(settings, item.name) for item in fields(Settings) if item.name != "schema"}

    assert {key: ast.literal_eval(default) for key, default in table.items()} == defaults


def test_the_asgi_application() -> None:
    """It serves HTTP and WebSocket, and hears when the server stops."""
    module: dict[str, Any] = {}

    exec(code_blocks()[2], module)

    assert module["application"].application_mapping.keys() == {"http", "websocket", "lifespan"}


async def test_its_static_files() -> None:
    """With DEBUG any ASGI server serves the files that the pages need."""
    module: dict[str, Any] = {}
    with override_settings(DEBUG=True, STATIC_URL="/static/"):
        exec(code_blocks()[2], module)
        scope = {"type": "http", "method": "GET", "path": "/static/django_gqlws/admin/live.css", "headers": []}
        http = ApplicationCommunicator(module["application"], scope)
        await http.send_input({"type": "http.request"})

        assert (await http.receive_output(LIMIT))["status"] == 200
        await http.wait(LIMIT)


def test_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """They turn a new project of Django's into one with which the checks of the registry are content."""
    project: dict[str, Any] = {"INSTALLED_APPS": [], "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3"}}}
    exec(code_blocks()[1], project)
    options = project["DATABASES"]["default"]["OPTIONS"]
    monkeypatch.setitem(connections["default"].settings_dict, "OPTIONS", options)

    with override_settings(GQLWS=project["GQLWS"]):
        assert check_monitoring() == []


async def test_the_example() -> None:
    """A subscriber hears what is said in the room."""
    example: dict[str, Any] = {"__name__": "chat.schema"}
    exec(code_blocks()[0], example)

    class Consumer(GraphqlWsConsumer):
        schema = example["schema"]
        confirm_subscriptions = True

    peer = await Peer.connect(Consumer.as_asgi())
    await peer.subscribe("1", 'subscription { onMessage(room: "lobby") { text } }')

    peer.start("2", 'mutation { say(room: "lobby", text: "Hello") { ok } }')

    assert await peer.data("1", 1) == [{"onMessage": {"text": "Hello"}}]
    await peer.leave()
