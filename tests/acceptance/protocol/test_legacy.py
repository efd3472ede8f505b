"""The legacy dialect `graphql-ws`, where the settings name it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from tests.support.client import GRAPHQL_WS, Client, Closed, connect
from tests.support.project import Inside, ProjectServer

RECORD = "mutation ($key: String!) { record(key: $key) }"
SLOW = "query ($key: String!) { slowValue(key: $key) }"
SILENT = "subscription ($key: String!) { silent(key: $key) }"
ON_MESSAGE = "subscription ($group: String!, $key: String) { onMessage(group: $group, key: $key) { text } }"

NEW, OLD = "graphql-transport-ws", "graphql-ws"


@asynccontextmanager
async def speak(project: ProjectServer, path: str = "legacy/") -> AsyncIterator[Client]:
    """An open socket that speaks the legacy dialect and has said nothing yet."""
    async with connect(project.url(path), subprotocols=[GRAPHQL_WS]) as client:
        assert client.subprotocol == OLD
        yield client


@pytest.fixture
async def old(project: ProjectServer) -> AsyncIterator[Client]:
    """An acknowledged connection of an old client."""
    async with speak(project) as client:
        await client.init()
        yield client


async def barrier(client: Client) -> list[dict[str, Any]]:
    """Everything the server sent before the answer to a query asked now."""
    await client.start("barrier", "{ value }")
    return (await client.receive_until("complete", id="barrier"))[:-2]


async def execute(client: Client, query: str, **variables: Any) -> dict[str, Any]:
    await client.start("execute", query, variables)
    result = await client.receive()
    assert (result["id"], result["type"]) == ("execute", "data"), result
    assert await client.receive() == {"id": "execute", "type": "complete"}
    payload: dict[str, Any] = result["payload"]
    return payload


class TestHandshake:
    @pytest.mark.parametrize(
        ("path", "offered", "chosen"),
        [
            ("legacy/", [OLD], OLD),
            ("legacy/", ["soap", OLD], OLD),
            ("legacy/", [OLD, NEW], NEW),
            ("legacy/", [NEW, OLD], NEW),
            ("legacy/", [NEW], NEW),
            ("legacy-only/", [OLD], OLD),
            ("legacy-only/", [NEW, OLD], OLD),
        ],
    )
    async def test_the_legacy_dialect_is_never_preferred(
        self, project: ProjectServer, path: str, offered: list[str], chosen: str
    ) -> None:
        """It is chosen only where nothing better is offered and enabled."""
        async with connect(project.url(path), subprotocols=offered) as client:
            assert client.subprotocol == chosen
            assert await client.init() == {"type": "connection_ack"}

    @pytest.mark.parametrize(("path", "offered"), [("graphql/", [OLD]), ("legacy-only/", [NEW]), ("legacy/", None)])
    async def test_nothing_acceptable(self, project: ProjectServer, path: str, offered: list[str] | None) -> None:
        """Accepted without a subprotocol, then closed with 4406: the default is without the legacy dialect."""
        async with connect(project.url(path), subprotocols=offered) as client:
            assert client.subprotocol is None
            await client.expect_close(4406, project.reason("Subprotocol not acceptable"))

    async def test_a_foreign_origin(self, project: ProjectServer) -> None:
        """It is refused as in the other dialect."""
        async with connect(project.url("legacy/"), subprotocols=[OLD], origin="https://foreign.example") as client:
            await client.expect_close(4403)


class TestInit:
    @pytest.mark.parametrize("init", [{}, {"payload": None}, {"payload": {}}, {"payload": {"token": "t"}}])
    async def test_it_is_acknowledged(self, project: ProjectServer, init: dict[str, Any]) -> None:
        """Whatever object the payload is, if there is one."""
        async with speak(project) as client:
            await client.send(type="connection_init", **init)

            assert await client.receive() == {"type": "connection_ack"}

    async def test_the_payload_of_the_ack(self, project: ProjectServer) -> None:
        """What on_connect returns."""
        async with speak(project) as client:
            assert await client.init({"ack": {"a": 1}}) == {"type": "connection_ack", "payload": {"a": 1}}

    async def test_keep_alives(self, project: ProjectServer) -> None:
        """`ka` right behind the ack, then in intervals."""
        async with speak(project, "legacy-pinging/") as client:
            await client.init()

            for _ in range(3):
                assert await client.receive() == {"type": "ka"}

    async def test_no_keep_alives_by_default(self, old: Client) -> None:
        """Nothing comes with the ack."""
        assert await barrier(old) == []

    async def test_a_rejection(self, project: ProjectServer) -> None:
        """connection_error with the exception, then close 4000."""
        async with speak(project, "legacy-frank/") as client:
            await client.send(type="connection_init", payload={"refuse": "ValueError", "reason": "text"})

            payload = {"message": "ValueError: text", "extensions": {"code": "ValueError"}}
            assert await client.receive() == {"type": "connection_error", "payload": payload}
            await client.expect_close(4000)

    @pytest.mark.parametrize(
        ("refuse", "message"),
        [("ValueError", "Forbidden"), ("GraphQLError", "text"), ("PermissionDenied", "text")],
    )
    async def test_a_masked_rejection(self, project: ProjectServer, refuse: str, message: str) -> None:
        """It says what is meant for the client, and nothing else."""
        async with speak(project) as client:
            await client.send(type="connection_init", payload={"refuse": refuse, "reason": "text"})

            assert await client.receive() == {"type": "connection_error", "payload": {"message": message}}
            await client.expect_close(4000)

    async def test_a_second_init(self, old: Client) -> None:
        """An error message, and no second ack."""
        await old.send(type="connection_init")

        assert [(message["type"], message["id"]) for message in await barrier(old)] == [("error", None)]

    async def test_no_timeout(self, project: ProjectServer) -> None:
        """A client that says nothing stays; the other dialect closes at the same path."""
        async with speak(project, "legacy-ordered/") as client, connect(project.url("legacy-ordered/")) as other:
            await other.expect_close(4408)

            await client.init()


class TestNothingRunsBeforeTheAck:
    async def test_a_start_before_connection_init(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """It is refused with an error message, and never executed."""
        async with speak(project) as client:
            await client.start("1", RECORD, {"key": key})

            refused = await client.receive()
            assert (refused["id"], refused["type"]) == ("1", "error")
            await client.init()
            assert await barrier(client) == []
        assert await inside.count("EXECUTED", key) == 0

    async def test_a_start_right_behind_connection_init(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """It waits until the application has decided, as its clients expect."""
        async with speak(project) as client:
            await client.send_together(
                {"type": "connection_init", "payload": {"gate": key}},
                {"type": "start", "id": "1", "payload": {"query": RECORD, "variables": {"key": key}}},
            )
            await inside.reached("STARTED", key)
            assert await inside.count("EXECUTED", key) == 0

            await inside.open(key)

            assert await client.receive() == {"type": "connection_ack"}
            assert await client.receive() == {"id": "1", "type": "data", "payload": {"data": {"record": 1}}}
            assert await client.receive() == {"id": "1", "type": "complete"}

    async def test_a_start_behind_a_connection_init_that_is_rejected(
        self, project: ProjectServer, inside: Inside, key: str
    ) -> None:
        """It is never executed."""
        async with speak(project) as client:
            await client.send_together(
                {"type": "connection_init", "payload": {"refuse": "PermissionDenied", "reason": "no"}},
                {"type": "start", "id": "1", "payload": {"query": RECORD, "variables": {"key": key}}},
            )

            assert await client.receive() == {"type": "connection_error", "payload": {"message": "no"}}
            await client.expect_close(4000)
        assert await inside.count("EXECUTED", key) == 0


class TestOperations:
    async def test_a_query(self, old: Client) -> None:
        """`data`, then `complete`."""
        assert await execute(old, "{ value }") == {"data": {"value": "value"}}

    async def test_a_mutation(self, old: Client, key: str) -> None:
        """The same."""
        assert await execute(old, RECORD, key=key) == {"data": {"record": 1}}

    async def test_resolver_errors(self, old: Client) -> None:
        """They are inside of the data message, beside the data."""
        result = await execute(old, "{ value refused }")

        assert result["data"] == {"value": "value", "refused": None}
        assert result["errors"][0]["message"] == "not for you"

    @pytest.mark.parametrize(
        "query",
        [
            "{",
            "",
            "{ nothing }",
            "fragment f on Query { value }",
            SLOW,
            "subscription { onRefusedMessage { text } }",
            "subscription { onBrokenMessage { text } }",
            "subscription { onMisdeclaredMessage { text } }",
        ],
    )
    async def test_what_cannot_run(self, old: Client, query: str) -> None:
        """`data` with nothing but errors, then `complete`."""
        result = await execute(old, query)

        assert result["data"] is None
        assert result["errors"]

    async def test_a_mistake_of_subscribe(self, project: ProjectServer) -> None:
        """The client reads which, with masking off."""
        async with speak(project, "legacy-frank/") as client:
            await client.init()
            result = await execute(client, "subscription { onMisdeclaredMessage { text } }")

        assert result["errors"][0]["extensions"] == {"code": "AssertionError"}

    async def test_a_native_stream(self, old: Client) -> None:
        """Its values in order, then `complete`."""
        await old.start("1", "subscription { countTo(n: 3) }")

        for number in (1, 2, 3):
            assert await old.receive() == {"id": "1", "type": "data", "payload": {"data": {"countTo": number}}}
        assert await old.receive() == {"id": "1", "type": "complete"}

    async def test_broadcasts(self, old: Client, inside: Inside, key: str) -> None:
        """They arrive in order; the server's unsubscribe gives `complete`."""
        await old.start("1", ON_MESSAGE, {"group": key, "key": key})
        await inside.reached("STARTED", key)
        assert await barrier(old) == []

        await inside.broadcast_numbers(key, 3)
        await inside.unsubscribe(key)

        for text in ("1", "2", "3"):
            payload = {"data": {"onMessage": {"text": text}}}
            assert await old.receive() == {"id": "1", "type": "data", "payload": payload}
        assert await old.receive() == {"id": "1", "type": "complete"}
        await inside.reached("UNSUBSCRIBED", key)

    async def test_clients_of_both_dialects(
        self, project: ProjectServer, old: Client, inside: Inside, key: str
    ) -> None:
        """They share one execution of a broadcast; each gets it in its own frame."""
        async with connect(project.url("legacy/")) as new:
            await new.init()
            await new.subscribe("new", ON_MESSAGE, {"group": key, "key": key})
            await old.start("old", ON_MESSAGE, {"group": key, "key": key})
            await inside.reached("STARTED", key, 2)
            assert await barrier(old) == await new.barrier() == []

            await inside.broadcast(key, "hello")

            payload = {"data": {"onMessage": {"text": "hello"}}}
            assert await new.receive() == {"id": "new", "type": "next", "payload": payload}
            assert await old.receive() == {"id": "old", "type": "data", "payload": payload}
        assert await inside.count("PUBLISHED", key) == 1

    async def test_a_stop(self, old: Client, inside: Inside, key: str) -> None:
        """The operation is cancelled and released; one `complete` comes back, and nothing else."""
        await old.start("1", SILENT, {"key": key})
        await old.start("2", SLOW, {"key": f"{key} query"})
        await inside.reached("STARTED", key)
        await inside.reached("STARTED", f"{key} query")

        for id in ("1", "2"):
            await old.stop(id)
            await old.stop(id)
            assert await old.receive() == {"id": id, "type": "complete"}

        await inside.reached("RELEASED", key)
        await inside.reached("CANCELLED", f"{key} query")
        assert await barrier(old) == []

    async def test_an_unknown_stop(self, old: Client) -> None:
        """It is ignored."""
        await old.stop("unknown")

        assert await barrier(old) == []

    async def test_a_live_id(self, old: Client, inside: Inside, key: str) -> None:
        """The new operation replaces the old one, of which nothing more is heard."""
        await old.start("1", SILENT, {"key": key})
        await inside.reached("STARTED", key)

        await old.start("1", "{ value }")

        assert await old.receive() == {"id": "1", "type": "data", "payload": {"data": {"value": "value"}}}
        assert await old.receive() == {"id": "1", "type": "complete"}
        await inside.reached("RELEASED", key)
        assert await barrier(old) == []

    async def test_strict_ordering(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """Operations run one at a time; a stop does not wait for its turn."""
        async with speak(project, "legacy-ordered/") as client:
            await client.init()
            await client.start("1", SLOW, {"key": key})
            await inside.reached("STARTED", key)
            await client.start("2", "{ value }")

            await client.stop("1")

            assert await client.receive() == {"id": "1", "type": "complete"}
            assert (await client.receive())["id"] == "2"

    async def test_1_000_operations_at_once(self, old: Client) -> None:
        """All are answered."""
        for number in range(1_000):
            await old.start(str(number), "{ value }")

        done = set()
        while len(done) < 1_000:
            message = await old.receive()
            if message["type"] == "complete":
                done.add(message["id"])


BROKEN: list[tuple[str, str | None]] = [
    ("hello", None),
    ("", None),
    ("[]", None),
    ("1", None),
    ("{}", None),
    ('{"type":null,"id":"7"}', "7"),
    ('{"type":"unknown","id":"7"}', "7"),
    ('{"type":"unknown"}', None),
    ('{"type":"subscribe","id":"7","payload":{"query":"{ value }"}}', "7"),
    ('{"type":"ping"}', None),
    ('{"type":"start","payload":{"query":"{ value }"}}', None),
    ('{"type":"start","id":7,"payload":{"query":"{ value }"}}', None),
    ('{"type":"start","id":"7"}', "7"),
    ('{"type":"start","id":"7","payload":{}}', "7"),
    ('{"type":"start","id":"7","payload":{"query":"{ value }","variables":[]}}', "7"),
    ('{"type":"stop"}', None),
    ("[" * 100_000, None),
]


class TestBrokenMessages:
    @pytest.mark.parametrize(("text", "id"), BROKEN)
    async def test_an_error_message_and_the_socket_lives(self, old: Client, text: str, id: str | None) -> None:
        """It has the id that the message named, or null."""
        await old.send_text(text)

        answer = await old.receive()
        assert (answer["type"], answer["id"]) == ("error", id)
        assert await execute(old, "{ value }") == {"data": {"value": "value"}}

    async def test_an_unknown_type(self, old: Client) -> None:
        """The error names it, as the old library does."""
        await old.send(type="unknown", id="7")

        error = {"message": "Exception: Wrong message type 'UNKNOWN'!", "extensions": {"code": "Exception"}}
        assert await old.receive() == {"id": "7", "type": "error", "payload": {"errors": [error]}}

    async def test_a_binary_frame(self, old: Client) -> None:
        """The same."""
        await old.send_bytes(b"{}")

        assert (await old.receive())["type"] == "error"
        assert await execute(old, "{ value }") == {"data": {"value": "value"}}

    async def test_a_message_that_is_too_large(self, uvicorn: ProjectServer) -> None:
        """4400: a limit is a limit in every dialect. (Daphne itself drops it.)"""
        async with speak(uvicorn) as client:
            await client.init()
            await client.send_text(" " * (1024 * 1024 + 1))

            await client.expect_close(4400)


class TestClosing:
    async def test_connection_terminate(self, old: Client, inside: Inside, key: str) -> None:
        """Close 1000, and everything is released."""
        await old.start("1", SILENT, {"key": key})
        await inside.reached("STARTED", key)

        await old.send(type="connection_terminate")

        await old.expect_close(1000)
        await inside.reached("RELEASED", key)

    async def test_connection_terminate_before_anything(self, project: ProjectServer) -> None:
        """The same."""
        async with speak(project) as client:
            await client.send(type="connection_terminate")

            await client.expect_close(1000)

    async def test_nothing_behind_connection_terminate_runs(self, old: Client, inside: Inside, key: str) -> None:
        """It is final."""
        payload = {"query": RECORD, "variables": {"key": key}}
        with suppress(Closed):
            await old.send_together({"type": "connection_terminate"}, {"type": "start", "id": "1", "payload": payload})

        await old.expect_close(1000)
        assert await inside.count("EXECUTED", key) == 0

    async def test_a_cut_socket(self, old: Client, inside: Inside, key: str) -> None:
        """Its streams are released."""
        await old.start("1", SILENT, {"key": key})
        await inside.reached("STARTED", key)

        old.cut()

        await inside.reached("RELEASED", key)
