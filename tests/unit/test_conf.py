"""The GQLWS settings."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import graphene
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from graphql import MiddlewareManager

from django_gqlws.conf import (
    RULES,
    Settings,
    get_setting,
    get_settings,
    load_middleware,
    load_schema,
    problems,
    settings_of,
)
from tests.project.schema import schema
from tests.support.tables import situations

SCHEMA = "tests.project.schema.schema"


def middleware(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
    return resolve(root, info, **arguments)


def factory() -> object:
    return object()


# Key: default, legal values, illegal values.
SETTINGS: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "schema": (None, [schema, schema.graphql_schema, SCHEMA], [None, "no.such.schema", "tests.project.schema", 5]),
    "middleware": (
        None,
        [None, [], [middleware], (middleware,), [f"{__name__}.middleware"], MiddlewareManager(middleware)],
        [middleware, ["no.such.middleware"], [5], "text"],
    ),
    "loaders": (
        None,
        [None, {}, {"users": object}, {"users": f"{__name__}.factory", "a1": factory}],
        [
            [],
            {"users": 5},
            {"users": "no.such.loader"},
            {"users": middleware},
            {"_users": object},
            {5: object},
            {"a-b": object},
        ],
    ),
    "subprotocols": (
        ["graphql-transport-ws"],
        [["graphql-transport-ws"], ["graphql-transport-ws", "graphql-ws"], ("graphql-ws",)],
        [None, [], "graphql-ws", ["soap"], ["graphql-transport-ws", 5], [["graphql-ws"]]],
    ),
    "connection_init_wait_timeout": (10, [None, 0, 0.5, 10], [-1, "10", True]),
    "send_ping_every": (None, [None, 0, 0.5, 10], [-1, "10", True, math.inf, math.nan]),
    "echo_complete": (False, [True, False], [None, 0, "yes"]),
    "strict_ordering": (False, [True, False], [None, 0, "yes"]),
    "confirm_subscriptions": (False, [True, False], [None, 0, "yes"]),
    "subscription_confirmation_message": (
        {"data": None, "errors": None},
        [{}, {"data": 1}, {"data": {"a": 1}, "errors": []}],
        [None, "ok", {"message": "ok"}],
    ),
    "warn_operation_timeout": (1, [None, 0, 0.5, 10], [-1, "10", False]),
    "subscription_notification_queue_limit": (1024, [1, 10**6], [None, 0, -1, 1.5, "1", True]),
    "subscription_notification_queue_bytes": (8 * 1024 * 1024, [1, 10**6], [None, 0, -1, 1.5, "1", True]),
    "notification_timeout": (30, [None, 0, 0.5, 10], [-1, "10", True]),
    "tracing_variables": ((), [[], ["span"], ("span",)], [None, "span", [5]]),
    "group_name_prefix": ("GQLWS", ["a", "a-b_c.1", "x" * 50], [None, "", "x" * 51, "a b", "é", 5]),
    "sensitive_fields": (
        (),
        [[], ("project.Product.code",), ["project.Product.code", "auth.User.email"]],
        [None, "project.Product.code", [5], ["code"], ["Product.code"], ["project.Product.no"], ["project.No.code"]],
    ),
    "allowed_origins": (
        None,
        [None, [], ["*"], ("https://a.b",), ["https://*.a.b", "http://localhost:3000"]],
        ["*", "https://a.b", [None], 5, ["a.b"], ["*.a.b"], ["http://localhost:*"], ["https://*"], ["https://[bad"]],
    ),
    "mask_errors": (None, [None, True, False], [0, "yes"]),
    "max_message_bytes": (1024 * 1024, [1, 10**6], [None, 0, -1, 1.5, "1", True]),
    "max_operations": (2000, [1, 10**6], [None, 0, -1, 1.5, "1", True]),
    "own_channel": (False, [True, False], [None, 0, "yes"]),
    "sync_threads": (16, [1, 100], [None, 0, -1, 1.5, "1", True]),
    "monitoring": (True, [True, False], [None, 0, "yes"]),
    "monitoring_database": ("default", ["default", "other"], [None, "", "no", 5]),
    "monitoring_interval": (5, [0.5, 10], [None, 0, -1, "1", True]),
    "monitoring_lease": (30, [0.5, 10], [None, 0, -1, "1", True, math.inf]),
    "hidden_variables": (None, [None, "", "iban|pin"], [5, ["pin"], "("]),
    "trusted_proxies": (
        (),
        [[], ["10.0.0.0/8", "192.0.2.1", "::1"]],
        [None, "10.0.0.1", [None], ["proxy"], ["10.0.0.1/8"]],
    ),
    "models": (
        {},
        [
            {},
            {"no.Model": {}},
            {"a.B": {"groups": ["all"], "fields": ["x"], "events": ["created"], "raw": True, "source": "triggers"}},
            {"a.B": {"groups": "dotted.path"}},
            {"a.B": {"groups": middleware}},
        ],
        [
            None,
            ["a.B"],
            {5: {}},
            {"a.B": None},
            {"a.B": {"group": ["all"]}},
            {"a.B": {"groups": 5}},
            {"a.B": {"fields": "x"}},
            {"a.B": {"events": "created"}},
            {"a.B": {"events": ["changed"]}},
            {"a.B": {"events": [["created"]]}},
            {"a.B": {"raw": "yes"}},
            {"a.B": {"source": "magic"}},
        ],
    ),
    "model_rows_per_broadcast": (100, [1, 10**6], [None, 0, -1, 1.5, "1", True]),
}


def test_every_setting_is_in_the_table() -> None:
    """A new one brings its line."""
    assert SETTINGS.keys() == RULES.keys()


@pytest.mark.parametrize(("name", "default", "legal", "illegal"), [(name, *row) for name, row in SETTINGS.items()])
def test_a_setting(name: str, default: Any, legal: list[Any], illegal: list[Any]) -> None:
    """It has a default, takes what is legal, and says what it must be for all else."""
    assert getattr(Settings(), name) == default
    for value in legal:
        assert list(problems({name.upper(): value})) == []
        with override_settings(GQLWS={name.upper(): value}, GRAPHENE={}):
            assert getattr(get_settings(), name) == value
    for value in illegal:
        [problem] = problems({name.upper(): value})
        assert problem.message == f'GQLWS["{name.upper()}"] is {value!r}.'
        assert problem.hint.startswith("It must be ")


UNKNOWN: dict[str, tuple[Any, str, str]] = {
    "a misspelt key": ("SHEMA", '"SHEMA"', 'Did you mean "SCHEMA"?'),
    "another misspelt key": ("MAX_OPERATION", '"MAX_OPERATION"', 'Did you mean "MAX_OPERATIONS"?'),
    "a key in lower case": ("schema", '"schema"', 'Did you mean "SCHEMA"?'),
    "a key in mixed case": ("Send_Ping_Every", '"Send_Ping_Every"', 'Did you mean "SEND_PING_EVERY"?'),
    "a key from nowhere": ("COLOUR", '"COLOUR"', "Known keys: ALLOWED_ORIGINS, "),
    "a key that is no text": (5, "5", "Known keys: ALLOWED_ORIGINS, "),
}


@pytest.mark.parametrize(("key", "quoted", "hint"), situations(UNKNOWN))
def test_an_unknown_key(key: Any, quoted: str, hint: str) -> None:
    """The hint has the one that was meant, or all of them."""
    [problem] = problems({key: 1})

    assert problem.unknown
    assert problem.message == f"GQLWS has an unknown key {quoted}."
    assert hint in problem.hint


WRONG: dict[str, tuple[Any, str]] = {
    "no dict": ("schema", "GQLWS must be a dict, such as"),
    "an unknown key": ({"SHEMA": SCHEMA}, 'Did you mean "SCHEMA"'),
    "a key in lower case": ({"schema": SCHEMA}, 'Did you mean "SCHEMA"'),
    "a wrong value": ({"MAX_OPERATIONS": "many"}, "It must be a whole number above 0"),
}


@pytest.mark.parametrize(("value", "message"), situations(WRONG))
def test_wrong_settings(value: Any, message: str) -> None:
    """They are an ImproperlyConfigured that says what to write."""
    with override_settings(GQLWS=value), pytest.raises(ImproperlyConfigured, match=message):
        get_settings()


def test_no_settings() -> None:
    """The defaults are enough."""
    with override_settings(GQLWS={}, GRAPHENE={}):
        assert get_settings() == Settings()


def test_settings_are_frozen() -> None:
    """Hot code may keep them."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().max_operations = 5  # type: ignore[misc]


def test_override_settings() -> None:
    """It is seen at once, and its end as well."""
    before = get_settings()

    with override_settings(GQLWS={"MAX_OPERATIONS": 5}):
        assert get_settings().max_operations == 5

    assert get_settings() == before
    assert get_settings() is get_settings()


FALLBACKS: dict[str, tuple[dict[str, Any], dict[str, Any], Any]] = {
    "graphene-django's schema": ({}, {"SCHEMA": SCHEMA}, SCHEMA),
    "both": ({"SCHEMA": schema}, {"SCHEMA": SCHEMA}, schema),
    "neither": ({}, {}, None),
}


@pytest.mark.parametrize(("ours", "graphenes", "expected"), situations(FALLBACKS))
def test_the_schema_of_graphene_django(ours: dict[str, Any], graphenes: dict[str, Any], expected: Any) -> None:
    """It is taken if GQLWS has none."""
    with override_settings(GQLWS=ours, GRAPHENE=graphenes):
        assert get_settings().schema == expected


# Consumer classes


def test_class_attributes_win() -> None:
    """Over the settings, which win over the defaults; also one that is inherited, or set later."""

    class Base:
        max_operations = 7
        unrelated = object()

    class Consumer(Base):
        send_ping_every = 5

    with override_settings(GQLWS={"MAX_OPERATIONS": 3, "SYNC_THREADS": 4}):
        found = settings_of(Consumer)
        assert (found.max_operations, found.send_ping_every, found.sync_threads) == (7, 5, 4)

        Consumer.max_operations = 8
        assert settings_of(Consumer).max_operations == 8


def test_a_consumer_without_attributes() -> None:
    """It shares the settings of the project."""
    assert settings_of(object) is get_settings()


def test_a_wrong_class_attribute() -> None:
    """The error names the class."""

    class Consumer:
        max_operations = "many"

    with pytest.raises(ImproperlyConfigured, match=r"Consumer\.max_operations is 'many'\. It must be a whole number"):
        settings_of(Consumer)


def test_an_attribute_that_only_a_process_can_have() -> None:
    """The error says where to write it."""

    class Consumer:
        sync_threads = 4

    with pytest.raises(ImproperlyConfigured, match=r'sync_threads has no effect.*GQLWS\["SYNC_THREADS"\]'):
        settings_of(Consumer)


# What dotted paths lead to


@pytest.mark.parametrize("value", [schema, schema.graphql_schema, SCHEMA], ids=["graphene", "graphql-core", "path"])
def test_a_schema(value: Any) -> None:
    """However it is given, it is graphql-core's that counts."""
    assert load_schema(value) is schema.graphql_schema


SCHEMALESS: dict[str, tuple[Any, str]] = {
    "nothing": (None, "There is no GraphQL schema: write GQLWS ="),
    "a path to nowhere": ("no.such.schema", "'no.such.schema' cannot be imported"),
    "a path to something else": (f"{__name__}.middleware", "There is no GraphQL schema"),
    "a type of graphene": (graphene.ObjectType, "There is no GraphQL schema"),
}


@pytest.mark.parametrize(("value", "message"), situations(SCHEMALESS))
def test_no_schema(value: Any, message: str) -> None:
    """The error says what to write instead."""
    with pytest.raises(ImproperlyConfigured, match=message):
        load_schema(value)


def test_middleware_by_dotted_path() -> None:
    """It is imported; callables stay as they are."""
    assert load_middleware(["django_gqlws.conf.load_schema", middleware]) == [load_schema, middleware]


def test_one_setting_alone() -> None:
    """It can be read while a schema is being imported that needs it, and is checked all the same."""
    with override_settings(GQLWS={"SCHEMA": "no.such.schema", "SYNC_THREADS": 5, "MODELS": []}):
        assert get_setting("sync_threads") == 5
        assert get_setting("model_rows_per_broadcast") == 100
        with pytest.raises(ImproperlyConfigured, match=r'GQLWS\["MODELS"\]'):
            get_setting("models")
