"""A connection to an application in the same process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from django_gqlws.exceptions import ConnectionClosedError, ConnectionFailedError
from django_gqlws.testing import GraphqlWsTransport


class Recorder:
    """An application that accepts, echoes what it gets, and does what single words ask for."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.disconnects: list[int] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        await receive()
        await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
        while (event := await receive())["type"] == "websocket.receive":
            if "close" in event["text"]:
                await send({"type": "websocket.close", "code": 4400, "reason": "as asked"})
            elif "raise" in event["text"]:
                raise ValueError("as asked")
            elif "binary" in event["text"]:
                await send({"type": "websocket.send", "bytes": b"{}"})
            elif "return" in event["text"]:
                return
            else:
                await send({"type": "websocket.send", "text": event["text"]})
        self.disconnects.append(event["code"])


async def connected(path: str = "/graphql/", **options: Any) -> tuple[GraphqlWsTransport, Recorder]:
    application = Recorder()
    transport = GraphqlWsTransport(application, path, **options)
    await transport.connect()
    return transport, application


async def test_the_scope() -> None:
    """It is that of a browser's connection to this address, with what the test adds."""
    transport = GraphqlWsTransport(application := Recorder(), "/a%20b/?c=d", {"headers": [(b"x", b"y")]}, "graphql-ws")
    transport.scope["user"] = "ann"

    await transport.connect()

    assert application.scope["type"] == "websocket"
    assert application.scope["path"] == "/a b/"
    assert application.scope["query_string"] == b"c=d"
    assert application.scope["headers"] == [(b"x", b"y")]
    assert application.scope["subprotocols"] == ["graphql-ws"]
    assert application.scope["user"] == "ann"
    await transport.disconnect()


async def test_messages() -> None:
    """They go there and come back."""
    transport, _ = await connected()

    await transport.send({"a": "ä"})

    assert await transport.receive() == {"a": "ä"}
    await transport.disconnect()


async def test_disconnecting() -> None:
    """The application is told, and has ended when it returns; then nothing can be sent."""
    transport, application = await connected()

    await transport.disconnect()
    await transport.disconnect()

    assert application.disconnects == [1000]
    with pytest.raises(ConnectionClosedError):
        await transport.send({})


async def test_the_application_closes() -> None:
    """What it sent before can still be received; then the code and the reason come, as often as one asks."""
    transport, application = await connected()
    await transport.send({"a": 1})
    await transport.send({"close": 1})

    assert await transport.receive() == {"a": 1}
    assert await transport.wait_disconnect() == {"type": "websocket.close", "code": 4400, "reason": "as asked"}
    assert await transport.wait_disconnect() == {"type": "websocket.close", "code": 4400, "reason": "as asked"}
    with pytest.raises(ConnectionClosedError, match="4400"):
        await transport.send({"a": 1})
    await transport.disconnect()
    assert application.disconnects == [4400]


async def test_the_application_raises() -> None:
    """That is the cause of the closed connection."""
    transport, _ = await connected()
    await transport.send({"raise": 1})

    with pytest.raises(ConnectionClosedError) as caught:
        await transport.receive()

    assert isinstance(caught.value.__cause__, ValueError)
    await transport.disconnect()


async def test_the_application_raises_and_nobody_reads() -> None:
    """Disconnecting raises it: a test must not pass over it."""
    transport, _ = await connected()
    await transport.send({"raise": 1})
    await asyncio.sleep(0)

    with pytest.raises(ValueError, match="as asked"):
        await transport.disconnect()


async def test_the_application_returns() -> None:
    """The connection is closed."""
    transport, _ = await connected()
    await transport.send({"return": 1})

    with pytest.raises(ConnectionClosedError, match="ended"):
        await transport.receive()
    await transport.disconnect()


async def test_the_application_refuses() -> None:
    """Connecting raises."""

    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.close", "code": 4403})

    with pytest.raises(ConnectionClosedError, match="4403"):
        await GraphqlWsTransport(refuse, "/").connect()


async def test_an_application_that_does_not_accept() -> None:
    """What it does instead is shown."""

    async def babble(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.send", "text": "{}"})

    with pytest.raises(ConnectionFailedError, match=r"websocket\.send"):
        await GraphqlWsTransport(babble, "/").connect()


async def test_binary_frames() -> None:
    """They are an error."""
    transport, _ = await connected()
    await transport.send({"binary": 1})

    with pytest.raises(ValueError, match=r"b'\{\}'"):
        await transport.receive()
    await transport.disconnect()


async def test_a_timeout() -> None:
    """It costs nothing: what comes later can be received."""
    transport, _ = await connected()

    with pytest.raises(TimeoutError):
        await transport.receive(timeout=0.01)

    await transport.send({"a": 1})
    assert await transport.receive() == {"a": 1}
    await transport.disconnect()


async def test_an_application_that_does_not_end() -> None:
    """It is cancelled after the timeout."""
    cancelled = asyncio.Event()

    async def hang(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    transport = GraphqlWsTransport(hang, "/")
    await transport.connect()

    await transport.disconnect(timeout=0.01)

    assert cancelled.is_set()


async def test_an_application_that_sends_more_than_is_read() -> None:
    """It waits; disconnecting lets it go."""
    sent = 0

    async def flood(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send({"type": "websocket.accept"})
        for _ in range(5000):
            await send({"type": "websocket.send", "text": "{}"})
            sent += 1

    transport = GraphqlWsTransport(flood, "/")
    await transport.connect()
    await transport.receive()
    assert sent < 2000

    await transport.disconnect()

    assert sent == 5000


def test_daphne_is_not_needed() -> None:
    """Importing the package does not import it."""
    program = "import sys, django_gqlws.testing.transport, django_gqlws.testing.client; print('daphne' in sys.modules)"

    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
    )
