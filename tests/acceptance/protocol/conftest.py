"""The test project behind both servers: one process of each for the whole run.

def test_x(project): ...      the running server, once uvicorn and once daphne; project.url("doorman/")
def test_x(uvicorn): ...      only uvicorn, for what daphne cannot do; `daphne` is there, too
async def test_x(newcomer):   an open socket that has said nothing yet
async def test_x(client):     an acknowledged connection
async def test_x(inside):     what happens in the server's process, and its gates
def test_x(key): ...          a name for an operation, a gate or a group that no other test uses
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import get_args
from uuid import uuid4

import pytest

from tests.support.client import Client, connect
from tests.support.project import Inside, ProjectServer
from tests.support.server import Kind

ProjectOfKind = Callable[[Kind], ProjectServer]


@pytest.fixture(scope="session")
def project_of_kind() -> Iterator[ProjectOfKind]:
    """A function that gives the running server of a kind; it is started when it is first asked for."""
    with ExitStack() as stack:
        yield cache(lambda kind: stack.enter_context(ProjectServer(kind)))


@pytest.fixture(params=get_args(Kind))
def project(request: pytest.FixtureRequest, project_of_kind: ProjectOfKind) -> ProjectServer:
    """The running test project, on each kind of server."""
    return project_of_kind(request.param)


@pytest.fixture
def uvicorn(project_of_kind: ProjectOfKind) -> ProjectServer:
    """The running test project on uvicorn alone."""
    return project_of_kind("uvicorn")


@pytest.fixture
def daphne(project_of_kind: ProjectOfKind) -> ProjectServer:
    """The running test project on daphne alone."""
    return project_of_kind("daphne")


@pytest.fixture
def key() -> str:
    """A name that nothing else uses."""
    return uuid4().hex


@pytest.fixture
async def newcomer(project: ProjectServer) -> AsyncIterator[Client]:
    """An open socket on which nothing has been said."""
    async with connect(project.url()) as client:
        yield client


@pytest.fixture
async def client(newcomer: Client) -> Client:
    """An acknowledged connection."""
    await newcomer.init()
    return newcomer


@pytest.fixture
async def inside(project: ProjectServer) -> AsyncIterator[Inside]:
    """The inside of the server's process."""
    async with connect(project.url()) as client:
        await client.init()
        yield Inside(client)
