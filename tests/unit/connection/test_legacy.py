"""One client that speaks the legacy dialect `graphql-ws`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from graphql import GraphQLError

from django_gqlws.protocol.dialects import LEGACY
from tests.project.journal import Event, journal
from tests.support.tables import situations
from tests.unit.connection import peer as peers
from tests.unit.connection.peer import Hooks, Peer

SLOW = "query ($key: String!) { slowValue(key: $key) }"
RECORD = "mutation ($key: String!) { record(key: $key) }"


def connect(hooks: Any = None, **options: Any) -> AbstractAsyncContextManager[Peer]:
    return peers.connect(hooks, dialect=LEGACY, **options)


def start(peer: Peer, id: str, query: str, **variables: Any) -> None:
    peer.send(type="start", id=id, payload={"query": query, "variables": variables})


def stop(peer: Peer, id: str) -> None:
    peer.send(type="stop", id=id)


def raiser(error: Exception) -> Callable[..., Any]:
    def refuse(*args: Any) -> None:
        raise error

    return refuse


async def test_a_query() -> None:
    """`data`, then `complete`."""
    async with connect() as peer:
        start(peer, "1", "{ value }")

        assert await peer.receive() == {"id": "1", "type": "data", "payload": {"data": {"value": "value"}}}
        assert await peer.receive() == {"id": "1", "type": "complete"}


async def test_a_resolver_that_raises() -> None:
    """Its error is inside of the data message."""
    async with connect() as peer:
        start(peer, "1", "{ value refused }")

        payload = (await peer.receive())["payload"]
        assert payload["data"] == {"value": "value", "refused": None}
        assert [error["message"] for error in payload["errors"]] == ["not for you"]
        assert (await peer.receive())["type"] == "complete"


INVALID = {
    "a syntax error": "{",
    "a validation error": "{ nothing }",
    "an unknown operation": "",
    "a variable error": "query ($key: String!) { slowValue(key: $key) }",
    "a subscription that is refused": "subscription { onRefusedMessage { text } }",
    "a subscription with a mistake": "subscription { onMisdeclaredMessage { text } }",
    "a stream that fails at once": "subscription { unavailable }",
}


@pytest.mark.parametrize("query", situations(INVALID))
async def test_an_operation_that_cannot_run(query: str) -> None:
    """`data` without data and with the errors, then `complete`; the id is free."""
    async with connect() as peer:
        for _ in range(2):
            start(peer, "1", query)

            answer = await peer.receive()
            assert (answer["id"], answer["type"], answer["payload"]["data"]) == ("1", "data", None)
            assert answer["payload"]["errors"]
            assert await peer.receive() == {"id": "1", "type": "complete"}


async def test_a_stream_that_fails_later() -> None:
    """The same, behind its values."""
    async with connect() as peer:
        start(peer, "1", "subscription { failsAfter(n: 1) }")

        assert (await peer.receive())["payload"] == {"data": {"failsAfter": 1}}
        failed = (await peer.receive())["payload"]
        assert (failed["data"], failed["errors"][0]["message"]) == (None, "the source failed")
        assert await peer.receive() == {"id": "1", "type": "complete"}


async def test_an_operation_that_may_not_run() -> None:
    """`error`, with the errors in a list of that name."""
    async with connect(Hooks(on_operation=raiser(GraphQLError("not that one")))) as peer:
        start(peer, "1", "{ value }")

        payload = {"errors": [{"message": "not that one"}]}
        assert await peer.receive() == {"id": "1", "type": "error", "payload": payload}
        peer.assert_silence()


async def test_too_many_operations() -> None:
    """`error` for the new one; the socket lives."""
    async with connect(max_operations=1) as peer:
        start(peer, "1", SLOW, key="legacy many")
        start(peer, "2", "{ value }")

        refused = await peer.receive()
        assert (refused["id"], refused["type"]) == ("2", "error")


REJECTIONS: dict[str, tuple[Exception, bool, dict[str, Any]]] = {
    "masked": (RuntimeError("text"), True, {"message": "Forbidden"}),
    "not masked": (
        RuntimeError("text"),
        False,
        {"message": "RuntimeError: text", "extensions": {"code": "RuntimeError"}},
    ),
    "a GraphQLError": (
        GraphQLError("Send a token.", extensions={"code": "TOKEN"}),
        True,
        {"message": "Send a token.", "extensions": {"code": "TOKEN"}},
    ),
    "PermissionDenied": (PermissionDenied("Not you."), True, {"message": "Not you."}),
    "extensions that are no JSON": (
        GraphQLError("Send a token.", extensions={"code": object()}),
        True,
        {"message": "Send a token."},
    ),
}


@pytest.mark.parametrize(("error", "mask", "payload"), situations(REJECTIONS))
async def test_on_connect_raises(
    error: Exception, mask: bool, payload: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """connection_error says why, then close 4000; a start that was on its way is not executed."""
    caplog.set_level(logging.CRITICAL)
    async with connect(Hooks(on_connect=raiser(error)), init=False, mask_errors=mask) as peer:
        peer.send(type="connection_init")
        start(peer, "1", RECORD, key="rejected")

        assert await peer.receive() == {"type": "connection_error", "payload": payload}
        assert (await peer.receive())["code"] == 4000
        peer.assert_silence()

    assert journal.count(Event.EXECUTED, "rejected") == 0


class SlowDoorman(Hooks):
    """Decides when its gate opens."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self._error = error

    async def on_connect(self, payload: Mapping[str, Any]) -> None:
        await self.gate.wait()
        if self._error is not None:
            raise self._error


async def test_operations_right_behind_connection_init() -> None:
    """They wait for the ack, then they run in their order: old clients do not wait for it themselves."""
    hooks = SlowDoorman()
    async with connect(hooks, init=False) as peer:
        peer.send(type="connection_init")
        start(peer, "1", RECORD, key="early")
        start(peer, "2", "{ value }")
        start(peer, "3", RECORD, key="stopped early")
        stop(peer, "3")
        assert await peer.receive() == {"id": "3", "type": "complete"}
        assert journal.count(Event.EXECUTED, "early") == 0

        hooks.gate.set()

        assert await peer.receive() == {"type": "connection_ack"}
        assert (await peer.receive())["id"] == "1"
        assert await peer.receive() == {"id": "1", "type": "complete"}
        assert (await peer.receive())["id"] == "2"
        assert await peer.receive() == {"id": "2", "type": "complete"}

    assert journal.count(Event.EXECUTED, "early") == 1
    assert journal.count(Event.EXECUTED, "stopped early") == 0


async def test_operations_behind_a_connection_init_that_is_rejected() -> None:
    """They never run."""
    hooks = SlowDoorman(PermissionDenied("no"))
    async with connect(hooks, init=False) as peer:
        peer.send(type="connection_init")
        start(peer, "1", RECORD, key="never")
        hooks.gate.set()

        assert (await peer.receive())["type"] == "connection_error"
        assert (await peer.receive())["code"] == 4000

    assert journal.count(Event.EXECUTED, "never") == 0


async def test_a_start_before_connection_init() -> None:
    """It is refused; the socket lives."""
    async with connect(init=False) as peer:
        start(peer, "1", RECORD, key="first")

        refused = await peer.receive()
        assert (refused["id"], refused["type"]) == ("1", "error")
        peer.send(type="connection_init")
        assert await peer.receive() == {"type": "connection_ack"}

    assert journal.count(Event.EXECUTED, "first") == 0


async def test_a_start_with_a_live_id() -> None:
    """The old operation is cancelled, and only the new one is heard of."""
    async with connect() as peer:
        start(peer, "1", SLOW, key="replaced")
        await journal.reached(Event.STARTED, "replaced")

        start(peer, "1", "{ value }")

        assert await peer.receive() == {"id": "1", "type": "data", "payload": {"data": {"value": "value"}}}
        assert await peer.receive() == {"id": "1", "type": "complete"}
        await journal.reached(Event.CANCELLED, "replaced")


async def test_a_stop() -> None:
    """It cancels and is answered with `complete`, once; an unknown id is ignored."""
    async with connect() as peer:
        start(peer, "1", SLOW, key="stopped")
        await journal.reached(Event.STARTED, "stopped")
        stop(peer, "unknown")
        stop(peer, "1")
        stop(peer, "1")

        assert await peer.receive() == {"id": "1", "type": "complete"}
        await journal.reached(Event.CANCELLED, "stopped")
        peer.assert_silence()


async def test_keep_alives() -> None:
    """The first comes right behind the ack."""
    async with connect(init=False, send_ping_every=0.001) as peer:
        peer.send(type="connection_init")

        assert await peer.receive() == {"type": "connection_ack"}
        for _ in range(3):
            assert await peer.receive() == {"type": "ka"}


async def test_no_connection_init_in_time() -> None:
    """The timeout is a rule of the other dialect."""
    at_once = {"init": False, "connection_init_wait_timeout": 0.001}
    async with connect(**at_once) as peer, peers.connect(**at_once) as other:
        assert (await other.receive())["code"] == 4408

        peer.send(type="connection_init")
        assert await peer.receive() == {"type": "connection_ack"}


async def test_connection_terminate() -> None:
    """Close 1000, at once, also where operations run one at a time."""
    async with connect(strict_ordering=True) as peer:
        start(peer, "1", SLOW, key="terminated")
        await journal.reached(Event.STARTED, "terminated")
        start(peer, "2", RECORD, key="behind")

        peer.send(type="connection_terminate")

        assert await peer.receive() == {"code": 1000, "reason": ""}
        await journal.reached(Event.CANCELLED, "terminated")

    assert journal.count(Event.EXECUTED, "behind") == 0


async def test_a_stop_with_strict_ordering() -> None:
    """It does not queue behind the operation that it stops."""
    async with connect(strict_ordering=True) as peer:
        start(peer, "1", SLOW, key="in front")
        start(peer, "2", "{ value }")
        await journal.reached(Event.STARTED, "in front")

        stop(peer, "1")

        assert await peer.receive() == {"id": "1", "type": "complete"}
        assert (await peer.receive())["payload"] == {"data": {"value": "value"}}
        assert await peer.receive() == {"id": "2", "type": "complete"}


async def test_a_broken_message() -> None:
    """An error message; what runs goes on."""
    async with connect() as peer:
        start(peer, "1", SLOW, key="goes on")
        peer.connection.receive_text("{")

        assert (await peer.receive())["type"] == "error"
        journal.note(Event.OPENED, "goes on")
        assert (await peer.receive())["payload"] == {"data": {"slowValue": "goes on"}}
