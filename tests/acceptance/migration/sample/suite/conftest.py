"""The suite speaks to the application through the library's own testing client.

async def test_x(connect): ...        client = await connect(strict_ordering=True), a consumer with these attributes
def test_x(subprotocol): ...          both of them; NEW and OLD are their names
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import channels.layers
import pytest
from application.consumers import Consumer
from application.diary import diary
from channels_graphql_ws.testing import GraphqlWsClient, GraphqlWsTransport

NEW = "graphql-transport-ws"
OLD = "graphql-ws"

shown: set[str] = set()
"""The lines of the API that tests of this run show, whether they are selected or not."""

Connect = Callable[..., Awaitable[GraphqlWsClient]]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Note which lines a test shows, before tests are deselected."""
    shown.update(name for mark in item.iter_markers("line") for name in mark.args)


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """No test sees another one's notes or messages."""
    diary.clear()
    yield
    channels.layers.channel_layers.backends.clear()


@pytest.fixture(params=[NEW, OLD])
def subprotocol(request: pytest.FixtureRequest) -> str:
    """Each subprotocol in turn."""
    return request.param


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """A function that connects a client to a consumer of its own; it leaves with the test."""
    clients = []

    async def connect(
        consumer: type = Consumer, *, subprotocol: str = NEW, connect_only: bool = False, **attributes: Any
    ) -> GraphqlWsClient:
        application = type("Own", (consumer,), attributes).as_asgi()
        transport = GraphqlWsTransport(application, "/graphql/", subprotocol=subprotocol)
        client = GraphqlWsClient(transport, subprotocol)
        await client.connect_and_init(connect_only=connect_only)
        clients.append(client)
        return client

    yield connect
    for client in clients:
        if client.connected:
            await client.finalize()
