"""The fixtures that pytest finds when the package is installed. Loading them imports nothing of Django.

async def test_x(gqlws_client): ...        async with gqlws_client() as client: await client.execute("{ value }")
def test_x(gqlws_broadcasts): ...          broadcasts arrive although the test's transaction is not committed
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .client import GraphqlWsClient


@pytest.fixture
def gqlws_client() -> Iterator[Callable[..., GraphqlWsClient]]:
    """A function that makes a client of the project's ASGI application.

    Its arguments: ``path="/graphql/", *, user=None, headers=(), application=None, subprotocol="graphql-transport-ws"``.
    Use the client with ``async with``. ``user`` becomes ``scope["user"]``; headers are pairs of bytes; the application
    is by default ``settings.ASGI_APPLICATION``.

    Sync resolvers and the ORM see what the test has written.
    """
    from .databases import lend, take_back, with_open_transactions

    lent = with_open_transactions()
    lend(lent).result()
    yield _make_client
    take_back(lent).result()


@pytest.fixture
def gqlws_broadcasts() -> Iterator[None]:
    """``transaction.on_commit`` works as in production, although the test's own transaction is not committed."""
    from .broadcasts import deliver_broadcasts

    with deliver_broadcasts():
        yield


def _make_client(
    path: str = "/graphql/",
    *,
    user: Any = None,
    headers: Any = (),
    application: Any = None,
    subprotocol: str = "graphql-transport-ws",
) -> GraphqlWsClient:
    from channels.routing import get_default_application

    from .client import GraphqlWsClient
    from .transport import GraphqlWsTransport

    application = application or get_default_application()
    transport = GraphqlWsTransport(application, path, {"headers": list(headers)}, subprotocol)
    if user is not None:
        transport.scope["user"] = user
    return GraphqlWsClient(transport, subprotocol)
