"""Channel layers, made to order.

async def test_x(make): ...     layer = make(capacity=5): of each kind in turn, by itself and empty
async def test_x(later): ...    later(120): for the layer so many seconds have passed
async def test_x(waits): ...    await waits("work"): whoever receives from this normal channel can miss nothing now
async def test_x(sqlite): ...   layer = sqlite(capacity=5): ours; every call gives another one on the same file
def test_x(path): ...           where that file is
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import channels.layers
import channels_redis.core
import pytest
import redis.asyncio as redis
from channels.layers import BaseChannelLayer, InMemoryChannelLayer
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from django_gqlws.layers import SqliteChannelLayer, clock
from tests.integration.layers.differences import DIFFERENCES, RACES
from tests.support.notes import LIMIT

KINDS = ["inmemory", "sqlite", "redis_core", "redis_pubsub"]

Make = Callable[..., Any]
Later = Callable[[float], None]
Waits = Callable[[str], Awaitable[None]]

BRIEFLY = 0.5
"""Seconds to wait for what a layer is known not to deliver."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of the layers of this test."""
    return tmp_path / "layer" / "channels.sqlite3"


@pytest.fixture
async def sqlite(path: Path) -> AsyncIterator[Callable[..., SqliteChannelLayer]]:
    """A function that makes a layer as another process would have it."""
    made: list[SqliteChannelLayer] = []

    def make(**options: Any) -> SqliteChannelLayer:
        made.append(SqliteChannelLayer(path, **options))
        return made[-1]

    yield make
    for layer in made:
        await layer.close()


@pytest.fixture(params=KINDS)
async def make(
    request: pytest.FixtureRequest, sqlite: Callable[..., SqliteChannelLayer], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Make]:
    """A function that makes a layer of each kind. Where the kind is known to differ, the test has to fail."""
    kind: str = request.param
    difference = DIFFERENCES.get(request.function.__name__, {}).get(kind)
    if difference is not None:
        monkeypatch.setattr(request.module, "PROMPTLY", BRIEFLY)
        request.applymarker(pytest.mark.xfail(reason=difference, strict=difference not in RACES))
    address = request.getfixturevalue("redis_url") if kind.startswith("redis") else ""
    closers: list[Callable[[], Awaitable[None]]] = []

    def make_other(**options: Any) -> BaseChannelLayer:
        prefix = f"test-{uuid4().hex}"
        if kind == "sqlite":
            return sqlite(**options)
        if kind == "inmemory":
            return InMemoryChannelLayer(**options)
        if kind == "redis_core":
            host = {"address": address, "socket_timeout": None}
            layer = RedisChannelLayer(hosts=[host], prefix=prefix, **options)
        else:
            layer = RedisPubSubChannelLayer(hosts=[address], prefix=prefix, **options)
        closers.append(layer.flush)
        return layer

    yield make_other
    for close in closers:
        await close()


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    """Of which kind the layers are that `make` makes."""
    kind: str = request.node.callspec.params["make"]
    return kind


@pytest.fixture
def later(kind: str, monkeypatch: pytest.MonkeyPatch) -> Later:
    """A function that lets time pass on the clock of the layer; Redis' pub/sub layer has none, nothing expires."""

    def pass_time(seconds: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: time.monotonic() + seconds)
        for module in (channels.layers, channels_redis.core):
            monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: time.time() + seconds))

    return pass_time


@pytest.fixture
def waits(kind: str, request: pytest.FixtureRequest) -> Waits:
    """A function that returns when a receiver of a normal channel can miss nothing: pub/sub has to know of it."""

    async def until_it_is_known(channel: str) -> None:
        if kind != "redis_pubsub":
            return
        async with asyncio.timeout(LIMIT), redis.Redis.from_url(request.getfixturevalue("redis_url")) as client:
            while (await client.pubsub_numsub(channel))[0][1] == 0:
                pass

    return until_it_is_known
