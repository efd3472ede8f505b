"""The contract of the broker, held against every channel layer: through the hub, and through real sockets."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from redis.asyncio.client import Pipeline

from django_gqlws.broker.bus import Bus, Message
from django_gqlws.broker.envelope import Envelope, Kind
from django_gqlws.broker.event import Event
from django_gqlws.broker.hub import Hub
from django_gqlws.broker.layer import get_layer
from django_gqlws.broker.process import current_broker, send_from_thread
from django_gqlws.exceptions import PayloadError, RunningLoopError
from django_gqlws.serialization import pack
from tests.integration.conftest import REDIS_LAYERS
from tests.integration.serving import Url, listener, message, payload, serving, subscribe, texts
from tests.project.asgi import application
from tests.project.journal import Event as Noted
from tests.project.journal import journal
from tests.project.subscriptions import OnMessage
from tests.support.client import connect
from tests.support.notes import LIMIT
from tests.support.services import RedisServer
from tests.support.tables import situations

BURST = 1_000
"""Broadcasts as fast as they can be made: ten times the default capacity of a channel."""

PROMPTLY = LIMIT / 2
"""Seconds: far above what a broadcast takes, far below the next thing that wakes an idle loop of a test."""

over_each_layer = pytest.mark.usefixtures("layer")


class Recorder:
    """A subscriber that keeps what it is offered."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self._offered = asyncio.Event()

    def offer(self, event: Event) -> None:
        self.received.append(event.unpack())
        self._offered.set()

    keep = offer

    def step(self) -> None:
        raise AssertionError("nobody asked for it")

    async def until(self, last: Any) -> list[Any]:
        """Everything up to this payload."""
        async with asyncio.timeout(LIMIT):
            while last not in self.received:
                self._offered.clear()
                await self._offered.wait()
        return self.received


@pytest.fixture
def group(key: str) -> str:
    """The layer's name of a group that no other test uses."""
    return f"GQLWS-{key}"


@pytest.fixture
async def hub() -> Hub:
    """The hub of this test's loop."""
    return current_broker().hub


@pytest.fixture
async def bus() -> Bus:
    """The bus of this test's loop."""
    return current_broker().bus


@over_each_layer
class TestHub:
    async def test_a_member_gets_each_message_once_in_order(self, hub: Hub, bus: Bus, group: str) -> None:
        """What one sender sends to a group arrives as it was sent."""
        recorder = Recorder()
        await hub.join(recorder, [group])

        for number in range(100):
            await bus.post(Message(Kind.EVENT, group, pack(number)))

        assert await recorder.until(99) == list(range(100))

    async def test_all_members_get_a_message(self, hub: Hub, bus: Bus, group: str) -> None:
        """However many there are, each gets it once."""
        recorders = [Recorder() for _ in range(50)]
        await asyncio.gather(*(hub.join(recorder, [group]) for recorder in recorders))

        await bus.post(Message(Kind.EVENT, group, pack("one")))
        await bus.post(Message(Kind.EVENT, group, pack("two")))

        for recorder in recorders:
            assert await recorder.until("two") == ["one", "two"]

    async def test_groups_keep_apart(self, hub: Hub, bus: Bus, group: str) -> None:
        """A member hears its own groups and no other."""
        here, there, both = Recorder(), Recorder(), Recorder()
        await hub.join(here, [f"{group}-a"])
        await hub.join(there, [f"{group}-b"])
        await hub.join(both, [f"{group}-a", f"{group}-b"])

        await bus.post(Message(Kind.EVENT, f"{group}-a", pack("to a")))
        await bus.post(Message(Kind.EVENT, f"{group}-b", pack("to b")))

        assert await both.until("to b") == ["to a", "to b"]
        assert await here.until("to a") == ["to a"]
        assert await there.until("to b") == ["to b"]

    async def test_a_member_left(self, hub: Hub, bus: Bus, group: str) -> None:
        """Nothing is offered to it any more; those who stay get everything."""
        goes, stays = Recorder(), Recorder()
        await hub.join(goes, [group])
        await hub.join(stays, [group])
        await bus.post(Message(Kind.EVENT, group, pack("before")))
        await stays.until("before")

        hub.leave(goes, [group])
        await bus.post(Message(Kind.EVENT, group, pack("after")))

        assert await stays.until("after") == ["before", "after"]
        assert goes.received == ["before"]

    async def test_the_last_member_left_and_another_comes(self, hub: Hub, bus: Bus, group: str) -> None:
        """However joins and leaves follow each other, who has joined misses nothing."""
        for number in range(20):
            recorder = Recorder()
            await hub.join(recorder, [group])
            await bus.post(Message(Kind.EVENT, group, pack(number)))
            assert await recorder.until(number) == [number]
            hub.leave(recorder, [group])

    async def test_the_last_member_leaves_while_another_joins(self, hub: Hub, bus: Bus, group: str) -> None:
        """However far the leave has got on its way to the layer, it does not take the newcomer with it."""
        for steps in range(40):
            old, new = Recorder(), Recorder()
            await hub.join(old, [group])
            hub.leave(old, [group])
            for _ in range(steps):
                await asyncio.sleep(0)
            await hub.join(new, [group])
            await bus.post(Message(Kind.EVENT, group, pack(steps)))
            assert await new.until(steps) == [steps]
            hub.leave(new, [group])

    async def test_a_broadcast_to_nobody(self, hub: Hub, bus: Bus, group: str) -> None:
        """It costs nobody anything, and who joins later does not get it."""
        await bus.post(Message(Kind.EVENT, group, pack("to nobody")))

        recorder = Recorder()
        await hub.join(recorder, [group])
        await bus.post(Message(Kind.EVENT, group, pack("to somebody")))

        assert await recorder.until("to somebody") == ["to somebody"]

    async def test_a_thread_sends_while_the_loop_is_idle(self, hub: Hub, group: str) -> None:
        """It wakes the loop: the message arrives promptly, not when something else happens."""
        recorder = Recorder()
        await hub.join(recorder, [group])
        loop = asyncio.get_running_loop()

        began = loop.time()
        threading.Thread(target=send_from_thread, args=[Message(Kind.EVENT, group, b"\xc0")]).start()

        assert await recorder.until(None) == [None]
        assert loop.time() - began < PROMPTLY

    @pytest.mark.parametrize(
        "change",
        situations(
            {
                "of a later version": {"version": 2},
                "without a version": {"version": None},
                "of another type": {"type": "chat.message"},
                "of an unknown kind": {"kind": "explode"},
            }
        ),
    )
    async def test_an_envelope(
        self, hub: Hub, bus: Bus, group: str, caplog: pytest.LogCaptureFixture, change: dict[str, Any]
    ) -> None:
        """It costs a line in the log; what was sent before and after it arrives."""
        recorder = Recorder()
        await hub.join(recorder, [group])
        foreign = Envelope(Kind.EVENT, group, "somebody", 1, 0.0, pack("foreign")).to_message() | change

        await bus.post(Message(Kind.EVENT, group, pack("before")))
        await get_layer().group_send(group, foreign)
        await bus.post(Message(Kind.EVENT, group, pack("after")))

        assert await recorder.until("after") == ["before", "after"]
        assert [record.levelname for record in ours(caplog)] == ["WARNING"]


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What we have logged: on a busy machine a layer may have something to say as well."""
    return [record for record in caplog.records if record.name.startswith("django_gqlws")]


async def one_by_one(group: str) -> None:
    for number in range(BURST):
        await OnMessage.broadcast_async(group=group, payload=payload(str(number)))


async def as_concurrent_tasks(group: str) -> None:
    tasks = [OnMessage.broadcast(group=group, payload=payload(str(number))) for number in range(BURST)]
    await asyncio.gather(*filter(None, tasks))


async def without_awaiting_any(group: str) -> None:
    for number in range(BURST):
        OnMessage.broadcast(group=group, payload=payload(str(number)))


async def from_a_thread(group: str) -> None:
    def send() -> None:
        for number in range(BURST):
            OnMessage.broadcast(group=group, payload=payload(str(number)))

    await asyncio.to_thread(send)


async def from_several_threads(group: str) -> None:
    def send(numbers: range) -> None:
        for number in numbers:
            OnMessage.broadcast(group=group, payload=payload(str(number)))

    await asyncio.gather(*(asyncio.to_thread(send, range(first, BURST, 4)) for first in range(4)))


@over_each_layer
class TestBursts:
    @pytest.mark.parametrize(
        "burst", [one_by_one, as_concurrent_tasks, without_awaiting_any, from_a_thread], ids=lambda f: f.__name__
    )
    async def test_all_of_1000_arrive_in_order(
        self, url: Url, key: str, burst: Callable[[str], Awaitable[None]]
    ) -> None:
        """At the default capacity of every layer, each exactly once."""
        async with listener(url, key) as client:
            sending = asyncio.create_task(burst(key))

            assert await texts(client, BURST) == [str(number) for number in range(BURST)]
            await sending
            assert await client.barrier() == []

    async def test_all_of_1000_from_several_threads_arrive(self, url: Url, key: str) -> None:
        """Each exactly once, those of one thread in order."""
        async with listener(url, key) as client:
            sending = asyncio.create_task(from_several_threads(key))

            received = [int(text) for text in await texts(client, BURST)]
            await sending
            assert await client.barrier() == []
        for first in range(4):
            assert [number for number in received if number % 4 == first] == list(range(first, BURST, 4))


@over_each_layer
class TestSockets:
    async def test_a_broadcast_reaches_the_subscriptions_of_its_group(self, url: Url, key: str) -> None:
        """Each exactly once, two of one socket included; another group hears nothing."""
        async with listener(url, key) as one, listener(url, key) as two, listener(url, f"{key}-other") as other:
            await subscribe(one, "2", key)

            await OnMessage.broadcast_async(group=key, payload=payload("hello"))

            both = [await one.receive(), await one.receive()]
            assert sorted(both, key=lambda received: received["id"]) == [message("hello"), message("hello", id="2")]
            assert await two.receive() == message("hello")
            for client in (one, two, other):
                assert await client.barrier() == []

    async def test_a_broadcast_without_a_group(self, url: Url, key: str) -> None:
        """It reaches the subscriptions of the class, whatever their groups."""
        async with listener(url, f"{key}-a") as a, listener(url, f"{key}-b") as b:
            await OnMessage.broadcast_async(payload=payload("to all"))

            assert await a.receive() == message("to all")
            assert await b.receive() == message("to all")

    @pytest.mark.parametrize(
        ("subscribed", "group"),
        situations(
            {
                "a number and its text": ("4242", 4242),
                "a UUID and its text": (
                    "12345678-1234-5678-1234-567812345678",
                    UUID(int=0x12345678123456781234567812345678),
                ),
                "any text": ("a room with spaces, ümlauts and a 🐍" * 10,) * 2,
            }
        ),
    )
    async def test_one_group(self, url: Url, subscribed: str, group: str | int | UUID) -> None:
        """Groups are compared by their text."""
        async with listener(url, subscribed) as client:
            await OnMessage.broadcast_async(group=group, payload=payload("hello"))

            assert await client.receive() == message("hello")

    async def test_unsubscribe_follows_earlier_broadcasts(self, url: Url, key: str) -> None:
        """What was broadcast before is delivered, then comes `complete`, and nothing after it."""
        async with connect(url("confirming/")) as client:
            await client.init()
            document = "subscription ($key: String!) { onMessage(group: $key, key: $key) { text } }"
            await client.subscribe("1", document, {"key": key})
            await client.receive()

            for number in range(20):
                await OnMessage.broadcast_async(group=key, payload=payload(str(number)))
            await OnMessage.unsubscribe_async(group=key)
            await OnMessage.broadcast_async(group=key, payload=payload("too late"))

            assert await texts(client, 20) == [str(number) for number in range(20)]
            assert await client.receive() == {"id": "1", "type": "complete"}
            await journal.reached(Noted.UNSUBSCRIBED, key)
            await current_broker_has_caught_up(key)
            assert await client.barrier() == []
            assert journal.count(Noted.UNSUBSCRIBED, key) == 1

    async def test_unsubscribe_from_a_thread_keeps_to_its_group(self, url: Url, key: str) -> None:
        """The subscriptions of other groups live on, and so does the socket."""
        async with listener(url, key) as client:
            await subscribe(client, "2", f"{key}-other")

            await asyncio.to_thread(OnMessage.unsubscribe, group=key)

            assert await client.receive() == {"id": "1", "type": "complete"}
            await OnMessage.broadcast_async(group=f"{key}-other", payload=payload("hello"))
            assert await client.receive() == message("hello", id="2")

    async def test_sockets_are_cut_while_notifications_arrive(self, url: Url, key: str) -> None:
        """Nothing is left behind half done, and those who stay get everything."""
        async with listener(url, key) as stays:
            for number in range(10):
                async with AsyncExitStack() as stack:
                    clients = [await stack.enter_async_context(listener(url, key)) for _ in range(5)]
                    sending = OnMessage.broadcast(group=key, payload=payload(str(number)))
                    for client in clients:
                        client.cut()
                    assert sending is not None
                    await sending

            assert await texts(stays, 10) == [str(number) for number in range(10)]
        gc.collect()  # Coroutines that were never awaited are warnings, and warnings are errors.

    async def test_disconnect(self, url: Url, key: str, bus: Bus) -> None:
        """The control message closes the sockets of a group with its code and reason; other sockets stay."""
        async with listener(url, key) as one, listener(url, key) as two, listener(url, f"{key}-other") as other:
            await bus.post(Message(Kind.DISCONNECT, OnMessage._group_name(key), pack((4499, "Session ended"))))

            await one.expect_close(4499, "Session ended")
            await two.expect_close(4499, "Session ended")
            assert await other.barrier() == []

    async def test_a_sync_broadcast_on_the_loop(self, key: str) -> None:
        """It would wait for itself: it is refused at once."""
        with pytest.raises(RunningLoopError, match="_async"):
            OnMessage.broadcast_sync(group=key, payload=payload("hello"))

    async def test_a_payload_that_cannot_be_packed(self, url: Url, key: str) -> None:
        """The sender hears of it, also over a layer that would take it."""
        async with listener(url, key) as client:
            with pytest.raises(PayloadError, match="object"):
                await OnMessage.broadcast_async(group=key, payload={"text": object()})
            assert await client.barrier() == []

    async def test_a_payload_that_cannot_be_unpacked(
        self, url: Url, key: str, bus: Bus, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It costs that notification and one line in the log: no subscription, no socket."""
        async with listener(url, key) as one, listener(url, key) as two:
            await OnMessage.broadcast_async(group=key, payload=payload("before"))
            await bus.post(Message(Kind.EVENT, OnMessage._group_name(key), b"\xc1 is nothing that msgpack knows"))
            await OnMessage.broadcast_async(group=key, payload=payload("after"))

            for client in (one, two):
                assert await texts(client, 2) == ["before", "after"]
        assert ["cannot be unpacked" in record.getMessage() for record in ours(caplog)] == [True]


async def current_broker_has_caught_up(key: str) -> None:
    """Return when everything that was sent so far has come back from the layer."""
    recorder, group = Recorder(), f"GQLWS-{key}-{uuid4().hex}"
    await current_broker().hub.join(recorder, [group])
    await current_broker().bus.post(Message(Kind.EVENT, group, pack("marker")))
    await recorder.until("marker")


class Census:
    """How many connections a Redis has, and how many it ever had, apart from the one that asks."""

    def __init__(self, address: str) -> None:
        self._client = redis.Redis.from_url(address)

    def living(self) -> int:
        return len(self._client.client_list()) - 1

    def ever(self) -> int:
        return int(self._client.info("stats")["total_connections_received"])

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def census(own_redis: RedisServer) -> Iterator[Census]:
    census = Census(own_redis.url)
    yield census
    census.close()


@pytest.mark.parametrize("kind", REDIS_LAYERS)
class TestConnections:
    """Sync broadcasts of a process reuse one connection to Redis."""

    def test_of_a_process_that_serves_no_socket(
        self,
        kind: str,
        redis_layer: Callable[[str, str], None],
        own_redis: RedisServer,
        census: Census,
        key: str,
    ) -> None:
        """Many broadcasts, also from several threads, make one connection: a WSGI server, a command, a worker."""
        redis_layer(kind, own_redis.url)

        def send(count: int) -> None:
            for _ in range(count):
                OnMessage.broadcast(group=key, payload=payload("hello"))

        send(1)
        ever = census.ever()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(send, [75] * 4))

        assert census.living() == 1
        assert census.ever() == ever

    async def test_of_a_process_that_serves_sockets(
        self,
        kind: str,
        redis_layer: Callable[[str, str], None],
        own_redis: RedisServer,
        census: Census,
        key: str,
    ) -> None:
        """Neither subscribers nor broadcasts add any."""
        redis_layer(kind, own_redis.url)
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(serving(application))
            clients = [await stack.enter_async_context(listener(url, f"{key}-{number % 7}")) for number in range(20)]
            await asyncio.to_thread(OnMessage.broadcast, payload=payload("hello"))
            living, ever = census.living(), census.ever()

            for _ in range(100):
                await asyncio.to_thread(OnMessage.broadcast, payload=payload("hello"))

            for client in clients:
                assert await texts(client, 101) == ["hello"] * 101
            assert census.ever() == ever
            assert living <= 3


async def test_a_burst_over_redis_pubsub(
    redis_layer: Callable[[str, str], None], redis_url: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has queued up goes to Redis in one round trip, not in one for each message."""
    redis_layer("redis_pubsub", redis_url)
    trips: list[int] = []

    execute = Pipeline.execute

    async def counted(pipeline: Pipeline, **options: Any) -> Any:
        trips.append(len(pipeline))
        return await execute(pipeline, **options)

    monkeypatch.setattr(Pipeline, "execute", counted)

    await as_concurrent_tasks(key)

    assert sum(trips) == BURST
    assert len(trips) < BURST / 50
