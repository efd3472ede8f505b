"""What resolvers get as `info.context`."""

from __future__ import annotations

from typing import Any

import pytest

from django_gqlws.execution.context import OperationContext

SCOPE: dict[str, Any] = {
    "path": "/graphql/",
    "query_string": b"a=1",
    "client": ("10.0.0.1", 5000),
    "server": ("10.0.0.2", 80),
    "headers": [
        (b"host", b"example.com"),
        (b"content-type", b"text/plain"),
        (b"cookie", b"sessionid=abc; theme=dark"),
        (b"x-twice", b"1"),
        (b"x-twice", b"2"),
    ],
    "user": "the user",
    "session": "the session",
}


def context(**scope: Any) -> OperationContext:
    return OperationContext({**SCOPE, **scope}, "7", "Q")


FIELDS = {
    "graphql_operation_id": "7",
    "graphql_operation_name": "Q",
    "user": "the user",
    "session": "the session",
    "COOKIES": {"sessionid": "abc", "theme": "dark"},
}


@pytest.mark.parametrize(("name", "value"), FIELDS.items(), ids=FIELDS)
def test_a_field(name: str, value: Any) -> None:
    """By attribute and by item."""
    it = context()

    assert getattr(it, name) == it[name] == value
    assert name in it


def test_what_the_application_puts_there() -> None:
    """By attribute or by item, it is read by both."""
    it = context()

    it.tenant = "a"  # type: ignore[attr-defined]
    it["role"] = "b"

    assert (it["tenant"], it.role) == ("a", "b")  # type: ignore[attr-defined]
    assert {"tenant", "role", "channels_scope"} <= set(it) == it._asdict().keys()
    assert it._asdict()["role"] == "b"

    del it["role"]

    assert "role" not in it
    with pytest.raises(KeyError):
        del it["role"]


DERIVED = {"user", "session", "headers", "COOKIES", "META", "loaders"}
PLAIN = {"channels_scope", "graphql_operation_id", "graphql_operation_name"}


def test_all_that_is_there() -> None:
    """The fields, and what is made of the scope as far as it can be."""
    assert set(context()) == PLAIN | DERIVED
    assert set(OperationContext({}, "1", None)) == PLAIN | DERIVED - {"user", "session"}
    assert context()._asdict()["user"] == "the user"


@pytest.mark.parametrize("name", ["user", "session"])
def test_another_user_or_session(name: str) -> None:
    """It is the connection's from then on."""
    scope: dict[str, Any] = {}

    setattr(OperationContext(scope, "1", None), name, "new")

    assert OperationContext(scope, "2", None)[name] == scope[name] == "new"


def test_the_scope_is_the_connections_own() -> None:
    """What is written to it lasts for the connection."""
    scope: dict[str, Any] = {}

    OperationContext(scope, "1", None).channels_scope["user"] = "new"

    assert OperationContext(scope, "2", None).user == "new"


def test_another_user_where_the_operation_has_its_own() -> None:
    """It is the operation's."""
    scope: dict[str, Any] = {"user": "the user"}
    it = OperationContext(scope, "1", None)
    it.update({"user": "somebody"})

    it.user = "new"

    assert (it.user, scope["user"]) == ("new", "the user")


MISSING = {"user": "AuthMiddlewareStack", "session": "SessionMiddlewareStack"}


@pytest.mark.parametrize(("name", "stack"), MISSING.items(), ids=MISSING)
def test_a_middleware_that_is_missing(name: str, stack: str) -> None:
    """The error says which one, and where it belongs."""
    it = OperationContext({}, "1", None)

    with pytest.raises(AttributeError, match=rf"needs channels' {stack} around the URLRouter"):
        getattr(it, name)
    with pytest.raises(KeyError):
        it[name]
    assert name not in it


def test_a_key_that_is_not_there() -> None:
    """It is a KeyError by item, an AttributeError by attribute, and not in it."""
    it = context()

    with pytest.raises(KeyError):
        it["missing"]
    with pytest.raises(AttributeError):
        it.missing  # type: ignore[attr-defined]  # noqa: B018
    assert "missing" not in it
    assert 5 not in it


META = {
    "HTTP_HOST": "example.com",
    "CONTENT_TYPE": "text/plain",
    "HTTP_X_TWICE": "1,2",
    "PATH_INFO": "/graphql/",
    "QUERY_STRING": "a=1",
    "REMOTE_ADDR": "10.0.0.1",
    "REMOTE_PORT": "5000",
    "SERVER_NAME": "10.0.0.2",
    "SERVER_PORT": "80",
}


@pytest.mark.parametrize(("name", "value"), META.items(), ids=META)
def test_meta(name: str, value: str) -> None:
    """Headers and addresses under the names that WSGI gives them."""
    assert context().META[name] == value


def test_headers() -> None:
    """Case does not matter."""
    assert context().headers["Content-Type"] == context().headers["content-type"] == "text/plain"


def test_the_cookies_that_channels_has_parsed() -> None:
    """They are taken as they are."""
    assert context(cookies={"a": "b"}).COOKIES == {"a": "b"}


def test_an_empty_scope() -> None:
    """It has no headers, no cookies and no addresses."""
    it = OperationContext({}, "1", None)

    assert (dict(it.headers), it.COOKIES) == ({}, {})
    assert it.META == {"PATH_INFO": "", "QUERY_STRING": ""}


def test_the_channel_of_a_connection_without_one() -> None:
    """There is none, and the error says what to set."""
    assert "channel_name" not in context()
    with pytest.raises(AttributeError, match="own_channel = True"):
        _ = context().channel_name


def test_entries() -> None:
    """They are attributes from then on, the channel's name among them."""
    updated = context()

    updated.update({"tenant": "acme", "channel_name": "specific.1"})

    assert (updated.tenant, updated["channel_name"]) == ("acme", "specific.1")


def test_an_entry_in_the_place_of_the_user() -> None:
    """It is this operation's alone: the connection keeps its own."""
    scope = dict(SCOPE)
    updated, other = OperationContext(scope, "7", "Q"), OperationContext(scope, "8", "Q")

    updated.update({"user": "another user"})

    assert (updated.user, updated["user"], updated._asdict()["user"]) == ("another user",) * 3
    assert other.user == "the user"
