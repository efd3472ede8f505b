"""The connection is lost, and the client connects again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from django_gqlws import GraphqlWsClient, Reconnect
from django_gqlws.client.stream import Stream
from django_gqlws.exceptions import ConnectionClosedError
from tests.unit.client.servers import Server, connected, refused

QUICKLY = Reconnect(first_delay=0)
DOCUMENT = "subscription { onMessage { text } }"


async def streaming(**options: Any) -> tuple[GraphqlWsClient, Server, Stream, dict[str, Any]]:
    """A client with a stream of which one result was read, and the request of the stream."""
    client, server = await connected(reconnect=QUICKLY, **options)
    stream = client.stream(DOCUMENT)
    first = asyncio.ensure_future(anext(stream))
    request = await server.heard()
    server.say(id=request["id"], type="next", payload={"data": 1})
    assert await first == {"data": 1}
    return client, server, stream, request


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1012, 4403, 4408])
async def test_a_stream(code: int) -> None:
    """It is subscribed again with the same request, and says that something may be missing."""
    client, server, stream, request = await streaming()
    assert stream.reconnects == 0

    server.close(code)

    assert await server.heard() == {"type": "connection_init"}
    assert await server.heard() == request
    server.say(id=request["id"], type="next", payload={"data": 2})
    assert await anext(stream) == {"data": 2}
    assert stream.reconnects == 1
    assert client.connected
    await stream.aclose()
    await client.finalize()


async def test_a_stream_that_begins_as_the_connection_is_back() -> None:
    """It is subscribed once, as the one from before is."""
    client, server, stream, request = await streaming()
    new = client.stream(DOCUMENT)

    async def begin_at_once() -> Any:
        while server.connections == 1 or not client.connected:  # noqa: ASYNC110 - in the very next turn.
            await asyncio.sleep(0)
        return await anext(new)

    first = asyncio.ensure_future(begin_at_once())

    server.close(1006)

    assert await server.heard() == {"type": "connection_init"}
    ids = {(await server.heard())["id"] for _ in range(2)}
    assert request["id"] in ids
    [id] = ids - {request["id"]}
    server.say(id=id, type="next", payload={"data": 2})
    assert await first == {"data": 2}
    assert server.has_heard_all
    await new.aclose()
    await stream.aclose()
    await client.finalize()


@pytest.mark.parametrize("code", [4400, 4401, 4406, 4409, 4429, 4500])
async def test_a_final_close(code: int) -> None:
    """The client does not connect again, and everybody learns it."""
    client, server, stream, _ = await streaming()

    server.close(code)

    with pytest.raises(ConnectionClosedError, match=str(code)):
        await anext(stream)
    assert (await client.wait_disconnect()).code == code
    assert server.connections == 1


async def test_without_being_asked_to() -> None:
    """A client does not connect again."""
    client, server = await connected()

    server.close(1012)

    assert (await client.wait_disconnect()).code == 1012
    assert server.connections == 1


async def test_the_first_attempts_fail() -> None:
    """It is tried again, with the same payload."""
    server = Server()
    client = GraphqlWsClient(server, reconnect=QUICKLY)
    await client.connect_and_init({"token": "t"})
    await server.heard()

    server.refusals = [refused(), TimeoutError(), ConnectionClosedError(1013)]
    server.close(1006)

    assert await server.heard() == {"type": "connection_init", "payload": {"token": "t"}}
    assert server.connections == 5
    await client.finalize()


async def test_all_attempts_fail() -> None:
    """Everybody learns how it ended at first."""
    _, server, stream, _ = await streaming()

    server.refusals = [refused() for _ in range(QUICKLY.attempts)]
    server.close(1006, "gone")

    with pytest.raises(ConnectionClosedError, match="gone"):
        await anext(stream)
    assert server.connections == 1 + QUICKLY.attempts


async def test_an_attempt_is_refused_for_good() -> None:
    """It is not tried again."""
    _, server, stream, _ = await streaming()

    server.refusals = [ConnectionClosedError(4401, "who are you?")]
    server.close(1006)

    with pytest.raises(ConnectionClosedError, match="who are you"):
        await anext(stream)
    assert server.connections == 2


async def test_execute() -> None:
    """It is not repeated, a mutation might run twice: whoever waits learns that the connection was lost."""
    client, server = await connected(reconnect=QUICKLY)
    running = asyncio.create_task(client.execute("mutation { add }"))
    received = asyncio.create_task(client.receive())
    await server.heard()

    server.close(1006)

    for result in await asyncio.gather(running, received, return_exceptions=True):
        assert isinstance(result, ConnectionClosedError)
    assert await server.heard() == {"type": "connection_init"}
    server.say(id="a", type="next", payload={"data": 1})
    assert await client.wait_response(lambda _: True) == {"data": 1}
    assert server.has_heard_all
    await client.finalize()


async def test_while_it_is_not_connected() -> None:
    """New operations are refused at once; they do not wait."""
    client, server = await connected(reconnect=Reconnect(first_delay=1000))
    received = asyncio.create_task(client.receive())
    await asyncio.sleep(0)
    server.close(1006)
    await asyncio.gather(received, return_exceptions=True)

    with pytest.raises(ConnectionClosedError):
        await client.execute("{ value }")

    assert not client.connected
    await client.finalize()


async def test_a_stream_that_has_ended() -> None:
    """It is not subscribed again, whether the server or the client has ended it."""
    client, server, stream, _ = await streaming()
    await stream.aclose()
    await server.heard()

    server.close(1006)

    assert await server.heard() == {"type": "connection_init"}
    await client.complete("barrier")
    assert await server.heard() == {"id": "barrier", "type": "complete"}
    await client.finalize()


def test_the_delays() -> None:
    """They double up to the longest, and are spread over their upper half."""
    reconnect = Reconnect(attempts=5, first_delay=1, longest_delay=5)

    delays = list(reconnect.delays())

    assert len(delays) == 5
    for delay, longest in zip(delays, [1, 2, 4, 5, 5], strict=True):
        assert longest / 2 <= delay <= longest
    assert delays != list(reconnect.delays())
