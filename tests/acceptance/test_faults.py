"""The fourteen faults of `channels_graphql_ws`, each shown not to be ours over real sockets.

The server runs the application of `migration/sample`. That the tests can fail is shown by the old library:

    FAULTS_OF=channels_graphql_ws python -m pytest tests/acceptance/test_faults.py

There, each of them has a test that fails, but for fault 13: it is the client's, and the client here is ours.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from django_gqlws import GraphqlWsClient, GraphqlWsResponseError, GraphqlWsTransportAiohttp
from tests.acceptance.migration.libraries import OLD_NAME, Copy, migrated, written_for_old
from tests.project.settings import LAYERS
from tests.support.client import Client, connect, connect_in_time
from tests.support.notes import LIMIT
from tests.support.server import Server

LEGACY = "graphql-ws"

ON_MESSAGE = "subscription ($room: String!) { onMessage(room: $room) { text } }"
ON_SLOW = "subscription ($key: String!, $refuse: Boolean! = false) { onSlow(key: $key, refuse: $refuse) { text } }"
ON_PAYLOAD = "subscription { onPayload { ok } }"
HELD = "query ($key: String!) { held(key: $key) }"
TRANSACT = """
    mutation ($room: String!, $key: String!, $fail: Boolean!) { transact(room: $room, key: $key, fail: $fail) { ok } }
"""
HOLD = "mutation ($key: String!) { hold(key: $key) { ok } }"


class Inside:
    """What the application has noted, and its gates, over a socket of their own."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ids = map(str, itertools.count())

    async def noted(self, what: str) -> None:
        """Return as soon as this was noted."""
        await self.ask("query ($what: String!) { noted(what: $what) }", what=what)

    async def count(self, what: str) -> int:
        """How often this was noted so far."""
        return int(await self.ask("query ($what: String!) { timesNoted(what: $what) }", what=what))

    async def open(self, key: str) -> None:
        """Let go what waits at this gate, now and later."""
        await self.ask("mutation ($key: String!) { open(key: $key) }", key=key)

    async def say(self, room: str, text: str) -> None:
        """Broadcast to a room."""
        await self.ask(
            "mutation ($room: String!, $text: String!) { say(room: $room, text: $text) { ok } }", room=room, text=text
        )

    async def ask(self, document: str, **variables: Any) -> Any:
        """The value of the only field of this operation."""
        result = await self._client.execute(next(self._ids), document, variables)
        assert "errors" not in result, result["errors"]
        (answer,) = result["data"].values()
        return answer


@pytest.fixture(scope="module")
def application() -> Iterator[Copy]:
    """The sample application, written for ours, or for the old library."""
    with written_for_old() if os.environ.get("FAULTS_OF") == OLD_NAME else migrated() as copy:
        yield copy


@pytest.fixture(scope="module")
def serve(application: Copy) -> Iterator[Callable[[str], Server]]:
    """A function that serves it with a channel layer (its configuration as JSON), once for all tests."""
    with ExitStack() as stack:
        yield cache(lambda layer: stack.enter_context(application.served(json.loads(layer))))


@pytest.fixture
def server(serve: Callable[[str], Server]) -> Server:
    """The application, served in one process."""
    return serve("null")


@pytest.fixture
async def inside(server: Server) -> AsyncIterator[Inside]:
    """What happens in the server's process."""
    async with acknowledged(server) as client:
        yield Inside(client)


@pytest.fixture
def key() -> str:
    """A name that no other test uses."""
    return uuid4().hex


@asynccontextmanager
async def acknowledged(server: Server, path: str = "graphql/", **payload: Any) -> AsyncIterator[Client]:
    async with connect(server.ws_url.replace("graphql/", path)) as client:
        await client.init(payload)
        yield client


async def subscribe(client: Client, id: str, document: str, **variables: Any) -> None:
    """Return when the subscription is confirmed."""
    await client.subscribe(id, document, variables)
    assert await client.receive() == {"id": id, "type": "next", "payload": {"data": None}}


async def receive_json(client: Client) -> dict[str, Any]:
    """The next message of the legacy protocol."""
    message: dict[str, Any] = json.loads(await asyncio.wait_for(client.websocket.recv(), LIMIT))
    return message


async def heard(client: Client) -> list[dict[str, Any]]:
    """What the server sent before the answer to a query."""
    await client.subscribe("barrier", "{ __typename }")
    messages = await client.receive_until("complete", id="barrier")
    return messages[:-2]


def notification(id: str, text: str, field: str = "onMessage") -> dict[str, Any]:
    return {"id": id, "type": "next", "payload": {"data": {field: {"text": text}}}}


class TestFault1:
    async def test_a_start_before_connection_init(self, server: Server, inside: Inside, key: str) -> None:
        """Nothing is executed for a client that on_connect has not let in."""
        await inside.open(key)
        async with connect(server.ws_url, subprotocols=[LEGACY]) as client:
            await client.send(id="1", type="start", payload={"query": HELD, "variables": {"key": key}})

            assert "error" in (await receive_json(client))["type"]

        assert await inside.count(f"started {key}") == 0


class TestFault2:
    async def test_an_operation_named_introspection_query(self, server: Server) -> None:
        """Its middleware runs."""
        async with acknowledged(server, "guarded/") as client:
            await client.subscribe("1", "query IntrospectionQuery { value }", {}, "IntrospectionQuery")

            result = await client.receive()

        assert result["payload"]["data"] == {"value": None}


class TestFault3:
    async def test_a_subscription_is_confirmed_when_it_can_miss_nothing(
        self, server: Server, inside: Inside, key: str
    ) -> None:
        """Not while its subscribe runs; what is broadcast right behind the confirmation arrives."""
        async with acknowledged(server) as client:
            await client.subscribe("1", ON_SLOW, {"key": key})
            await inside.noted(f"started {key}")
            assert await heard(client) == []

            await inside.open(key)

            assert await client.receive() == {"id": "1", "type": "next", "payload": {"data": None}}
            await inside.ask("mutation ($key: String!) { knock(key: $key) }", key=key)
            assert await client.receive() == notification("1", "knock", "onSlow")

    async def test_a_subscriber_who_is_refused(self, server: Server, inside: Inside, key: str) -> None:
        """Is not confirmed first."""
        async with acknowledged(server) as client:
            await inside.open(key)

            await client.subscribe("1", ON_SLOW, {"key": key, "refuse": True})

            assert (await client.receive())["type"] == "error"


class TestFault4:
    async def test_complete_while_subscribe_runs(self, server: Server, inside: Inside, key: str) -> None:
        """There is no zombie that goes on delivering."""
        async with acknowledged(server) as client:
            await client.subscribe("1", ON_SLOW, {"key": key})
            await inside.noted(f"started {key}")

            await client.complete("1")
            await inside.noted(f"cancelled {key}")

            await inside.open(key)
            await inside.ask("mutation ($key: String!) { knock(key: $key) }", key=key)
            # The server echoes the complete: a setting of the application.
            assert await heard(client) == [{"id": "1", "type": "complete"}]

    async def test_the_same_id_again_in_that_window(self, server: Server, inside: Inside, key: str) -> None:
        """Delivers once."""
        async with acknowledged(server) as client:
            await client.subscribe("1", ON_SLOW, {"key": key})
            await inside.noted(f"started {key}")

            await client.complete("1")
            await client.subscribe("1", ON_SLOW, {"key": key})
            await inside.open(key)

            assert await client.receive() == {"id": "1", "type": "complete"}
            assert await client.receive() == {"id": "1", "type": "next", "payload": {"data": None}}
            await inside.ask("mutation ($key: String!) { knock(key: $key) }", key=key)
            assert await client.receive() == notification("1", "knock", "onSlow")
            assert await heard(client) == []


MALFORMED = [
    "not json",
    "[]",
    "{}",
    '{"type": "subscribe", "payload": {"query": "{ value }"}}',
    '{"type": 1}',
    b'{"type": "ping"}',
]


class TestFault5:
    @pytest.mark.parametrize("frame", MALFORMED)
    async def test_a_malformed_message(self, server: Server, frame: str | bytes) -> None:
        """The close has the code of the protocol and a reason, not 1011."""
        async with acknowledged(server) as client:
            await client.websocket.send(frame)

            closed = await client.closed()

        assert closed.code == 4400
        assert closed.reason

    @pytest.mark.parametrize("frame", MALFORMED)
    async def test_a_malformed_message_of_the_legacy_protocol(self, server: Server, frame: str | bytes) -> None:
        """An error message; the socket lives."""
        async with connect(server.ws_url, subprotocols=[LEGACY]) as client:
            await client.send(type="connection_init", payload={})
            assert (await receive_json(client))["type"] == "connection_ack"

            await client.websocket.send(frame if isinstance(frame, bytes) else frame.replace("subscribe", "start"))

            assert (await receive_json(client))["type"] == "error"
            await client.send(id="1", type="start", payload={"query": "{ value }"})
            assert (await receive_json(client))["payload"] == {"data": {"value": "value"}}

    async def test_the_id_of_a_running_query(self, server: Server, inside: Inside, key: str) -> None:
        """4409."""
        async with acknowledged(server) as client:
            await client.subscribe("1", HELD, {"key": key})
            await inside.noted(f"started {key}")

            await client.subscribe("1", "{ value }")

            await client.expect_close(4409, "Subscriber for 1 already exists")


class TestFault6:
    async def test_complete_for_a_running_query(self, server: Server, inside: Inside, key: str) -> None:
        """It is cancelled, and its result never comes."""
        async with acknowledged(server) as client:
            await client.subscribe("1", HELD, {"key": key})
            await inside.noted(f"started {key}")

            await client.complete("1")
            await inside.open(key)
            await inside.noted(f"cancelled {key}")

            assert [message["type"] for message in await heard(client)] == ["complete"]

    async def test_a_disconnect_while_a_mutation_runs(self, server: Server, inside: Inside, key: str) -> None:
        """It is finished; a query is cancelled."""
        async with acknowledged(server) as client:
            await client.subscribe("1", HOLD, {"key": f"mutation {key}"})
            await client.subscribe("2", HELD, {"key": f"query {key}"})
            await inside.noted(f"started mutation {key}")
            await inside.noted(f"started query {key}")

            client.cut()

            await inside.noted(f"cancelled query {key}")
            await inside.open(f"mutation {key}")
            await inside.noted(f"finished mutation {key}")


class TestFault7:
    async def test_a_payload_that_cannot_be_unpacked(self, server: Server, inside: Inside) -> None:
        """It costs one notification; the subscription hears the next one and can be ended."""
        async with acknowledged(server) as client:
            await subscribe(client, "1", ON_PAYLOAD)

            await inside.ask("mutation { poison }")
            await inside.ask("mutation { send }")

            assert await client.receive() == {
                "id": "1",
                "type": "next",
                "payload": {"data": {"onPayload": {"ok": True}}},
            }
            await client.complete("1")
            assert await client.receive() == {"id": "1", "type": "complete"}
            await subscribe(client, "1", ON_PAYLOAD)


class TestFault8:
    async def test_two_inits_while_on_connect_decides(self, server: Server, key: str) -> None:
        """One is too many: 4429, and no acknowledgement."""
        async with connect(server.ws_url.replace("graphql/", "doorman/")) as client:
            init = {"type": "connection_init", "payload": {"gate": key}}
            await client.send_together(init, init)

            await client.expect_close(4429)

    async def test_a_slow_on_connect(self, server: Server, inside: Inside, key: str) -> None:
        """Its client is acknowledged, however long ago the time for saying something was over."""
        url = server.ws_url.replace("graphql/", "impatient/")
        async with connect_in_time(url, lambda one: one.begin_init({"gate": key})) as client, connect(url) as silent:
            await silent.expect_close(4408)

            await inside.open(key)

            assert await client.receive() == {"type": "connection_ack"}


class TestFault9:
    async def test_a_consumer_whose_client_is_gone(self, server: Server, inside: Inside) -> None:
        """No cache of documents keeps it in the memory."""
        before = await inside.count("a consumer is gone")
        async with acknowledged(server, "mortal/") as client:
            await client.execute("1", "{ value }")

        async with asyncio.timeout(LIMIT):
            while await inside.count("a consumer is gone") == before:
                await inside.ask("mutation { collectGarbage }")


class TestFault10:
    async def test_a_plain_resolver_that_blocks(self, server: Server, inside: Inside, key: str) -> None:
        """It blocks neither its own connection nor others."""
        async with acknowledged(server) as client:
            await client.subscribe("1", "query ($key: String!) { blocking(key: $key) }", {"key": key})
            await inside.noted(f"blocks {key}")

            assert await heard(client) == []

            await inside.open(key)
            assert (await client.receive())["payload"] == {"data": {"blocking": key}}

    async def test_the_orm_in_a_plain_resolver(self, server: Server) -> None:
        """It may be used."""
        async with acknowledged(server) as client:
            assert await client.execute("1", "{ authors }") == {"data": {"authors": 0}}


class TestFault11:
    TRANSACT = (
        "mutation ($room: String!, $key: String!, $fail: Boolean!) {transact(room: $room, key: $key, fail: $fail){ok}}"
    )

    async def test_a_broadcast_in_a_transaction(self, server: Server, inside: Inside, key: str) -> None:
        """It is sent after the commit."""
        async with acknowledged(server) as listener, acknowledged(server) as writer:
            await subscribe(listener, "1", ON_MESSAGE, room=key)
            await writer.subscribe("1", TRANSACT, {"room": key, "key": key, "fail": False})
            await inside.noted(f"broadcast {key}")
            await inside.say(key, "meanwhile")
            assert await listener.receive() == notification("1", "meanwhile")

            await inside.open(key)

            assert await listener.receive() == notification("1", key)

    async def test_a_transaction_that_is_rolled_back(self, server: Server, inside: Inside, key: str) -> None:
        """It is never sent."""
        async with acknowledged(server) as listener, acknowledged(server) as writer:
            await subscribe(listener, "1", ON_MESSAGE, room=key)
            await inside.open(key)

            await writer.subscribe("1", TRANSACT, {"room": key, "key": key, "fail": True})

            assert "errors" in (await writer.receive())["payload"]
            await inside.say(key, "the end")
            assert await listener.receive() == notification("1", "the end")


STALL = "query ($folder: String!) { stall(folder: $folder) }"
BURST = "mutation ($room: String!, $how: String!) { burst(room: $room, count: 1000, how: $how) { ok } }"


async def hear_text(client: Client) -> str:
    """The text of the next message of a room."""
    text: str = (await client.receive())["payload"]["data"]["onMessage"]["text"]
    return text


@pytest.fixture(params=LAYERS)
def layer(request: pytest.FixtureRequest, application: Copy) -> str:
    """The configuration of each channel layer in turn, with its default capacity."""
    kind = request.param
    config = {}
    if kind == "sqlite":
        config = {"path": str(application.folder / "channels.sqlite3")}
    elif kind != "inmemory":
        address = request.getfixturevalue("redis_url")
        # redis-py 8 has a time limit as long as the layer's blocking pop: an idle receive would die.
        config = {"hosts": [{"address": address, "socket_timeout": None} if kind == "redis_core" else address]}
    return json.dumps({"BACKEND": LAYERS[kind]["BACKEND"], "CONFIG": config})


class TestFault12:
    @pytest.mark.parametrize("how", ["awaited", "concurrent", "threads"])
    async def test_a_burst_of_1000(self, serve: Callable[[str], Server], layer: str, how: str, key: str) -> None:
        """All arrive, at the layer's default capacity; from the loop, in order."""
        server = serve(layer)
        async with acknowledged(server) as listener, acknowledged(server) as sender:
            await subscribe(listener, "1", ON_MESSAGE, room=key)

            await sender.subscribe("1", BURST, {"room": key, "how": how})

            texts = [await hear_text(listener) for _ in range(1000)]
            assert sorted(map(int, texts)) == list(range(1000))
            assert how == "threads" or texts == sorted(texts, key=int)

    @pytest.mark.parametrize("layer", [kind for kind in LAYERS if kind != "inmemory"], indirect=True)
    async def test_a_burst_while_the_receiver_is_busy(
        self, serve: Callable[[str], Server], application: Copy, layer: str, key: str, tmp_path: Path
    ) -> None:
        """All of 1,000 from another process wait for it."""
        with application.served(json.loads(layer)) as other:
            async with acknowledged(serve(layer)) as listener, acknowledged(other) as sender:
                await subscribe(listener, "1", ON_MESSAGE, room=key)
                await listener.subscribe("2", STALL, {"folder": str(tmp_path)})
                while not (tmp_path / "stalled").exists():  # noqa: ASYNC110 - another process makes it
                    await asyncio.sleep(0.01)

                await sender.subscribe("1", BURST, {"room": key, "how": "concurrent"})
                await sender.receive(timeout=60)
                (tmp_path / "go").touch()

                await listener.receive_until("complete", id="2")
                texts = [await hear_text(listener) for _ in range(1000)]
        assert texts == [str(number) for number in range(1000)]


class TestFault13:
    async def test_execute_of_an_invalid_document(self, server: Server) -> None:
        """Raises at once what the server said, and it can be printed."""
        client = GraphqlWsClient(GraphqlWsTransportAiohttp(server.ws_url))
        await client.connect_and_init()

        with pytest.raises(GraphqlWsResponseError) as caught:
            await asyncio.wait_for(client.execute("{ nope }"), LIMIT)

        assert "nope" in repr(caught.value)
        assert await client.execute("{ value }") == {"data": {"value": "value"}}
        await client.finalize()


class TestFault14:
    async def test_the_origin_is_checked(self, server: Server) -> None:
        """A page of another site gets no connection."""
        async with connect(server.ws_url, origin="https://evil.example") as client:
            await client.expect_close(4403)

    async def test_there_are_limits(self, server: Server) -> None:
        """For the operations of a connection and for the size of a message."""
        async with acknowledged(server, "discreet/") as client:
            for id in ("1", "2"):
                await client.subscribe(id, HELD, {"key": "never"})
            await client.subscribe("3", "{ value }")
            assert (await client.receive())["type"] == "error"

            await client.subscribe("3", f"{{ value }} # {'x' * 1000}")

            closed = await client.closed()
        assert closed.code == 4400

    async def test_the_text_of_an_exception(self, server: Server) -> None:
        """It stays inside."""
        async with acknowledged(server, "discreet/") as client:
            result = await client.execute("1", "{ failing }")

        assert [error["message"] for error in result["errors"]] == ["Internal server error"]
