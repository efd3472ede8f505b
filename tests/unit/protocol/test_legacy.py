"""The state machine in the legacy dialect `graphql-ws`, and how a dialect is chosen."""

from __future__ import annotations

import json
from collections.abc import Container
from itertools import product
from typing import Any

import pytest

from django_gqlws.conf import SUBPROTOCOLS
from django_gqlws.protocol.close import Close
from django_gqlws.protocol.codec import encode
from django_gqlws.protocol.dialect import Dialect, Reply, State
from django_gqlws.protocol.dialects import DIALECTS, LEGACY, TRANSPORT_WS, choose
from django_gqlws.protocol.messages import Complete, ConnectionInit, Replace, Subscribe
from django_gqlws.protocol.server import ServerProtocol
from tests.support.tables import situations

QUERY = {"query": "{ a }"}
SUBSCRIBE = Subscribe("1", QUERY)


def protocol_in(state: State, *, live: Container[str] = (), limit: int = 1_000_000) -> ServerProtocol:
    protocol = ServerProtocol(LEGACY, live, limit)
    if state is not State.CONNECTED:
        protocol.receive_text('{"type":"connection_init"}')
    if state is State.READY:
        protocol.acknowledge()
    assert protocol.state is state
    return protocol


def error(reason: str, id: str | None = None) -> Reply:
    """What the server answers to a broken message; as the old library words it."""
    errors = [{"message": f"Exception: {reason}", "extensions": {"code": "Exception"}}]
    return Reply(encode({"id": id, "type": "error", "payload": {"errors": errors}}))


EXAMPLES: dict[str, tuple[dict[str, Any], object]] = {
    "connection_init": ({"payload": {"a": 1}}, ConnectionInit({"a": 1})),
    "start": ({"id": "1", "payload": QUERY}, SUBSCRIBE),
    "stop": ({"id": "1"}, Complete("1")),
    "connection_terminate": ({}, Close(1000, "")),
}

LEADS_TO: dict[tuple[State, str], State | Reply] = {
    (State.CONNECTED, "connection_init"): State.INITIALISING,
    (State.INITIALISING, "connection_init"): error("There was a connection_init before"),
    (State.READY, "connection_init"): error("There was a connection_init before"),
    (State.CONNECTED, "start"): error("A connection_init must come first", "1"),
    **{(state, "connection_terminate"): State.CLOSED for state in (State.CONNECTED, State.INITIALISING, State.READY)},
}
"""The rules, written down a second time; everything else leaves the state as it is."""

OPEN = [State.CONNECTED, State.INITIALISING, State.READY]


@pytest.mark.parametrize(("state", "kind"), list(product(OPEN, LEGACY.forms)), ids=str)
def test_each_message_in_each_state(state: State, kind: str) -> None:
    """It gives its event and the next state, or an answer that changes nothing."""
    fields, event = EXAMPLES[kind]
    protocol = protocol_in(state)

    outcome = protocol.receive_text(json.dumps({"type": kind, **fields}))

    expected = LEADS_TO.get((state, kind), state)
    if isinstance(expected, State):
        assert (outcome, protocol.state) == (event, expected)
    else:
        assert (outcome, protocol.state) == (expected, state)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.subprotocol))
def test_the_table_of_transitions_names_known_messages_only(dialect: Dialect) -> None:
    """A misspelt rule would never apply."""
    assert {kind for _, kind in dialect.transitions} <= dialect.forms.keys()


BROKEN: dict[str, tuple[str | None, Reply]] = {
    "a binary frame": (None, error("Binary frames are not part of the protocol")),
    "no JSON": ("hello", error("The message is not valid JSON")),
    "empty text": ("", error("The message is not valid JSON")),
    "100,000 nested brackets": ("[" * 100_000, error("The message is not valid JSON")),
    "a list": ("[]", error("The message must be a JSON object")),
    "no type": ('{"id":"7"}', error("The message has no type", "7")),
    "a type that is no text": ('{"type":[],"id":"7"}', error("The message has no type", "7")),
    "an unknown type": ('{"type":"wrong","id":"7"}', error("Wrong message type 'WRONG'!", "7")),
    "an unknown type without an id": ('{"type":"wrong"}', error("Wrong message type 'WRONG'!")),
    "an unknown type and a strange id": ('{"type":"wrong","id":7}', error("Wrong message type 'WRONG'!")),
    "a type of the other dialect": ('{"type":"subscribe","id":"7"}', error("Wrong message type 'SUBSCRIBE'!", "7")),
    "a start without an id": ('{"type":"start","payload":{}}', error("start: 'id' must be a non-empty string")),
    "a start without a payload": ('{"type":"start","id":"7"}', error("start: 'payload' must be an object", "7")),
    "a start without a query": (
        '{"type":"start","id":"7","payload":{}}',
        error("start: 'query' must be a string", "7"),
    ),
    "a stop without an id": ('{"type":"stop"}', error("stop: 'id' must be a non-empty string")),
    "an init with a wrong payload": (
        '{"type":"connection_init","payload":5}',
        error("connection_init: 'payload' must be an object or null"),
    ),
}


@pytest.mark.parametrize(("text", "answer"), situations(BROKEN))
def test_a_broken_message(text: str | None, answer: Reply) -> None:
    """An error message with the id that it named, or null; the socket lives and the state is what it was."""
    protocol = protocol_in(State.CONNECTED)

    assert protocol.receive_text(text) == answer
    assert protocol.state is State.CONNECTED


def test_a_message_that_is_too_large() -> None:
    """A limit is a limit in every dialect: 4400."""
    protocol = protocol_in(State.READY, limit=100)

    assert protocol.receive_text(" " * 101) == Close(4400, "The message is larger than 100 bytes")


def test_an_id_in_use() -> None:
    """The new operation takes the place of the old one."""
    protocol = protocol_in(State.READY, live={"1"})

    assert protocol.receive_text(json.dumps({"type": "start", "id": "1", "payload": QUERY})) == Replace(SUBSCRIBE)


def test_after_connection_terminate() -> None:
    """Nothing means anything."""
    protocol = protocol_in(State.READY)
    protocol.receive_text('{"type":"connection_terminate"}')

    assert protocol.receive_text(json.dumps({"type": "start", "id": "1", "payload": QUERY})) is None


NEW, OLD = "graphql-transport-ws", "graphql-ws"

CHOICES: dict[str, tuple[list[str], list[str], Dialect | None]] = {
    "both, the legacy one first": ([OLD, NEW], [OLD, NEW], TRANSPORT_WS),
    "both, the legacy one last": ([NEW, OLD], [NEW, OLD], TRANSPORT_WS),
    "only the legacy one is offered": ([OLD], [NEW, OLD], LEGACY),
    "only the legacy one is enabled": ([NEW, OLD], [OLD], LEGACY),
    "the legacy one is not enabled": ([OLD], [NEW], None),
    "nothing is offered": ([], [NEW, OLD], None),
    "other names": (["Graphql-WS", "soap"], [NEW, OLD], None),
}


@pytest.mark.parametrize(("offered", "enabled", "dialect"), situations(CHOICES))
def test_the_choice_of_a_dialect(offered: list[str], enabled: list[str], dialect: Dialect | None) -> None:
    """The best that both know, in whatever order they are named."""
    assert choose(offered, enabled) is dialect


def test_every_dialect_can_be_enabled() -> None:
    """The settings know the same names."""
    assert tuple(dialect.subprotocol for dialect in DIALECTS) == SUBPROTOCOLS
