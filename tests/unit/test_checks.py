"""System checks: each has a stable id and a hint."""

from __future__ import annotations

from typing import Any

import pytest
from channels.layers import channel_layers
from django.test import override_settings

from django_gqlws import checks
from django_gqlws.checks import check_channel_layer, check_settings
from tests.project.schema import schema
from tests.support.tables import situations

SCHEMA = "tests.project.schema.schema"

WITH_SETTINGS: dict[str, tuple[Any, list[str]]] = {
    "all is well": ({"SCHEMA": SCHEMA}, []),
    "a schema object": ({"SCHEMA": schema}, []),
    "an unknown key": ({"SCHEMA": SCHEMA, "MAX_OPERATION": 5}, ["gqlws.E001"]),
    "a key in lower case": ({"schema": SCHEMA}, ["gqlws.E001", "gqlws.W002"]),
    "a wrong type": ({"SCHEMA": SCHEMA, "MAX_OPERATIONS": "many"}, ["gqlws.E002"]),
    "a dotted path to nowhere": ({"SCHEMA": "no.such.schema"}, ["gqlws.E002"]),
    "a dotted path to something else": ({"SCHEMA": "tests.project.schema"}, ["gqlws.E002"]),
    "middleware that cannot be imported": ({"SCHEMA": SCHEMA, "MIDDLEWARE": ["no.such.one"]}, ["gqlws.E002"]),
    "several": ({"SHEMA": SCHEMA, "ECHO_COMPLETE": 1}, ["gqlws.E001", "gqlws.E002", "gqlws.W002"]),
    "no dict": (["schema"], ["gqlws.E003"]),
    "no schema": ({}, ["gqlws.W002"]),
}


@pytest.mark.parametrize(("value", "ids"), situations(WITH_SETTINGS))
def test_the_settings(value: Any, ids: list[str]) -> None:
    """Everything that is wrong is found, and says what to do."""
    with override_settings(GQLWS=value, GRAPHENE={}):
        found = check_settings()

    assert [message.id for message in found] == ids
    assert all(message.hint for message in found)


def test_the_schema_of_graphene_django() -> None:
    """It is enough."""
    with override_settings(GQLWS={}, GRAPHENE={"SCHEMA": SCHEMA}):
        assert check_settings() == []


def test_the_hint_for_an_unknown_key() -> None:
    """It names the key that was meant."""
    with override_settings(GQLWS={"SHEMA": SCHEMA}):
        assert check_settings()[0].hint == 'Did you mean "SCHEMA"?'


MEMORY = "channels.layers.InMemoryChannelLayer"
CORE = "channels_redis.core.RedisChannelLayer"
PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"
URL = "redis://127.0.0.1:1"
UNLIMITED = {"address": URL, "socket_timeout": None}

LAYERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "in memory": ({"default": {"BACKEND": MEMORY}}, []),
    "pub/sub": ({"default": {"BACKEND": PUBSUB, "CONFIG": {"hosts": [URL]}}}, []),
    "core, with its time limit off": ({"default": {"BACKEND": CORE, "CONFIG": {"hosts": [UNLIMITED]}}}, []),
    "core, with the default time limit": ({"default": {"BACKEND": CORE, "CONFIG": {"hosts": [URL]}}}, ["gqlws.W001"]),
    "core, one host of two": ({"default": {"BACKEND": CORE, "CONFIG": {"hosts": [UNLIMITED, URL]}}}, ["gqlws.W001"]),
    "core, without hosts": ({"default": {"BACKEND": CORE}}, ["gqlws.W001"]),
    "none": ({}, ["gqlws.E004"]),
    "another name only": ({"other": {"BACKEND": MEMORY}}, ["gqlws.E004"]),
    "one that cannot be imported": ({"default": {"BACKEND": "no.such.Layer"}}, ["gqlws.E004"]),
    "one without a backend": ({"default": {}}, ["gqlws.E004"]),
}


@pytest.mark.parametrize(("layers", "ids"), situations(LAYERS))
def test_the_channel_layer(monkeypatch: pytest.MonkeyPatch, layers: dict[str, Any], ids: list[str]) -> None:
    """It must be there, and not lose its connection every five seconds."""
    monkeypatch.setattr(checks, "version", lambda name: "8.1.0")
    with override_settings(CHANNEL_LAYERS=layers):
        channel_layers.backends.clear()
        found = check_channel_layer()

    assert [message.id for message in found] == ids
    assert all(message.hint for message in found)


def test_redis_py_7(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no such time limit."""
    monkeypatch.setattr(checks, "version", lambda name: "7.0.1")
    with override_settings(CHANNEL_LAYERS={"default": {"BACKEND": CORE}}):
        assert check_channel_layer() == []
