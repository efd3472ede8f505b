"""What the server sends: each text holds exactly its message's keys."""

from __future__ import annotations

from typing import Any

import pytest

from django_gqlws.protocol import messages
from django_gqlws.protocol.codec import encode
from django_gqlws.protocol.dialects import TRANSPORT_WS
from django_gqlws.protocol.messages import Subscribe
from tests.support.tables import situations
from tests.support.wire import read_server_message

ID = 'a "quoted"\n🙂 id'
SENT = {
    "connection_ack": (messages.connection_ack(), {"type": "connection_ack"}),
    "connection_ack with a payload": (
        messages.connection_ack('{"a":1}'),
        {"type": "connection_ack", "payload": {"a": 1}},
    ),
    "ping": (TRANSPORT_WS.keep_alive, {"type": "ping"}),
    "pong": (messages.pong(None), {"type": "pong"}),
    "pong with an empty payload": (messages.pong({}), {"type": "pong", "payload": {}}),
    "pong with a big integer": (messages.pong({"n": 10**30}), {"type": "pong", "payload": {"n": 10**30}}),
    "next": (
        messages.head(encode(ID), "next") + '{"data":null}' + "}",
        {"id": ID, "type": "next", "payload": {"data": None}},
    ),
    "error": (
        *TRANSPORT_WS.fail(encode(ID), '[{"message":"no"}]'),
        {"id": ID, "type": "error", "payload": [{"message": "no"}]},
    ),
    "complete": (messages.complete(encode(ID)), {"id": ID, "type": "complete"}),
    "a lone surrogate in the id": (messages.complete(encode("\ud800")), {"id": "\ud800", "type": "complete"}),
}


@pytest.mark.parametrize(("text", "message"), situations(SENT))
def test_a_message_of_the_server(text: str, message: dict[str, Any]) -> None:
    """It is strict JSON of a known shape, and UTF-8 can carry it."""
    assert read_server_message(text) == message
    assert text.encode()


def test_what_a_subscribe_leaves_out() -> None:
    """Absent and null are the same."""
    for payload in ({"query": "{ a }"}, {"query": "{ a }", "operationName": None, "variables": None}):
        request = Subscribe("1", payload)

        assert (request.query, request.operation_name, request.variables) == ("{ a }", None, {})
