"""The client's side of both dialects."""

from __future__ import annotations

from typing import Any

import pytest

from django_gqlws.protocol.client import DIALECTS, LEGACY, TRANSPORT_WS, Kind, init_message, is_final, pong_message
from django_gqlws.protocol.dialects import DIALECTS as SERVER_DIALECTS
from django_gqlws.protocol.messages import ConnectionInit, Ping, Pong, Subscribe, find_fault

FORMS = {dialect.subprotocol: dialect.forms for dialect in SERVER_DIALECTS}
"""What a server understands, by subprotocol."""

NEW, OLD = TRANSPORT_WS.subprotocol, LEGACY.subprotocol


@pytest.mark.parametrize(
    ("subprotocol", "message"),
    [
        (NEW, init_message(None)),
        (NEW, init_message({"token": "t"})),
        (NEW, TRANSPORT_WS.start_message("1", "{ value }", {"a": 1}, "Name")),
        (NEW, TRANSPORT_WS.start_message("1", "{ value }")),
        (NEW, TRANSPORT_WS.stop_message("1")),
        (NEW, pong_message({"type": "ping"})),
        (NEW, pong_message({"type": "ping", "payload": {"a": 1}})),
        (OLD, init_message(None)),
        (OLD, LEGACY.start_message("1", "{ value }")),
        (OLD, LEGACY.stop_message("1")),
    ],
)
def test_what_a_client_says(subprotocol: str, message: dict[str, Any]) -> None:
    """The server's side of the same protocol finds no fault with it."""
    assert find_fault(FORMS[subprotocol][message["type"]].shape, message) is None


def test_what_a_server_understands() -> None:
    """It is what the client meant."""
    start = TRANSPORT_WS.start_message("1", "{ value }", {"a": 1}, "Name")

    event = FORMS[NEW]["subscribe"].build(start)

    assert isinstance(event, Subscribe)
    assert (event.id, event.query, event.variables, event.operation_name) == ("1", "{ value }", {"a": 1}, "Name")


def test_an_init_without_a_payload() -> None:
    """It has no payload at all: null is not what every server takes."""
    assert init_message(None) == {"type": "connection_init"}
    assert FORMS[NEW]["connection_init"].build(init_message({"a": 1})) == ConnectionInit({"a": 1})


def test_a_pong() -> None:
    """It has the payload of its ping, and none if that had none."""
    assert pong_message({"type": "ping"}) == {"type": "pong"}
    assert pong_message({"type": "ping", "payload": {"a": 1}}) == {"type": "pong", "payload": {"a": 1}}
    assert FORMS[NEW]["ping"].build(pong_message({"payload": {"a": 1}})) == Ping({"a": 1})
    assert FORMS[NEW]["pong"].build(pong_message({})) == Pong()


@pytest.mark.parametrize(
    ("dialect", "types"),
    [
        (TRANSPORT_WS, {"connection_ack", "next", "error", "complete", "ping", "pong"}),
        (LEGACY, {"connection_ack", "connection_error", "data", "error", "complete", "ka"}),
    ],
)
def test_what_servers_say(dialect: Any, types: set[str]) -> None:
    """Each dialect knows its own messages, and no others."""
    assert {
        name for name in (*types, "next", "data", "ka", "ping") if dialect.kind({"type": name}) is not Kind.OTHER
    } == types


@pytest.mark.parametrize("message", [{}, {"type": None}, {"type": ["next"]}, {"type": "NEXT"}])
def test_what_no_server_says(message: dict[str, Any]) -> None:
    """It has no meaning, and does no harm."""
    assert TRANSPORT_WS.kind(message) is Kind.OTHER


def test_the_legacy_dialect() -> None:
    """It has other names for the same."""
    assert LEGACY.start_message("1", "{ value }")["type"] == "start"
    assert LEGACY.stop_message("1") == {"id": "1", "type": "stop"}
    assert LEGACY.kind({"type": "data"}) is Kind.RESULT
    assert DIALECTS == {"graphql-transport-ws": TRANSPORT_WS, "graphql-ws": LEGACY}


@pytest.mark.parametrize("code", [4400, 4401, 4406, 4409, 4429, 4500, 1002, 1011])
def test_a_final_code(code: int) -> None:
    """The next connection would end in the same way."""
    assert is_final(code)


@pytest.mark.parametrize("code", [None, 1000, 1001, 1005, 1006, 1012, 1013, 4403, 4408, 4499])
def test_a_code_that_may_pass(code: int | None) -> None:
    """It is worth connecting again."""
    assert not is_final(code)
