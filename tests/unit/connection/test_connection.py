"""One client, from `connection_init` to the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import graphene
import pytest
from django.core.exceptions import PermissionDenied
from graphql import GraphQLError

from django_gqlws.connection import Hooks as DefaultHooks
from django_gqlws.protocol.close import Close
from tests.project.journal import Event, journal
from tests.support.notes import Notes
from tests.support.tables import situations
from tests.unit.connection.peer import Hooks, connect

ACKS: dict[str, tuple[Any, dict[str, Any]]] = {
    "nothing": (None, {"type": "connection_ack"}),
    "a dict": ({"a": 1}, {"type": "connection_ack", "payload": {"a": 1}}),
    "an empty dict": ({}, {"type": "connection_ack", "payload": {}}),
    "something else": ([1], {"type": "connection_ack"}),
}


@pytest.mark.parametrize(("answer", "ack"), situations(ACKS))
async def test_what_on_connect_returns(answer: Any, ack: dict[str, Any]) -> None:
    """A dict becomes the payload of the ack."""
    async with connect(Hooks(on_connect=lambda payload: answer), init=False) as peer:
        peer.send(type="connection_init")

        assert await peer.receive() == ack


PAYLOADS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "absent": ({}, {}),
    "null": ({"payload": None}, {}),
    "an object": ({"payload": {"a": 1}}, {"a": 1}),
}


@pytest.mark.parametrize(("fields", "expected"), situations(PAYLOADS))
async def test_what_on_connect_gets(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """Always a dict."""
    seen: list[Any] = []
    async with connect(Hooks(on_connect=seen.append), init=False) as peer:
        peer.send(type="connection_init", **fields)
        await peer.receive()

    assert seen == [expected]


REFUSALS: dict[str, tuple[Exception, str]] = {
    "a GraphQLError": (GraphQLError("Send a token."), "Send a token."),
    "PermissionDenied": (PermissionDenied("Not you."), "Not you."),
    "another exception": (ValueError("a secret"), "Forbidden"),
}


@pytest.mark.parametrize(("error", "reason"), situations(REFUSALS))
async def test_on_connect_raises(error: Exception, reason: str) -> None:
    """No ack, close 4403, and a subscribe that was on its way is not executed."""

    def refuse(payload: Any) -> None:
        raise error

    async with connect(Hooks(on_connect=refuse), init=False) as peer:
        peer.send(type="connection_init")

        assert await peer.receive() == {"code": 4403, "reason": reason}
        peer.subscribe("1", "{ value }")
        peer.assert_silence()


async def test_on_connect_waits_for_something_that_was_cancelled() -> None:
    """The client is refused, as by any other exception."""

    def cancelled(payload: Any) -> None:
        raise asyncio.CancelledError

    async with connect(Hooks(on_connect=cancelled), init=False) as peer:
        peer.send(type="connection_init")

        assert await peer.receive() == {"code": 4403, "reason": "Forbidden"}


@pytest.mark.parametrize(
    ("error", "level"), [(GraphQLError("Not you."), logging.INFO), (ValueError("a secret"), logging.ERROR)]
)
async def test_the_log_of_a_refusal(error: Exception, level: int, log: Notes[tuple[int, str]]) -> None:
    """It is an error of the application if nobody meant it."""

    def refuse(payload: Any) -> None:
        raise error

    async with connect(Hooks(on_connect=refuse), init=False) as peer:
        peer.send(type="connection_init")
        await peer.receive()

    assert log == [(level, f"A client was refused: {type(error).__name__}: {error}")]


async def test_while_on_connect_runs() -> None:
    """A ping is answered, a subscribe is 4401, and no ack follows."""
    gate = asyncio.Event()

    class Slow(Hooks):
        async def on_connect(self, payload: Any) -> None:
            await gate.wait()

    async with connect(Slow(), init=False) as peer:
        peer.send(type="connection_init")
        peer.send(type="ping", payload={"a": 1})
        assert await peer.receive() == {"type": "pong", "payload": {"a": 1}}
        peer.subscribe("1", "{ value }")
        assert await peer.receive() == {"code": 4401, "reason": "Unauthorized"}
        gate.set()

    peer.assert_silence()


class Gate:
    """Refuses everybody while it is shut."""

    is_open = False

    async def ask(self, scope: Any) -> Close:
        return Close(4403, "You are blocked")


@pytest.mark.parametrize("hooks", [DefaultHooks(), Hooks()], ids=["without on_connect", "with on_connect"])
async def test_a_gate_that_is_shut(hooks: DefaultHooks) -> None:
    """The client is closed instead of acknowledged, whether or not there is an `on_connect`."""
    async with connect(hooks, init=False) as peer:
        peer.connection.gate = Gate()

        peer.send(type="connection_init")

        assert await peer.receive() == {"code": 4403, "reason": "You are blocked"}


async def test_no_connection_init_in_time() -> None:
    """Close 4408."""
    async with connect(init=False, connection_init_wait_timeout=0.001) as peer:
        assert await peer.receive() == {"code": 4408, "reason": "Connection initialisation timeout"}


async def test_a_query() -> None:
    """`next` with the data, then `complete`; the id is free again."""
    async with connect() as peer:
        for _ in range(2):
            peer.subscribe("1", "{ value }")

            await peer.expect_next("1", value="value")
            assert await peer.receive() == {"id": "1", "type": "complete"}


async def test_an_id_in_use() -> None:
    """Close 4409, and the operation that has it is cancelled."""
    async with connect() as peer:
        peer.subscribe("1", "query ($key: String!) { slowValue(key: $key) }", key="in use")
        await journal.reached(Event.STARTED, "in use")
        peer.subscribe("1", "{")

        assert await peer.receive() == {"code": 4409, "reason": "Subscriber for 1 already exists"}
        await journal.reached(Event.CANCELLED, "in use")


async def test_too_many_operations() -> None:
    """The new one gets an `error`, the others and the socket live."""
    slow = "query ($key: String!) { slowValue(key: $key) }"
    async with connect(max_operations=2) as peer:
        peer.subscribe("1", slow, key="many")
        peer.subscribe("2", slow, key="never")
        peer.subscribe("3", "{ value }")

        refused = await peer.receive()
        assert (refused["id"], refused["type"]) == ("3", "error")
        assert refused["payload"][0]["message"].startswith("This connection has 2 running operations")
        peer.complete("2")
        journal.note(Event.OPENED, "many")
        await peer.expect_next("1", slowValue="many")
        assert await peer.receive() == {"id": "1", "type": "complete"}
        assert await peer.execute("{ value }") == {"data": {"value": "value"}}


async def test_on_operation_raises() -> None:
    """The operation gets an `error`, the others and the socket live."""

    def refuse(op_id: str, payload: Any) -> None:
        if "syncValue" in payload["query"]:
            raise GraphQLError("not that one")

    async with connect(Hooks(on_operation=refuse)) as peer:
        peer.subscribe("1", "{ syncValue }")

        assert await peer.receive() == {"id": "1", "type": "error", "payload": [{"message": "not that one"}]}
        assert await peer.execute("{ value }") == {"data": {"value": "value"}}


@pytest.mark.parametrize("echo", [False, True])
async def test_complete_from_the_client(echo: bool) -> None:
    """The operation is cancelled; a `complete` comes back only if the setting says so, and only for a live id."""
    async with connect(echo_complete=echo) as peer:
        peer.subscribe("1", "query ($key: String!) { slowValue(key: $key) }", key=f"echo {echo}")
        await journal.reached(Event.STARTED, f"echo {echo}")
        peer.complete("1")
        await journal.reached(Event.CANCELLED, f"echo {echo}")
        peer.complete("1")
        peer.complete("unknown")

        if echo:
            assert await peer.receive() == {"id": "1", "type": "complete"}
        assert await peer.execute("{ value }") == {"data": {"value": "value"}}


async def test_an_id_used_again_at_once() -> None:
    """Nothing of the old operation reaches the new one."""
    slow = "query ($key: String!) { slowValue(key: $key) }"
    async with connect() as peer:
        peer.subscribe("1", slow, key="old")
        peer.complete("1")
        peer.subscribe("1", slow, key="new")
        journal.note(Event.OPENED, "old")
        journal.note(Event.OPENED, "new")

        await peer.expect_next("1", slowValue="new")
        assert await peer.receive() == {"id": "1", "type": "complete"}


async def test_a_mutation_when_the_socket_is_gone() -> None:
    """It runs to its end; a query is cancelled."""
    async with connect() as peer:
        peer.subscribe("1", 'mutation { slowRecord(key: "gone") }')
        peer.subscribe("2", '{ slowValue(key: "gone query") }')
        await journal.reached(Event.STARTED, "gone")
        await journal.reached(Event.STARTED, "gone query")
        closing = asyncio.create_task(peer.connection.disconnected(1006))
        await journal.reached(Event.CANCELLED, "gone query")
        assert not closing.done()

        journal.note(Event.OPENED, "gone")
        await closing

    assert journal.count(Event.EXECUTED, "gone") == 1
    peer.assert_silence()


async def test_a_malformed_message() -> None:
    """4400, what runs is cancelled, and nothing behind it counts."""
    async with connect() as peer:
        peer.subscribe("1", '{ slowValue(key: "malformed") }')
        await journal.reached(Event.STARTED, "malformed")
        peer.connection.receive_text("{")
        peer.send(type="ping")
        peer.subscribe("2", 'mutation { record(key: "malformed") }')

        assert await peer.receive() == {"code": 4400, "reason": "The message is not valid JSON"}
        await journal.reached(Event.CANCELLED, "malformed")

    assert journal.count(Event.EXECUTED, "malformed") == 0
    peer.assert_silence()


NESTED = '{"type":"ping","payload":{"a":' + "[" * 1_000 + "]" * 1_000 + "}}"


async def test_a_ping_that_is_hard_to_repeat() -> None:
    """What could be read, but nests too deeply to be written, is answered or refused; nothing is raised."""
    async with connect() as peer:
        peer.connection.receive_text(NESTED)

        answer = await peer.receive()

    assert answer.get("type") == "pong" or answer["code"] == 4400


async def test_pings_of_the_server() -> None:
    """They begin after the ack, and pongs are taken without an answer."""
    async with connect(send_ping_every=0.001) as peer:
        for _ in range(3):
            assert await peer.receive() == {"type": "ping"}
            peer.send(type="pong")


@pytest.fixture
async def log(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Notes[tuple[int, str]]]:
    """The levels and messages of our loggers."""
    notes: Notes[tuple[int, str]] = Notes()
    handler = logging.Handler()
    handler.emit = lambda record: notes.add((record.levelno, record.getMessage()))  # type: ignore[method-assign]
    caplog.set_level(logging.DEBUG, "django_gqlws")
    logging.getLogger("django_gqlws").addHandler(handler)
    yield notes
    logging.getLogger("django_gqlws").removeHandler(handler)


SLOW = {
    "a query": ("query ($key: String!) { slowValue(key: $key) }", 0.001, True),
    "a mutation": ("mutation ($key: String!) { slowRecord(key: $key) }", 0.001, True),
    "a quick one": ("query ($key: String) { echoText(text: $key) }", 60, False),
    "the warning is off": ("query ($key: String!) { slowValue(key: $key) }", None, False),
}


@pytest.mark.parametrize(("query", "seconds", "warns"), situations(SLOW))
async def test_an_operation_that_takes_long(
    log: Notes[tuple[int, str]], query: str, seconds: float | None, warns: bool
) -> None:
    """It is logged while it runs, the document and the variables at DEBUG only."""
    key = f"{query} {seconds}"
    async with connect(warn_operation_timeout=seconds) as peer:
        peer.subscribe("7", query, key=key)
        if warns:
            await log.reached(2)
        journal.note(Event.OPENED, key)
        await peer.receive()

    expected = [
        (logging.WARNING, "The operation with the id '7' takes longer than 0.001 seconds."),
        (logging.DEBUG, f"The operation with the id '7': {query} {{'key': '{key}'}}"),
    ]
    assert log == (expected if warns else [])


async def test_errors_are_masked() -> None:
    """What was not meant for the client stays on the server."""
    async with connect() as peer:
        result = await peer.execute("{ failing refused }")

    messages = {error["path"][0]: error["message"] for error in result["errors"]}
    assert messages == {"failing": "Internal server error", "refused": "not for you"}


async def test_errors_are_not_masked() -> None:
    """If the setting says so."""
    async with connect(mask_errors=False) as peer:
        result = await peer.execute("{ failing }")

    assert result["errors"][0]["message"] == "a secret of the server"


async def test_results_side_by_side() -> None:
    """A quick operation overtakes a slow one."""
    async with connect() as peer:
        peer.subscribe("slow", '{ slowValue(key: "overtaken") }')
        assert await peer.execute("{ value }") == {"data": {"value": "value"}}
        journal.note(Event.OPENED, "overtaken")

        await peer.expect_next("slow", slowValue="overtaken")


async def test_context_variables_of_on_connect() -> None:
    """Operations see them; what an operation sets is its own."""
    language: ContextVar[str] = ContextVar("language", default="none")

    class Query(graphene.ObjectType):
        language = graphene.String(code=graphene.String())

        @staticmethod
        async def resolve_language(root: Any, info: Any, code: str | None = None) -> str:
            seen = language.get()
            if code:
                language.set(code)
            return seen

    hooks = Hooks(on_connect=lambda payload: language.set("en") and None)
    async with connect(hooks, schema=graphene.Schema(query=Query)) as peer:
        assert await peer.execute('{ language(code: "fr") }') == {"data": {"language": "en"}}
        assert await peer.execute("{ language }") == {"data": {"language": "en"}}
