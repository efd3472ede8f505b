"""Redis goes away and comes back under a server with open sockets."""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, suppress

import pytest

from django_gqlws.exceptions import BroadcastError
from tests.integration.conftest import REDIS_LAYERS
from tests.integration.serving import ON_MESSAGE, Url, listener, message, payload, serving, subscribe
from tests.project.asgi import application
from tests.project.subscriptions import OnMessage
from tests.support.client import Client, connect
from tests.support.notes import LIMIT
from tests.support.services import RedisServer

BACK_WITHIN = LIMIT
"""Seconds after Redis is back in which every subscriber receives again: on a quiet machine it is one or two."""

# redis-py drops the socket of a pub/sub connection that its receiver and a subscribe open again at the same time.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

SUBSCRIBERS = 20
GROUPS = 4


@pytest.fixture(params=REDIS_LAYERS)
def redis(
    request: pytest.FixtureRequest, own_redis: RedisServer, redis_layer: Callable[[str, str], None]
) -> Iterator[RedisServer]:
    """A Redis to stop and start; the project uses it, through each of the layers."""
    redis_layer(request.param, own_redis.url)
    yield own_redis
    gc.collect()  # While the warnings of `pytestmark` are ignored.


@pytest.fixture
async def url(redis: RedisServer) -> AsyncIterator[Url]:
    """The test project over that Redis."""
    async with serving(application) as address:
        yield address


async def send(group: str, text: str) -> None:
    await OnMessage.broadcast_async(group=group, payload=payload(text))


async def listeners(stack: AsyncExitStack, url: Url, key: str) -> list[Client]:
    """Subscribers of several groups."""
    return [await stack.enter_async_context(listener(url, f"{key}-{number % GROUPS}")) for number in range(SUBSCRIBERS)]


async def all_receive_again(clients: list[Client], key: str) -> dict[Client, list[str]]:
    """The first text that each client gets, as soon as each has got one of many broadcasts."""
    first = {asyncio.create_task(client.receive(timeout=2 * BACK_WITHIN)): client for client in clients}
    waiting = set(first)
    async with asyncio.timeout(BACK_WITHIN):
        for attempt in itertools.count():
            for number in range(GROUPS):
                with suppress(BroadcastError):
                    await send(f"{key}-{number}", f"attempt {attempt}")
            _, waiting = await asyncio.wait(waiting, timeout=0.05)
            if not waiting:
                break
    return {client: [text_of(task.result())] for task, client in first.items()}


def text_of(received: dict[str, object]) -> str:
    match received:
        case {"payload": {"data": {"onMessage": {"text": str(text)}}}}:
            return text
    raise AssertionError(f"expected a message, got {received}")


async def test_a_broadcast_during_the_outage(url: Url, redis: RedisServer, key: str) -> None:
    """It raises BroadcastError at its sender: awaited, as a task, and in a thread."""
    async with listener(url, key):
        redis.stop()

        with pytest.raises(BroadcastError):
            await send(key, "lost")
        with pytest.raises(BroadcastError):
            await asyncio.ensure_future(OnMessage.broadcast(group=key, payload=payload("lost")))
        with pytest.raises(BroadcastError):
            await asyncio.to_thread(OnMessage.broadcast, group=key, payload=payload("lost"))


async def test_redis_comes_back(url: Url, redis: RedisServer, key: str) -> None:
    """Every subscriber of every group receives again by itself, each message once, on the socket it had."""
    async with AsyncExitStack() as stack:
        clients = await listeners(stack, url, key)
        redis.stop()
        with pytest.raises(BroadcastError):
            await send(f"{key}-0", "lost")

        redis.start()

        received = await all_receive_again(clients, key)
        for number in range(GROUPS):
            await send(f"{key}-{number}", "the last")
        for client, texts in received.items():
            while texts[-1] != "the last":
                texts.append(text_of(await client.receive()))
            assert len(texts) == len(set(texts))
            assert await client.barrier() == []


async def test_redis_restarts_between_two_broadcasts(url: Url, redis: RedisServer, key: str) -> None:
    """Nobody sent anything meanwhile; all receive again all the same."""
    async with AsyncExitStack() as stack:
        clients = await listeners(stack, url, key)

        redis.restart()

        await all_receive_again(clients, key)


async def test_queries_during_the_outage(url: Url, redis: RedisServer, key: str) -> None:
    """They work on every socket, sync and async, and so do pings."""
    async with AsyncExitStack() as stack:
        clients = await listeners(stack, url, key)
        redis.stop()

        for client in clients:
            answer = await client.execute("query", "{ value syncValue }")
            assert answer == {"data": {"value": "value", "syncValue": "sync value"}}
            assert await client.barrier() == []


async def test_subscribing_during_the_outage(url: Url, redis: RedisServer, key: str) -> None:
    """It is refused with an `error`: the socket stays, the id is free, and afterwards it works."""
    async with listener(url, f"{key}-0") as other, listener(url, f"{key}-a") as client:
        redis.stop()
        await client.subscribe("2", ON_MESSAGE, {"group": f"{key}-b"})
        refused = await client.receive()
        assert (refused["type"], refused["id"]) == ("error", "2")

        redis.start()
        await all_receive_again([other], key)
        await subscribe(client, "2", f"{key}-b")
        await send(f"{key}-b", "hello")

        assert await client.receive() == message("hello", id="2")


async def test_connecting_during_the_outage(url: Url, redis: RedisServer, key: str) -> None:
    """A newcomer is welcome, and gets answers to queries."""
    async with listener(url, key):
        redis.stop()

        async with connect(url("graphql/")) as newcomer:
            await newcomer.init()
            assert await newcomer.execute("1", "{ value }") == {"data": {"value": "value"}}


async def test_leaving_during_the_outage(url: Url, redis: RedisServer, key: str) -> None:
    """The subscription ends at once; made again when Redis is back, it misses nothing."""
    async with listener(url, f"{key}-0") as other, listener(url, f"{key}-a") as client:
        redis.stop()
        await client.complete("1")
        assert await client.barrier() == []

        redis.start()
        await all_receive_again([other], key)
        await subscribe(client, "1", f"{key}-a")
        await send(f"{key}-a", "hello")

        assert await client.receive() == message("hello")


def test_a_process_without_a_server_during_the_outage(redis: RedisServer, key: str) -> None:
    """A command or a worker that goes on: its broadcasts raise, and the next one after the outage is sent."""
    OnMessage.broadcast(group=key, payload=payload("before"))
    redis.stop()
    with pytest.raises(BroadcastError):
        OnMessage.broadcast(group=key, payload=payload("lost"))

    redis.start()

    OnMessage.broadcast(group=key, payload=payload("after"))
