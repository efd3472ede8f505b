"""The client, and a server that says what the test says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from django_gqlws import GraphqlWsClient, GraphqlWsResponseError
from django_gqlws.client import inbox
from django_gqlws.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectionFailedError,
    SlowReaderError,
    UnexpectedMessageError,
)
from django_gqlws.protocol.close import Close
from tests.unit.client.servers import Server, connected, refused

DOCUMENT = "subscription { onMessage { text } }"


class TestConnecting:
    """connect_and_init, finalize, async with."""

    async def test_the_payloads(self) -> None:
        """The client's goes out, the server's comes back."""
        server = Server()
        server.acknowledges = False
        server.say(type="connection_ack", payload={"hello": "ann"})
        client = GraphqlWsClient(server)

        answer = await client.connect_and_init({"token": "t"})

        assert await server.heard() == {"type": "connection_init", "payload": {"token": "t"}}
        assert answer == {"hello": "ann"}
        assert client.connected
        await client.finalize()

    async def test_a_ping_before_the_ack(self) -> None:
        """It is answered."""
        server = Server()
        server.acknowledges = False
        server.say(type="ping", payload={"n": 1})
        server.say(type="connection_ack")
        client = GraphqlWsClient(server)

        await client.connect_and_init()

        await server.heard()
        assert await server.heard() == {"type": "pong", "payload": {"n": 1}}
        await client.finalize()

    async def test_the_server_refuses(self) -> None:
        """The close says why, at once, and nothing of the connection is left."""
        server = Server()
        server.acknowledges = False
        server.close(4403, "Forbidden")
        client = GraphqlWsClient(server)

        with pytest.raises(ConnectionClosedError, match=r"4403.*Forbidden") as caught:
            await client.connect_and_init()

        assert (caught.value.code, caught.value.reason) == (4403, "Forbidden")
        assert not client.connected
        assert not server.is_connected

    async def test_a_legacy_server_refuses(self) -> None:
        """The error has its message."""
        server = Server()
        server.acknowledges = False
        server.say(type="connection_error", payload={"message": "no"})
        client = GraphqlWsClient(server, subprotocol="graphql-ws")

        with pytest.raises(GraphqlWsResponseError, match="refused") as caught:
            await client.connect_and_init()

        assert caught.value.response == {"type": "connection_error", "payload": {"message": "no"}}
        assert not server.is_connected

    async def test_the_server_says_something_else(self) -> None:
        """That is an error as well."""
        server = Server()
        server.acknowledges = False
        server.say(type="next", id="1", payload={})

        with pytest.raises(UnexpectedMessageError, match="connection_ack"):
            await GraphqlWsClient(server).connect_and_init()

    async def test_nobody_listens(self) -> None:
        """The transport's error is the client's."""
        server = Server()
        server.refusals = [refused()]

        with pytest.raises(ConnectionFailedError):
            await GraphqlWsClient(server).connect_and_init()

    async def test_twice(self) -> None:
        """A client has one connection."""
        client, _ = await connected()

        with pytest.raises(ClientError, match="already"):
            await client.connect_and_init()
        await client.finalize()

    async def test_again_after_finalize(self) -> None:
        """A client may be used again."""
        client, server = await connected()
        await client.finalize()

        await client.connect_and_init()

        assert client.connected
        assert server.connections == 2
        await client.finalize()

    async def test_async_with(self) -> None:
        """The block begins connected and ends disconnected."""
        server = Server()

        async with GraphqlWsClient(server) as client:
            assert client.connected
            assert client.transport is server

        assert not client.connected
        assert not server.is_connected

    async def test_not_connected(self) -> None:
        """The error says what to do."""
        client = GraphqlWsClient(Server())

        with pytest.raises(ConnectionClosedError, match="connect_and_init"):
            await client.execute("{ value }")
        await client.finalize()

    def test_an_unknown_subprotocol(self) -> None:
        """It is refused with the names of those that there are."""
        with pytest.raises(ValueError, match=r"'mqtt'.*graphql-transport-ws"):
            GraphqlWsClient(Server(), "mqtt")

    @pytest.mark.parametrize("subprotocol", ["graphql-transport-ws", "graphql-ws"])
    def test_the_subprotocol(self, subprotocol: str) -> None:
        """The transport offers the one that the client speaks."""
        server = Server()

        GraphqlWsClient(server, subprotocol)

        assert server.subprotocol == subprotocol


class TestExecuting:
    """execute."""

    async def test_a_result(self) -> None:
        """It comes back whole."""
        client, server = await connected()

        running = asyncio.create_task(client.execute("{ value }", {"a": 1}))
        request = await server.heard()
        server.say(id=request["id"], type="next", payload={"data": {"value": 1}, "extensions": {"a": 1}})
        server.say(id=request["id"], type="complete")

        assert await running == {"data": {"value": 1}, "extensions": {"a": 1}}
        assert request["payload"] == {"query": "{ value }", "variables": {"a": 1}, "operationName": None}
        assert server.has_heard_all
        await client.finalize()

    async def test_errors_with_a_result(self) -> None:
        """They are raised, with all that the server said."""
        client, server = await connected()

        running = asyncio.create_task(client.execute("{ value }"))
        id = (await server.heard())["id"]
        server.say(id=id, type="next", payload={"data": None, "errors": [{"message": "no"}]})
        server.say(id=id, type="complete")

        with pytest.raises(GraphqlWsResponseError) as caught:
            await running
        assert caught.value.response["payload"]["errors"] == [{"message": "no"}]
        await client.finalize()

    async def test_a_result_whose_errors_are_null(self) -> None:
        """Some servers say it so: there are none."""
        client, server = await connected()

        running = asyncio.create_task(client.execute("{ value }"))
        id = (await server.heard())["id"]
        server.say(id=id, type="next", payload={"data": 1, "errors": None})
        server.say(id=id, type="complete")

        assert await running == {"data": 1, "errors": None}
        await client.finalize()

    async def test_a_result_without_a_payload(self) -> None:
        """The server is wrong, and the error shows what it said."""
        client, server = await connected()

        running = asyncio.create_task(client.execute("{ value }"))
        id = (await server.heard())["id"]
        server.say(id=id, type="next")

        with pytest.raises(UnexpectedMessageError, match=r"A result was expected.*'next'"):
            await running
        await client.finalize()

    async def test_an_invalid_document(self) -> None:
        """The error is raised at once: no complete will come."""
        client, server = await connected()

        running = asyncio.create_task(client.execute("{"))
        id = (await server.heard())["id"]
        server.say(id=id, type="error", payload=[{"message": "Syntax Error"}])

        with pytest.raises(GraphqlWsResponseError) as caught:
            await running
        assert caught.value.response == {"id": id, "type": "error", "payload": [{"message": "Syntax Error"}]}
        assert server.has_heard_all
        await client.finalize()

    async def test_side_by_side(self) -> None:
        """Each gets its own result, in whatever order they come."""
        client, server = await connected()
        running = [asyncio.create_task(client.execute("{ value }", {"n": n})) for n in range(3)]
        requests = [await server.heard() for _ in range(3)]

        for request in reversed(requests):
            server.say(id=request["id"], type="next", payload={"data": request["payload"]["variables"]})
            server.say(id=request["id"], type="complete")

        assert await asyncio.gather(*running) == [{"data": {"n": n}} for n in range(3)]
        await client.finalize()

    async def test_cancelled(self) -> None:
        """The server is told, and what it says of it later bothers nobody."""
        client, server = await connected()
        running = asyncio.create_task(client.execute("{ value }"))
        id = (await server.heard())["id"]

        running.cancel()

        assert await server.heard() == {"id": id, "type": "complete"}
        server.say(id=id, type="next", payload={"data": "too late"})
        server.say(id="mine", type="next", payload={"data": "mine"})
        assert await client.receive() == {"data": "mine"}
        await client.finalize()

    async def test_a_subscription(self) -> None:
        """The second result is an error that names what to use."""
        client, server = await connected()
        running = asyncio.create_task(client.execute(DOCUMENT))
        id = (await server.heard())["id"]

        server.say(id=id, type="next", payload={"data": 1})
        server.say(id=id, type="next", payload={"data": 2})

        with pytest.raises(UnexpectedMessageError, match=r"stream\(\)"):
            await running
        assert await server.heard() == {"id": id, "type": "complete"}
        await client.finalize()


class TestReceiving:
    """start, subscribe, receive and its relatives, complete."""

    async def test_in_order(self) -> None:
        """Messages of all operations come as the server sent them, pings aside."""
        client, server = await connected()
        for id in "ab":
            await client.start(DOCUMENT, msg_id=id)
        server.say(type="ping")
        server.say(id="a", type="next", payload={"data": 1})
        server.say(id="b", type="next", payload={"data": 2})
        server.say(id="a", type="complete")

        assert await client.receive_next("a") == {"data": 1}
        assert await client.receive(raw_response=True) == {"id": "b", "type": "next", "payload": {"data": 2}}
        assert await client.receive_complete("a") is None
        await client.finalize()

    async def test_a_start(self) -> None:
        """The id is the caller's or a new one; the document is dedented."""
        client, server = await connected()

        assert await client.start("\n    { value }", operation_name="N", variables={"a": 1}, msg_id="mine") == "mine"
        id = await client.start("{ value }")

        assert await server.heard() == {
            "id": "mine",
            "type": "subscribe",
            "payload": {"query": "\n{ value }", "variables": {"a": 1}, "operationName": "N"},
        }
        assert (await server.heard())["id"] == id
        await client.finalize()

    async def test_another_id_or_type(self) -> None:
        """It is an AssertionError that shows what came."""
        client, server = await connected()
        for _ in range(2):
            server.say(id="a", type="next", payload={"data": 1})

        with pytest.raises(AssertionError, match=r"'b' was expected.*'a'"):
            await client.receive(assert_id="b")
        with pytest.raises(UnexpectedMessageError, match=r"'complete' was expected.*'next'"):
            await client.receive(assert_type="complete")
        await client.finalize()

    async def test_errors(self) -> None:
        """They are raised, whatever was asked for."""
        client, server = await connected()
        server.say(id="a", type="next", payload={"data": None, "errors": [{"message": "no"}]})
        server.say(id="a", type="error", payload=[{"message": "no"}])

        for _ in range(2):
            with pytest.raises(GraphqlWsResponseError, match="no"):
                await client.receive(raw_response=True)
        await client.finalize()

    async def test_subscribe(self) -> None:
        """It waits for the confirmation, or not."""
        client, server = await connected()
        running = asyncio.create_task(client.subscribe(DOCUMENT, variables={"a": 1}))
        id = (await server.heard())["id"]
        assert not running.done()

        server.say(id=id, type="next", payload={"data": None})

        assert await running == id
        assert await client.subscribe(DOCUMENT, wait_confirmation=False) == (await server.heard())["id"]
        await client.finalize()

    async def test_complete(self) -> None:
        """The server is told."""
        client, server = await connected()

        await client.complete("a")

        assert await server.heard() == {"id": "a", "type": "complete"}
        await client.finalize()

    async def test_wait_response(self) -> None:
        """What the function does not accept is skipped."""
        client, server = await connected()
        for number in range(3):
            server.say(id="a", type="next", payload={"data": number})

        assert await client.wait_response(lambda payload: payload["data"] == 2) == {"data": 2}
        with pytest.raises(TimeoutError):
            await client.wait_response(lambda payload: False, timeout=0.01)
        await client.finalize()

    async def test_nothing_comes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """After the transport's timeout that is an error, and the client goes on."""
        client, server = await connected()

        with monkeypatch.context() as impatient, pytest.raises(TimeoutError):
            impatient.setattr(server, "TIMEOUT", 0.01)
            await client.receive()

        server.say(id="a", type="next", payload={"data": 1})
        assert await client.receive() == {"data": 1}
        await client.finalize()

    async def test_the_legacy_dialect(self) -> None:
        """The same with the names of the other subprotocol."""
        client, server = await connected(subprotocol="graphql-ws")
        id = await client.start(DOCUMENT)
        assert (await server.heard())["type"] == "start"
        server.say(type="ka")
        server.say(id=id, type="data", payload={"data": 1})

        assert await client.receive_next(id) == {"data": 1}
        await client.complete(id)

        assert await server.heard() == {"id": id, "type": "stop"}
        await client.finalize()

    async def test_too_many_that_nobody_receives(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """They wait at the server; the oldest is dropped only while somebody waits for another, with a warning."""
        client, server = await connected()
        for number in range(inbox.LIMIT + 1):
            server.say(id="a", type="next", payload={"data": number})
        running = asyncio.create_task(client.execute("{ value }"))
        id = (await server.heard())["id"]
        server.say(id=id, type="next", payload={"data": "mine"})
        server.say(id=id, type="complete")

        assert await running == {"data": "mine"}
        assert await client.receive() == {"data": 1}
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        await client.finalize()


class TestPings:
    """What keeps a connection alive."""

    async def test_a_ping(self) -> None:
        """It is answered with its payload, although nobody asks for a message."""
        _, server = client, server = await connected()

        server.say(type="ping", payload={"n": 1})
        server.say(type="ping")

        assert await server.heard() == {"type": "pong", "payload": {"n": 1}}
        assert await server.heard() == {"type": "pong"}
        await client.finalize()

    async def test_a_server_that_does_not_read(self) -> None:
        """The client reads on."""
        client, server = await connected()
        server.reads.clear()

        for _ in range(300):
            server.say(type="ping")
        server.say(id="a", type="next", payload={"data": 1})

        assert await client.receive() == {"data": 1}
        server.reads.set()
        await client.finalize()


class TestClosing:
    """The connection is closed while somebody waits."""

    async def test_everybody_learns_it_at_once(self) -> None:
        """Whatever they wait for."""
        client, server = await connected()
        stream = client.stream(DOCUMENT)
        waiting = [
            asyncio.create_task(client.execute("{ value }")),
            asyncio.create_task(client.receive()),
            asyncio.create_task(client.receive(wait_id="a")),
            asyncio.create_task(client.wait_response(lambda _: True)),
            asyncio.create_task(anext(stream)),
        ]
        for _ in range(2):
            await server.heard()

        server.close(1011, "broken")

        for result in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(result, ConnectionClosedError)
            assert (result.code, result.reason) == (1011, "broken")
        assert not client.connected
        with pytest.raises(ConnectionClosedError, match="1011"):
            await client.start("{ value }")
        with pytest.raises(ConnectionClosedError, match="1011"):
            await client.receive()

    async def test_what_came_before(self) -> None:
        """It can still be received."""
        client, server = await connected()
        server.say(id="a", type="next", payload={"data": 1})
        server.close(1000)
        await client.wait_disconnect()

        assert await client.receive() == {"data": 1}

    async def test_wait_disconnect(self) -> None:
        """It returns the server's code and reason."""
        client, server = await connected()
        waiting = asyncio.create_task(client.wait_disconnect())

        server.close(4403, "Forbidden")

        assert await waiting == Close(4403, "Forbidden")
        assert not server.is_connected

    async def test_wait_disconnect_behind_what_nobody_reads(self) -> None:
        """It comes to the close all the same."""
        client, server = await connected()
        for number in range(inbox.LIMIT + 10):
            server.say(id="a", type="next", payload={"data": number})
        server.close(4403, "Forbidden")

        assert await client.wait_disconnect() == Close(4403, "Forbidden")

    async def test_wait_disconnect_too_long(self) -> None:
        """It raises TimeoutError, and the connection lives."""
        client, _ = await connected()

        with pytest.raises(TimeoutError):
            await client.wait_disconnect(timeout=0.01)

        assert client.connected
        await client.finalize()

    async def test_by_the_client(self) -> None:
        """Who waits learns it as well."""
        client, server = await connected()
        waiting = asyncio.create_task(client.receive())
        running = asyncio.create_task(client.execute("{ value }"))
        await server.heard()

        await client.finalize()

        for result in await asyncio.gather(waiting, running, return_exceptions=True):
            assert isinstance(result, ConnectionClosedError)
        await client.finalize()

    async def test_the_transport_breaks(self) -> None:
        """That is a closed connection, and the cause is there."""
        client, server = await connected()

        server.fail(ValueError("not JSON"))

        with pytest.raises(ConnectionClosedError, match="ValueError: not JSON") as caught:
            await client.receive()
        assert isinstance(caught.value.__cause__, ValueError)
        assert not server.is_connected

    async def test_a_transport_that_gives_up_now_and_then(self) -> None:
        """Its timeout is no end: silence is no fault."""
        client, server = await connected()

        server.fail(TimeoutError())
        server.say(id="a", type="next", payload={"data": 1})

        assert await client.receive() == {"data": 1}
        await client.finalize()


class TestStreaming:
    """stream."""

    async def test_results_as_they_come(self) -> None:
        """Also those with errors, until the server completes it."""
        client, server = await connected()
        results: list[Any] = []

        async def read() -> None:
            results.extend([result async for result in client.stream(DOCUMENT, {"a": 1}, "Name")])

        reading = asyncio.create_task(read())
        request = await server.heard()
        for payload in ({"data": 1}, {"data": None, "errors": [{"message": "no"}]}, {"data": 3}):
            server.say(id=request["id"], type="next", payload=payload)
        server.say(id=request["id"], type="complete")
        await reading

        assert request["payload"] == {"query": DOCUMENT, "variables": {"a": 1}, "operationName": "Name"}
        assert results == [{"data": 1}, {"data": None, "errors": [{"message": "no"}]}, {"data": 3}]
        assert server.has_heard_all
        await client.finalize()

    async def test_the_server_refuses_it(self) -> None:
        """That is raised."""
        client, server = await connected()
        first = asyncio.ensure_future(anext(client.stream(DOCUMENT)))
        id = (await server.heard())["id"]

        server.say(id=id, type="error", payload=[{"message": "no"}])

        with pytest.raises(GraphqlWsResponseError, match="no"):
            await first
        await client.finalize()

    async def test_leaving_the_loop(self) -> None:
        """The server is told at once, without any further word."""
        client, server = await connected()

        async def read_one() -> Any:
            result = None
            async for result in client.stream(DOCUMENT):  # noqa: B007
                break
            return result

        reading = asyncio.create_task(read_one())
        id = (await server.heard())["id"]
        server.say(id=id, type="next", payload={"data": 1})

        assert await reading == {"data": 1}
        assert await server.heard() == {"id": id, "type": "complete"}
        await client.finalize()

    async def test_a_reader_that_gives_up_for_now(self) -> None:
        """The stream goes on where it was."""
        client, server = await connected()
        stream = client.stream(DOCUMENT)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(stream)
        server.say(id=(await server.heard())["id"], type="next", payload={"data": 1})

        assert await anext(stream) == {"data": 1}
        await client.finalize()

    async def test_reading_on_after_the_end(self) -> None:
        """There is nothing more."""
        client, server = await connected()
        stream = client.stream(DOCUMENT)
        first = asyncio.ensure_future(anext(stream, "nothing"))
        server.say(id=(await server.heard())["id"], type="complete")
        assert await first == "nothing"

        assert await anext(stream, "nothing") == "nothing"
        await client.finalize()

    async def test_async_with(self) -> None:
        """The server has been told when the block ends."""
        client, server = await connected()

        async with client.stream(DOCUMENT) as stream:
            first = asyncio.ensure_future(anext(stream))
            id = (await server.heard())["id"]
            server.say(id=id, type="next", payload={"data": 1})
            await first

        assert await server.heard() == {"id": id, "type": "complete"}
        await client.finalize()

    async def test_a_slow_reader(self) -> None:
        """The client stops reading: all results are there in the end."""
        client, server = await connected()
        results = client.stream(DOCUMENT)
        first = asyncio.ensure_future(anext(results))
        id = (await server.heard())["id"]
        count = inbox.LIMIT + 10
        for number in range(count):
            server.say(id=id, type="next", payload={"data": number})

        assert await first == {"data": 0}
        assert server.unread > 0
        assert [(await anext(results))["data"] for _ in range(count - 1)] == list(range(1, count))
        await results.aclose()
        await client.finalize()

    async def test_a_slow_reader_in_the_way_of_another(self) -> None:
        """Who waits gets the answer; the stream ends with an error behind what it has."""
        client, server = await connected()
        results = client.stream(DOCUMENT)
        first = asyncio.ensure_future(anext(results))
        id = (await server.heard())["id"]
        for number in range(inbox.LIMIT + 10):
            server.say(id=id, type="next", payload={"data": number})
        await first

        running = asyncio.create_task(client.execute("{ value }"))
        request = await server.heard()
        server.say(id=request["id"], type="next", payload={"data": "mine"})
        server.say(id=request["id"], type="complete")

        assert await running == {"data": "mine"}
        assert await server.heard() == {"id": id, "type": "complete"}
        with pytest.raises(SlowReaderError):
            async for _ in results:
                pass
        await client.finalize()


class TestErrors:
    """What is raised can be shown."""

    def test_a_response_error(self) -> None:
        """Its repr shows the response, and does not recurse; as text it is what the server said."""
        error = GraphqlWsResponseError({"type": "error", "payload": [{"message": "no"}]})

        assert repr(error) == "GraphqlWsResponseError({'type': 'error', 'payload': [{'message': 'no'}]}, None)"
        assert str(error) == "Error in GraphQL response: no"

    @pytest.mark.parametrize(
        ("payload", "says"),
        [
            ({"data": None, "errors": [{"message": "one"}, {"message": "two"}]}, "Refused: one; two"),
            ({"message": "Forbidden"}, "Refused: Forbidden"),
            ([{"message": None}, "?"], "Refused: {'payload': [{'message': None}, '?']}"),
            (None, "Refused: {'payload': None}"),
        ],
    )
    def test_what_a_server_may_say(self, payload: Any, says: str) -> None:
        """The messages of its errors; what has none is shown as it is."""
        assert str(GraphqlWsResponseError({"payload": payload}, "Refused")) == says
