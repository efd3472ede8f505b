"""The server goes away and comes back."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from django_gqlws import GraphqlWsClient, GraphqlWsTransportAiohttp, Reconnect
from django_gqlws.exceptions import ConnectionClosedError
from tests.support.server import Server

ON_MESSAGE = "subscription ($group: String!) { onMessage(group: $group) { text } }"
BROADCAST = "mutation ($group: String!, $text: String!) { broadcast(group: $group, text: $text) }"
RESTARTING = Reconnect(attempts=200, first_delay=0.05, longest_delay=0.2)

StartServer = Callable[..., Server]


@pytest.fixture(params=["uvicorn", "daphne"])
def confirming(request: pytest.FixtureRequest, server: StartServer) -> Server:
    """A server whose consumer confirms subscriptions."""
    return server(kind=request.param, path="/confirming/")


async def say(server: Server, group: str, text: str) -> None:
    """Broadcast a text, over a connection of its own."""
    async with GraphqlWsClient(GraphqlWsTransportAiohttp(server.ws_url)) as client:
        await client.execute(BROADCAST, {"group": group, "text": text})


async def test_a_restart(confirming: Server) -> None:
    """The stream goes on, and tells where it may have missed something."""
    group = uuid4().hex
    transport = GraphqlWsTransportAiohttp(confirming.ws_url)
    async with GraphqlWsClient(transport, reconnect=RESTARTING) as client:
        stream = client.stream(ON_MESSAGE, {"group": group})
        assert await anext(stream) == {"data": None}
        await say(confirming, group, "before")
        assert await anext(stream) == {"data": {"onMessage": {"text": "before"}}}

        for restarts in (1, 2):
            confirming.restart()

            assert await anext(stream) == {"data": None}
            assert stream.reconnects == restarts
            await say(confirming, group, f"after {restarts}")
            assert await anext(stream) == {"data": {"onMessage": {"text": f"after {restarts}"}}}

        await stream.aclose()


async def test_a_crash_without_being_asked_to_reconnect(confirming: Server) -> None:
    """Everybody who waits learns it at once."""
    async with GraphqlWsClient(GraphqlWsTransportAiohttp(confirming.ws_url)) as client:
        results = client.stream(ON_MESSAGE, {"group": "any"})
        await anext(results)

        confirming.kill()

        with pytest.raises(ConnectionClosedError):
            await anext(results)
        assert not client.connected
