"""The server's state machine in `graphql-transport-ws`, message by message."""

from __future__ import annotations

import json
from collections.abc import Container
from itertools import product
from typing import Any

import pytest

from django_gqlws.protocol.close import Close
from django_gqlws.protocol.dialect import State
from django_gqlws.protocol.dialects import TRANSPORT_WS
from django_gqlws.protocol.messages import Complete, ConnectionInit, Ping, Pong, Subscribe
from django_gqlws.protocol.server import ServerProtocol
from tests.support.tables import situations

PATHS: dict[State, tuple[str, ...]] = {
    State.CONNECTED: (),
    State.INITIALISING: ("connection_init",),
    State.READY: ("connection_init", "acknowledge"),
}
"""How a connection comes to each state in which it lives."""


def protocol_in(state: State, *, live: Container[str] = (), limit: int = 1_000_000) -> ServerProtocol:
    protocol = ServerProtocol(TRANSPORT_WS, live, limit)
    for step in PATHS[state]:
        if step == "acknowledge":
            protocol.acknowledge()
        else:
            protocol.receive_text(json.dumps({"type": step}))
    assert protocol.state is state
    return protocol


EXAMPLES: dict[str, tuple[dict[str, Any], object]] = {
    "connection_init": ({"payload": {"a": 1}}, ConnectionInit({"a": 1})),
    "ping": ({"payload": {"a": 1}}, Ping({"a": 1})),
    "pong": ({"payload": {"a": 1}}, Pong()),
    "subscribe": ({"id": "1", "payload": {"query": "{ a }"}}, Subscribe("1", {"query": "{ a }"})),
    "complete": ({"id": "1"}, Complete("1")),
}

LEADS_TO: dict[tuple[State, str], State | tuple[int, str]] = {
    (State.CONNECTED, "connection_init"): State.INITIALISING,
    (State.INITIALISING, "connection_init"): (4429, "Too many initialisation requests"),
    (State.READY, "connection_init"): (4429, "Too many initialisation requests"),
    (State.CONNECTED, "subscribe"): (4401, "Unauthorized"),
    (State.INITIALISING, "subscribe"): (4401, "Unauthorized"),
}
"""The protocol's rules, written down a second time; everything else leaves the state as it is."""


@pytest.mark.parametrize(("state", "kind"), list(product(PATHS, TRANSPORT_WS.forms)), ids=str)
def test_each_message_in_each_state(state: State, kind: str) -> None:
    """It gives its event and the next state, or a final close."""
    fields, event = EXAMPLES[kind]
    protocol = protocol_in(state)

    outcome = protocol.receive_text(json.dumps({"type": kind, **fields}))

    expected = LEADS_TO.get((state, kind), state)
    if isinstance(expected, State):
        assert (outcome, protocol.state) == (event, expected)
    else:
        assert (outcome, protocol.state) == (Close(*expected), State.CLOSED)


NOT_JSON = "The message is not valid JSON"
NO_OBJECT = "The message must be a JSON object"
NO_TYPE = "Unknown message type, or none"

MALFORMED = {
    "a binary frame": (None, "Binary frames are not part of the protocol"),
    "no JSON": ("hello", NOT_JSON),
    "empty text": ("", NOT_JSON),
    "cut JSON": ('{"type":"ping"', NOT_JSON),
    "a byte order mark": ('\ufeff{"type":"ping"}', NOT_JSON),
    "two values": ('{"type":"ping"}{"type":"ping"}', NOT_JSON),
    "NaN": ('{"type":"ping","payload":{"a":NaN}}', NOT_JSON),
    "Infinity": ('{"type":"ping","payload":{"a":Infinity}}', NOT_JSON),
    "negative Infinity": ('{"type":"ping","payload":{"a":-Infinity}}', NOT_JSON),
    "a number": ("1", NO_OBJECT),
    "a text": ('"ping"', NO_OBJECT),
    "true": ("true", NO_OBJECT),
    "null": ("null", NO_OBJECT),
    "a list": ('[{"type":"ping"}]', NO_OBJECT),
    "no type": ("{}", NO_TYPE),
    **{
        f"the type {kind!r}": (json.dumps({"type": kind, "id": "1", "payload": {"query": "{ a }"}}), NO_TYPE)
        for kind in (
            *(None, "", 1, True, ["ping"], {"ping": 1}, "unknown", "PING", "ping "),
            *("start", "stop", "connection_terminate", "data", "ka"),
            *("connection_ack", "next", "error"),
        )
    },
    "100,000 nested brackets": ("[" * 100_000 + "]" * 100_000, NOT_JSON),
    "an integer of 5,000 digits": ('{"type":"ping","payload":{"n":' + "9" * 5000 + "}}", NOT_JSON),
}


@pytest.mark.parametrize("state", PATHS, ids=str)
@pytest.mark.parametrize(("text", "reason"), situations(MALFORMED))
def test_what_is_no_message(state: State, text: str | None, reason: str) -> None:
    """4400 with a reason, in every state."""
    protocol = protocol_in(state)

    assert protocol.receive_text(text) == Close(4400, reason)
    assert protocol.state is State.CLOSED


QUERY = {"query": "{ a }"}
NO_ID = "'id' must be a non-empty string"
MISSHAPEN: dict[str, tuple[str, dict[str, Any], str]] = {
    **{
        f"{kind}: the id {id!r}": (kind, {**fields, "payload": QUERY}, NO_ID)
        for kind in ("subscribe", "complete")
        for id, fields in {"missing": {}, **{str(id): {"id": id} for id in (None, "", 1, True, ["1"], {})}}.items()
    },
    **{
        f"{kind}: the payload {payload!r}": (kind, {"payload": payload}, "'payload' must be an object or null")
        for kind in ("ping", "pong")
        for payload in ("text", "", 0, 1, True, False, [])
    },
    "subscribe: no payload": ("subscribe", {"id": "1"}, "'payload' must be an object"),
    **{
        f"subscribe: the payload {payload!r}": (
            "subscribe",
            {"id": "1", "payload": payload},
            "'payload' must be an object",
        )
        for payload in (None, "{ a }", 1, True, [QUERY])
    },
    "subscribe: no query": ("subscribe", {"id": "1", "payload": {}}, "'query' must be a string"),
    **{
        f"subscribe: {name} {value!r}": ("subscribe", {"id": "1", "payload": {**QUERY, name: value}}, fault)
        for name, values, fault in (
            ("query", (None, 1, True, [], {}), "'query' must be a string"),
            ("operationName", (1, False, [], {}), "'operationName' must be a string or null"),
            ("variables", ("{}", 1, False, []), "'variables' must be an object or null"),
            ("extensions", ("{}", 1, False, []), "'extensions' must be an object or null"),
        )
        for value in values
    },
}


@pytest.mark.parametrize("state", PATHS, ids=str)
@pytest.mark.parametrize(("kind", "fields", "fault"), situations(MISSHAPEN))
def test_a_message_of_a_wrong_shape(state: State, kind: str, fields: dict[str, Any], fault: str) -> None:
    """4400 with what is wrong, in every state: the shape comes before the question whether it may be sent."""
    protocol = protocol_in(state)

    assert protocol.receive_text(json.dumps({"type": kind, **fields})) == Close(4400, f"{kind}: {fault}")
    assert protocol.state is State.CLOSED


@pytest.mark.parametrize("payload", ["text", "", 0, 1, True, False, []], ids=repr)
def test_the_payload_of_connection_init(payload: Any) -> None:
    """Of a wrong type: 4400 the first time; the second time it is not looked at any more."""
    text = json.dumps({"type": "connection_init", "payload": payload})

    first = protocol_in(State.CONNECTED).receive_text(text)
    second = protocol_in(State.INITIALISING).receive_text(text)

    assert first == Close(4400, "connection_init: 'payload' must be an object or null")
    assert isinstance(second, Close)
    assert second.code == 4429


WELL_FORMED: dict[str, tuple[dict[str, Any], object]] = {
    "connection_init without a payload": ({"type": "connection_init"}, ConnectionInit(None)),
    "connection_init with null": ({"type": "connection_init", "payload": None}, ConnectionInit(None)),
    "connection_init with {}": ({"type": "connection_init", "payload": {}}, ConnectionInit({})),
    "ping without a payload": ({"type": "ping"}, Ping(None)),
    "ping with null": ({"type": "ping", "payload": None}, Ping(None)),
    "ping with an id": ({"type": "ping", "id": 5}, Ping(None)),
    "pong without a payload": ({"type": "pong"}, Pong()),
    "complete with other keys": ({"type": "complete", "id": "1", "payload": 5, "more": []}, Complete("1")),
}


@pytest.mark.parametrize(("message", "event"), situations(WELL_FORMED))
def test_what_is_left_out_and_what_is_added(message: dict[str, Any], event: object) -> None:
    """Optional keys may be absent or null, extra keys are ignored."""
    assert protocol_in(State.CONNECTED).receive_text(json.dumps(message)) == event


SUBSCRIBES: dict[str, dict[str, Any]] = {
    "an empty query": {"query": ""},
    "everything null": {"query": "{ a }", "operationName": None, "variables": None, "extensions": None},
    "everything there": {"query": "{ a }", "operationName": "a", "variables": {"b": [1]}, "extensions": {"c": 1}},
    "more keys": {"query": "{ a }", "doc_id": 5},
    "a lone surrogate in a variable": {"query": "{ a }", "variables": {"a": "\ud800"}},
    "a big integer in a variable": {"query": "{ a }", "variables": {"a": 10**40}},
}


@pytest.mark.parametrize("payload", situations(SUBSCRIBES))
def test_what_a_subscribe_may_carry(payload: dict[str, Any]) -> None:
    """It arrives as it was sent."""
    text = json.dumps({"type": "subscribe", "id": "1", "payload": payload})

    assert protocol_in(State.READY).receive_text(text) == Subscribe("1", payload)


@pytest.mark.parametrize("id", ["1", "__proto__", " ", "x" * 10_000, "🙂", "\n", "\x00", "\ud800"], ids=ascii)
def test_any_text_is_an_id(id: str) -> None:
    """As long as it is not empty, and once for each running operation."""
    text = json.dumps({"type": "subscribe", "id": id, "payload": QUERY})

    assert protocol_in(State.READY, live={"2"}).receive_text(text) == Subscribe(id, QUERY)

    refused = protocol_in(State.READY, live={id}).receive_text(text)
    assert refused == Close(4409, f"Subscriber for {id} already exists")
    assert len(refused.reason.encode()) <= 123


def test_the_id_of_a_live_operation_in_a_malformed_subscribe() -> None:
    """The shape is looked at first."""
    text = json.dumps({"type": "subscribe", "id": "1", "payload": {}})

    assert protocol_in(State.READY, live={"1"}).receive_text(text) == Close(4400, "subscribe: 'query' must be a string")


SIZES = {
    "ASCII at the limit": ("x" * 64, True),
    "ASCII beyond it": ("x" * 65, False),
    "two-byte characters at the limit": ("é" * 32, True),
    "two-byte characters beyond it": ("é" * 33, False),
    "emoji at the limit": ("🙂" * 16, True),
    "emoji beyond it": ("🙂" * 17, False),
    "lone surrogates at the limit": ("\ud800" * 21 + "x", True),
    "lone surrogates beyond it": ("\ud800" * 22, False),
}


@pytest.mark.parametrize(("filling", "fits"), situations(SIZES))
def test_the_size_of_a_message(filling: str, fits: bool) -> None:
    """Counted in bytes of UTF-8; a larger one closes with a reason that says so."""
    frame = '{"type":"ping","filling":"%s"}'
    limit = len(frame % "") + 64

    outcome = protocol_in(State.READY, limit=limit).receive_text(frame % filling)

    if fits:
        assert outcome == Ping(None)
    else:
        assert outcome == Close(4400, f"The message is larger than {limit} bytes")


def test_an_acknowledgement_after_the_close() -> None:
    """A connection that is closed stays closed."""
    protocol = protocol_in(State.INITIALISING)
    protocol.close()

    protocol.acknowledge()

    assert protocol.state is State.CLOSED


def test_an_acknowledgement_before_connection_init() -> None:
    """It means nothing."""
    protocol = protocol_in(State.CONNECTED)

    protocol.acknowledge()

    assert protocol.state is State.CONNECTED
