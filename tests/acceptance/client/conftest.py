"""The package's own client at one end, the test project at the other: in this process, on uvicorn, on daphne.

def test_x(transport): ...        a function from a path to a new transport, over each of them in turn
async def test_x(client): ...     an acknowledged client of a consumer that confirms, in each dialect
def test_x(key): ...              a name that no other test uses
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import get_args
from uuid import uuid4

import pytest

from django_gqlws import GraphqlWsClient, GraphqlWsTransport, GraphqlWsTransportAiohttp, testing
from tests.project.asgi import application
from tests.support.project import ProjectServer
from tests.support.server import Kind

NEW, OLD = "graphql-transport-ws", "graphql-ws"

Transport = Callable[[str], GraphqlWsTransport]


@pytest.fixture(scope="session")
def url() -> Iterator[Callable[[Kind, str], str]]:
    """A function that gives an address at a running server of a kind."""
    with ExitStack() as stack:
        server = cache(lambda kind: stack.enter_context(ProjectServer(kind)))
        yield lambda kind, path: server(kind).url(path)


@pytest.fixture(params=["in-process", *get_args(Kind)])
def transport(request: pytest.FixtureRequest, url: Callable[[Kind, str], str]) -> Transport:
    """A function from a path of the test project to a new transport."""
    if request.param == "in-process":
        return lambda path: testing.GraphqlWsTransport(application, f"/{path}")
    return lambda path: GraphqlWsTransportAiohttp(url(request.param, path))


@pytest.fixture(params=[NEW, OLD])
def subprotocol(request: pytest.FixtureRequest) -> str:
    """What the client speaks: each dialect in turn."""
    return str(request.param)


@pytest.fixture
async def client(transport: Transport, subprotocol: str) -> AsyncIterator[GraphqlWsClient]:
    """An acknowledged client of a consumer that confirms subscriptions."""
    async with GraphqlWsClient(transport("legacy-confirming/"), subprotocol) as client:
        yield client


@pytest.fixture
def key() -> str:
    """A name that nothing else uses."""
    return uuid4().hex
