"""The client, and what the testing client adds."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from application.asgi import application
from application.consumers import Consumer
from application.diary import LIMIT
from application.subscriptions import OnMessage
from channels_graphql_ws import GraphqlWsClient, GraphqlWsResponseError, GraphqlWsTransportAiohttp
from channels_graphql_ws.testing import GraphqlWsClient as InProcessClient
from channels_graphql_ws.testing import GraphqlWsTransport

from .conftest import NEW, OLD, Connect
from .lines import line
from .speaking import ON_MESSAGE, hear_text, listen, next_message


class TestInterface:
    @line("client.interface", "testing.transport")
    async def test_from_connecting_to_leaving(self, subprotocol: str) -> None:
        """`connected` and `transport` tell about it."""
        transport = GraphqlWsTransport(Consumer.as_asgi(), "/graphql/", subprotocol=subprotocol)
        client = InProcessClient(transport, subprotocol)
        assert (client.transport, client.connected) == (transport, False)

        await client.connect_and_init()
        assert client.connected

        await client.finalize()
        assert not client.connected

    @line("client.interface")
    async def test_start(self, connect: Connect, subprotocol: str) -> None:
        """It returns the id: its own, or the one given."""
        client = await connect(subprotocol=subprotocol)

        first = await client.start("{ value }", msg_id="first")
        second = await client.start("query Q { value }", operation_name="Q", variables={})

        assert first == "first"
        assert isinstance(second, str)

    @line("client.interface")
    async def test_receive_waits_for_an_id(self, connect: Connect) -> None:
        """What comes before it is skipped."""
        client = await connect()
        await client.start("{ value }")
        second = await client.start("{ value }")

        assert await client.receive(wait_id=second, assert_id=second, assert_type="next") == {
            "data": {"value": "value"}
        }

    @line("client.interface")
    async def test_receive_checks(self, connect: Connect) -> None:
        """A wrong id or type is an AssertionError."""
        client = await connect()
        id = await client.start("{ value }")

        with pytest.raises(AssertionError):
            await client.receive(assert_type="complete")
        with pytest.raises(AssertionError):
            await client.receive(assert_id=id + "x")

    @line("client.interface")
    async def test_receive_raw(self, connect: Connect, subprotocol: str) -> None:
        """The whole message."""
        client = await connect(subprotocol=subprotocol)
        id = await client.start("{ value }")

        assert await client.receive(raw_response=True) == {
            "id": id,
            "type": {NEW: "next", OLD: "data"}[subprotocol],
            "payload": {"data": {"value": "value"}},
        }

    @line("client.interface")
    async def test_complete(self, connect: Connect, subprotocol: str) -> None:
        """The subscription ends."""
        client = await connect(subprotocol=subprotocol)
        id = await listen(client, "a")

        await client.complete(id)

        assert await client.receive_complete(id) is None


class TestExecute:
    @line("client.execute")
    async def test_the_result(self, connect: Connect, subprotocol: str) -> None:
        """With variables; notifications that come meanwhile are skipped."""
        client = await connect(subprotocol=subprotocol)

        result = await client.execute(
            """
            query ($n: Int!) {
                echo(number: $n)
            }
            """,
            variables={"n": 3},
        )

        assert result == {"data": {"echo": 3}}

    @line("client.execute")
    async def test_errors(self, connect: Connect, subprotocol: str) -> None:
        """They are raised, with the server's response; the client goes on."""
        client = await connect(subprotocol=subprotocol)

        with pytest.raises(GraphqlWsResponseError) as caught:
            await client.execute("{ failing }")

        assert caught.value.response["payload"]["errors"][0]["message"] == "the cat is out"
        assert "the cat is out" in str(caught.value)
        assert await client.execute("{ value }") == {"data": {"value": "value"}}


class TestSubscribe:
    @line("client.subscribe")
    async def test_it_waits_for_the_confirmation(self, connect: Connect, subprotocol: str) -> None:
        """The next message is a notification."""
        client = await connect(subprotocol=subprotocol)

        id = await client.subscribe(ON_MESSAGE, variables={"room": "a"})

        await OnMessage.broadcast(group="a", payload={"text": "hello"})
        assert await hear_text(client, id) == "hello"

    @line("client.subscribe")
    async def test_it_does_not_wait(self, connect: Connect, subprotocol: str) -> None:
        """The next message is the confirmation."""
        client = await connect(subprotocol=subprotocol)

        id = await client.subscribe(ON_MESSAGE, variables={"room": "a"}, wait_confirmation=False)

        assert await client.receive_next(id) == {"data": None}


class TestWaiting:
    @line("client.wait")
    async def test_for_a_response(self, connect: Connect) -> None:
        """The first that the checker takes."""
        client = await connect()
        await listen(client, "a")
        for text in ("one", "two", "three"):
            await OnMessage.broadcast(payload={"text": text})

        found = await client.wait_response(lambda response: "two" in str(response), timeout=LIMIT)

        assert found["data"] == {"onMessage": {"text": "two"}}

    @line("client.wait")
    async def test_for_a_response_that_never_comes(self, connect: Connect) -> None:
        """The timeout ends it."""
        client = await connect()

        async def chatter() -> None:
            while True:
                await client.start("{ value }")
                await asyncio.sleep(0.01)

        chatting = asyncio.create_task(chatter())
        with pytest.raises(asyncio.TimeoutError):
            await client.wait_response(lambda response: False, timeout=0.1)
        chatting.cancel()

    @line("client.wait")
    async def test_for_the_end(self, connect: Connect) -> None:
        """The server closes."""
        client = await connect(subprotocol=OLD)

        await client.send_raw_message({"type": "connection_terminate"})
        await client.wait_disconnect(timeout=LIMIT)

        assert not client.connected


class TestTestingClient:
    @line("testing.client")
    async def test_no_messages(self, connect: Connect) -> None:
        """It is content when there are none."""
        client = await connect()

        await client.assert_no_messages("nothing yet", attempts=2, interval=0.01)

    @line("testing.client")
    async def test_a_message_that_should_not_be(self, connect: Connect) -> None:
        """The error has the test's words and the message."""
        client = await connect()
        await client.start("{ value }")

        with pytest.raises(AssertionError, match=r"(?s)be quiet.*value"):
            await client.assert_no_messages("be quiet", attempts=100, interval=0.1)

    @line("testing.client")
    async def test_connect_only(self, connect: Connect) -> None:
        """Nothing is said; raw messages can be sent then."""
        client = await connect(connect_only=True)
        assert client.connected

        await client.send_raw_message({"type": "connection_init"})

        assert await next_message(client) == {"type": "connection_ack"}

    @line("testing.client")
    async def test_the_wrong_code(self, connect: Connect) -> None:
        """An AssertionError."""
        client = await connect()
        await client.send_raw_message({"type": "nonsense"})

        with pytest.raises(AssertionError):
            await client.wait_disconnect(assert_code=4499)

    @line("testing.transport")
    async def test_the_communicator(self) -> None:
        """Its arguments are passed on, its timeout is half a minute."""
        transport = GraphqlWsTransport(
            application=application, path="graphql/", communicator_kwds={"headers": [(b"x-me", b"me")]}
        )
        client = InProcessClient(transport)

        await client.connect_and_init()

        assert GraphqlWsTransport.TIMEOUT == 30
        assert await client.execute("{ value }") == {"data": {"value": "value"}}
        await client.finalize()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """The application served by uvicorn, on this loop."""
    server = uvicorn.Server(
        uvicorn.Config(application, port=0, ws="websockets-sansio", lifespan="off", log_level="error")
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it in no other way
        await asyncio.sleep(0.01)
    yield f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/graphql/"
    server.should_exit = True
    await serving


class TestAiohttp:
    @line("client.transports")
    def test_the_timeout(self) -> None:
        """A minute."""
        assert GraphqlWsTransportAiohttp.TIMEOUT == 60

    @line("client.transports")
    @pytest.mark.ours("it passes coroutines to asyncio.wait, which Python 3.11 refuses")
    async def test_over_a_real_socket(self, url: str) -> None:
        """The server sees the cookies and headers; the client works as it does in tests."""
        transport = GraphqlWsTransportAiohttp(url, cookies={"a": "b"}, headers={"x-me": "me"})
        client = GraphqlWsClient(transport)
        await client.connect_and_init()

        assert await client.execute("{ handshake }") == {"data": {"handshake": ["me", "a=b"]}}

        await client.finalize()

    @line("client.pings")
    @pytest.mark.ours("it skips them")
    async def test_pings(self, connect: Connect) -> None:
        """They are answered while a test receives."""
        client = await connect(send_ping_every=0.02)
        sent: list[Any] = []
        send = client.transport.send

        async def spy(message: dict[str, Any]) -> None:
            sent.append(message)
            await send(message)

        client.transport.send = spy
        await client.execute("{ took(seconds: 0.1) }")

        assert {"type": "pong"} in sent
