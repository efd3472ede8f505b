"""Fixtures of the integration tier.

def test_x(layer): ...        the channel layer, each in turn: in memory, SQLite, Redis pub/sub, Redis core
def test_x(redis_layer): ...  a function that makes one of the Redis layers the project's, at a given address
def test_x(no_background): ...   no loop sends for threads in the background when the test begins
def test_x(own_process): ...  clients that the test connects in this process leave at its end
async def test_x(url): ...    the test project, served on this test's loop; url("graphql/")
def test_x(key): ...          a name for a group, a gate or a row that no other test uses
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from channels.layers import channel_layers
from pytest_django import Settings

from django_gqlws.broker import process
from tests.integration.serving import Url, serving
from tests.project.asgi import application
from tests.support.peers import connected

REDIS_LAYERS = ["redis_pubsub", "redis_core"]


def sqlite_layer(folder: Path) -> dict[str, Any]:
    """CHANNEL_LAYERS with a layer that has its file in a folder."""
    backend = "django_gqlws.layers.SqliteChannelLayer"
    return {"default": {"BACKEND": backend, "CONFIG": {"path": folder / "channels.sqlite3"}}}


@pytest.fixture
def key() -> str:
    """A name that nothing else uses."""
    return uuid4().hex


@pytest.fixture
def redis_layer(settings: Settings) -> Iterator[Callable[[str, str], None]]:
    """A function that makes one of the Redis layers the project's, at a given address."""

    def choose(kind: str, address: str) -> None:
        layer: dict[str, Any] = settings.LAYERS[kind]
        host = {"address": address, "socket_timeout": None} if kind == "redis_core" else address
        settings.CHANNEL_LAYERS = {"default": {**layer, "CONFIG": {"hosts": [host]}}}

    yield choose
    # The thread that sends for plain threads keeps its connections, here to a Redis that may be gone.
    process._background.stop()


@pytest.fixture
def no_background() -> Iterator[None]:
    """What threads send goes over no loop and no connection of another test's."""
    process._background.stop()
    yield
    process._shortcuts.forget()


@pytest.fixture(params=["inmemory", "sqlite", *REDIS_LAYERS])
def layer(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> str:
    """The project's channel layer: its kind."""
    kind: str = request.param
    if kind == "inmemory":
        settings.CHANNEL_LAYERS = {"default": settings.LAYERS[kind]}
    elif kind == "sqlite":
        settings.CHANNEL_LAYERS = sqlite_layer(tmp_path)
    else:
        request.getfixturevalue("redis_layer")(kind, request.getfixturevalue("redis_url"))
    return kind


@pytest.fixture
async def url() -> AsyncIterator[Url]:
    """The test project served on this test's loop: a function from a path to its address."""
    async with serving(application) as address:
        yield address


@pytest.fixture
async def own_process() -> AsyncIterator[None]:
    """The test has a channel layer of its own, and the clients that it connected in this process leave at the end."""
    channel_layers.backends.clear()
    connected.clear()  # Those that other tests have left are gone with their event loops.
    try:
        yield
        while connected:
            await connected.pop().leave()
    finally:
        channel_layers.backends.clear()
