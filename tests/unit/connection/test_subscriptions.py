"""Subscriptions of one client: how they begin, what they deliver, and how they end."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import warnings
import weakref
from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from typing import Any

import graphene
import pytest
from channels.layers import channel_layers
from graphql import GraphQLError

from django_gqlws import Subscription
from django_gqlws.broker import rounds
from django_gqlws.broker.bus import Message
from django_gqlws.broker.census import census_group
from django_gqlws.broker.envelope import Kind
from django_gqlws.broker.process import current_broker
from django_gqlws.connection import Hooks
from django_gqlws.counters import counters
from django_gqlws.serialization import pack
from tests.project.journal import Event, journal
from tests.support.clock import pass_time
from tests.support.notes import LIMIT, Notes, ThreadGate
from tests.support.tables import situations
from tests.unit.broker.layer import FakeLayer
from tests.unit.connection.peer import Peer, connect


class Stage:
    """What the subscriptions of one test note, and the gates at which they wait."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.notes: Notes[str] = Notes()
        self.contexts: list[Any] = []
        self.gate = asyncio.Event()
        self.thread_gate = ThreadGate()

    def note_from_thread(self, item: str) -> None:
        self.loop.call_soon_threadsafe(self.notes.add, item)


stage: Stage


@pytest.fixture(autouse=True)
async def own_stage() -> None:
    global stage
    stage = Stage()


class OnEvent(Subscription):
    """Async throughout; `how` says what its `subscribe` does, the payload what its `publish` does."""

    class Arguments:
        how = graphene.String(default_value="returns")

    text = graphene.String()

    @staticmethod
    async def subscribe(root: Any, info: Any, how: str) -> Any:
        stage.notes.add("subscribe")
        stage.contexts.append(info.context)
        try:
            if how in ("waits", "is stubborn"):
                await stage.gate.wait()
        except asyncio.CancelledError:
            if how == "waits":
                raise
        if how == "raises":
            raise ValueError("a secret")
        return "room" if how == "returns text" else ["room"]

    @staticmethod
    async def publish(payload: str, info: Any, how: str) -> OnEvent | None:
        stage.notes.add(f"publish {payload}")
        stage.contexts.append(info.context)
        if payload == "waits":
            await stage.gate.wait()
        if payload == "raises":
            raise GraphQLError("no")
        return None if payload == "is nothing" else OnEvent(text=payload)

    @staticmethod
    async def unsubscribed(root: Any, info: Any, how: str) -> None:
        stage.notes.add("unsubscribed")
        stage.contexts.append(info.context)


class OnSyncEvent(Subscription):
    """Sync throughout; its `subscribe` blocks its thread if it is told to."""

    class Arguments:
        how = graphene.String(default_value="returns")

    text = graphene.String()

    @staticmethod
    def subscribe(root: Any, info: Any, how: str) -> list[str]:
        if how != "returns":
            stage.thread_gate.wait()
        if how == "raises":
            raise ValueError("a secret")
        return ["room"]

    @staticmethod
    def publish(payload: str, info: Any, how: str) -> OnSyncEvent:
        return OnSyncEvent(text=payload)

    @staticmethod
    def unsubscribed(root: Any, info: Any, how: str) -> None:
        stage.note_from_thread("unsubscribed")


def slowly(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that does not know what it decorates."""

    @wraps(function)
    def wrapper(*args: Any, **arguments: Any) -> Any:
        stage.thread_gate.wait()
        return function(*args, **arguments)

    return wrapper


class OnDecoratedEvent(OnEvent):
    """Its `subscribe` is a plain function that returns a coroutine."""

    @staticmethod
    @slowly
    async def subscribe(root: Any, info: Any, how: str) -> list[str]:
        stage.notes.add("subscribe")
        return ["room"]


class Subscriptions(graphene.ObjectType):
    on_event = OnEvent.Field()
    on_sync_event = OnSyncEvent.Field()
    on_decorated_event = OnDecoratedEvent.Field()


class Query(graphene.ObjectType):
    value = graphene.String()


SCHEMA = graphene.Schema(query=Query, subscription=Subscriptions)
EVENT = "subscription ($how: String) { onEvent(how: $how) { text } }"
SYNC_EVENT = "subscription ($how: String) { onSyncEvent(how: $how) { text } }"
BOTH = {"async": (OnEvent, EVENT, "onEvent"), "sync": (OnSyncEvent, SYNC_EVENT, "onSyncEvent")}


def connect_here(**settings: Any) -> Any:
    return connect(schema=SCHEMA, confirm_subscriptions=True, **settings)


async def listen(peer: Peer, id: str = "1", query: str = EVENT) -> None:
    """Subscribe, and return when no broadcast can be missed."""
    peer.subscribe(id, query, how="returns")
    assert await peer.receive() == {"id": id, "type": "next", "payload": {"data": None}}


async def broadcast(*payloads: Any) -> None:
    for payload in payloads:
        await OnEvent.broadcast_async(group="room", payload=payload)


async def texts(peer: Peer, count: int) -> list[str]:
    results = [await peer.receive() for _ in range(count)]
    return [result["payload"]["data"]["onEvent"]["text"] for result in results]


# Ends


async def client_completes(peer: Peer) -> None:
    peer.complete("1")


async def client_completes_twice(peer: Peer) -> None:
    peer.complete("1")
    peer.complete("1")


async def server_unsubscribes(peer: Peer) -> None:
    await OnEvent.unsubscribe_async(group="room")
    await OnSyncEvent.unsubscribe_async()


async def server_disconnects(peer: Peer) -> None:
    for subscription in (OnEvent, OnSyncEvent):
        await current_broker().bus.post(Message(Kind.DISCONNECT, subscription._group_name("room"), pack((4000, "bye"))))


async def client_breaks_the_protocol(peer: Peer) -> None:
    peer.connection.receive_text("{")


async def client_is_gone(peer: Peer) -> None:
    asyncio.create_task(peer.connection.disconnected(1006))  # noqa: RUF006 - the peer's end waits for the same.


async def all_at_once(peer: Peer) -> None:
    await client_completes(peer)
    await server_unsubscribes(peer)
    await client_is_gone(peer)


End = Callable[[Peer], Awaitable[None]]
ENDS: dict[str, tuple[End, list[dict[str, Any]]]] = {
    "the client completes": (client_completes, []),
    "the client completes twice": (client_completes_twice, []),
    "the server unsubscribes": (server_unsubscribes, [{"id": "1", "type": "complete"}]),
    "the server disconnects": (server_disconnects, [{"code": 4000, "reason": "bye"}]),
    "the client breaks the protocol": (
        client_breaks_the_protocol,
        [{"code": 4400, "reason": "The message is not valid JSON"}],
    ),
    "the client is gone": (client_is_gone, []),
    "all at once": (all_at_once, []),
}


async def test_ends_that_take_their_time() -> None:
    """They count when there are as many as operations may run: who begins and completes without end is refused."""

    class OnStubborn(OnEvent):
        @staticmethod
        async def unsubscribed(root: Any, info: Any, how: str) -> None:
            await stage.gate.wait()

    streams = type("Subscriptions", (graphene.ObjectType,), {"on_stubborn": OnStubborn.Field()})
    schema = graphene.Schema(query=Query, subscription=streams)
    async with connect(schema=schema, confirm_subscriptions=True, max_operations=3) as peer:
        answers = []
        for number in range(7):
            peer.subscribe(str(number), "subscription { onStubborn { text } }")
            answers.append((await peer.receive())["type"])
            peer.complete(str(number))
        stage.gate.set()

        assert answers[:3] == ["next"] * 3
        assert answers[-1] == "error"


@pytest.mark.parametrize(("subscription", "query", "field"), situations(BOTH))
@pytest.mark.parametrize(("end", "answers"), situations(ENDS))
async def test_the_end_of_a_live_subscription(
    end: End, answers: list[dict[str, Any]], subscription: type, query: str, field: str
) -> None:
    """`unsubscribed` is called once, and nothing more is delivered."""
    async with connect_here() as peer:
        await listen(peer, query=query)

        await end(peer)
        for answer in answers:
            assert await peer.receive() == answer
        await stage.notes.reached(1, "unsubscribed")
        await broadcast("too late")

    assert stage.notes.count("unsubscribed") == 1
    assert "publish too late" not in stage.notes
    peer.assert_silence()


CLIENT_ENDS = {name: row[0] for name, row in ENDS.items() if row[0] not in (server_unsubscribes, server_disconnects)}


@pytest.mark.parametrize("how", ["waits", "is stubborn"])
@pytest.mark.parametrize("end", CLIENT_ENDS.values(), ids=CLIENT_ENDS)
async def test_an_end_while_an_async_subscribe_runs(end: End, how: str) -> None:
    """It is cancelled; `unsubscribed` is called only if it returns all the same."""
    async with connect_here() as peer:
        peer.subscribe("1", EVENT, how=how)
        await stage.notes.reached(1, "subscribe")

        await end(peer)

    assert stage.notes.count("unsubscribed") == (how == "is stubborn")


@pytest.mark.parametrize("how", ["waits", "raises"])
@pytest.mark.parametrize("end", CLIENT_ENDS.values(), ids=CLIENT_ENDS)
async def test_an_end_while_a_sync_subscribe_runs(end: End, how: str) -> None:
    """It cannot be cancelled: `unsubscribed` is called if it returns, not if it raises."""
    async with connect_here() as peer:
        peer.subscribe("1", SYNC_EVENT, how=how)
        await stage.thread_gate.reached.wait()

        await end(peer)
        stage.thread_gate.open()

    await asyncio.sleep(0)
    assert stage.notes.count("unsubscribed") == (how == "waits")


@pytest.mark.parametrize("end", CLIENT_ENDS.values(), ids=CLIENT_ENDS)
async def test_an_end_while_the_decorator_of_an_async_subscribe_runs(end: End) -> None:
    """`subscribe` itself has not begun: it never does, and `unsubscribed` is not called."""
    async with connect_here() as peer:
        peer.subscribe("1", "subscription { onDecoratedEvent { text } }")
        await stage.thread_gate.reached.wait()

        await end(peer)
        stage.thread_gate.open()

    await asyncio.sleep(0)
    assert stage.notes.count("subscribe") == stage.notes.count("unsubscribed") == 0


@pytest.mark.parametrize("end", CLIENT_ENDS.values(), ids=CLIENT_ENDS)
async def test_an_end_while_the_group_is_joined(end: End) -> None:
    """`subscribe` has returned, so `unsubscribed` is called, and the group is left again."""
    layer = FakeLayer()
    channel_layers.set("default", layer)
    async with connect_here() as peer:
        await layer.calls.reached(1, f"add {census_group()}")
        layer.hold()
        peer.subscribe("1", EVENT, how="returns")
        await layer.calls.reached(3)

        joined = asyncio.create_task(end(peer)) if end is all_at_once else None
        if joined is None:
            await end(peer)
        layer.release()
        await (joined or asyncio.sleep(0))

    assert stage.notes.count("unsubscribed") == 1


FAILURES = {
    "it raises": ("raises", "Internal server error", 0),
    "it returns a bare text": ("returns text", "Internal server error", 1),
}


@pytest.mark.parametrize(("how", "message", "unsubscribed"), situations(FAILURES))
async def test_a_subscribe_that_fails(how: str, message: str, unsubscribed: int) -> None:
    """One `error`, the id is free, the socket lives; `unsubscribed` is called only if it returned."""
    async with connect_here() as peer:
        peer.subscribe("1", EVENT, how=how)

        error = await peer.receive()
        assert (error["id"], error["type"]) == ("1", "error")
        assert [one["message"] for one in error["payload"]] == [message]
        await listen(peer)
        assert stage.notes.count("unsubscribed") == unsubscribed


async def test_a_channel_layer_that_fails_to_join() -> None:
    """One `error`, and `unsubscribed` is called; the next one can subscribe."""
    layer = FakeLayer()
    channel_layers.set("default", layer)
    async with connect_here() as peer:
        # The process joins a group of its own with its first connection.
        await layer.calls.until(lambda calls: any(call.startswith("add ") for call in calls))
        layer.failures["add"] = 1
        peer.subscribe("1", EVENT, how="returns")

        assert (await peer.receive())["type"] == "error"
        await stage.notes.reached(1, "unsubscribed")
        await listen(peer)

    assert stage.notes.count("unsubscribed") == 2


# Beginnings


async def test_a_broadcast_right_behind_the_confirmation() -> None:
    """It is not missed."""
    async with connect_here() as peer:
        await listen(peer)
        await broadcast("a")

        assert await texts(peer, 1) == ["a"]


CONFIRMATIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the default": ({"data": None, "errors": None}, {"data": None}),
    "data of any kind": ({"data": {"any": [1]}}, {"data": {"any": [1]}}),
    "no errors": ({"data": 1, "errors": []}, {"data": 1}),
    "errors": (
        {"data": None, "errors": [GraphQLError("hello")]},
        {"data": None, "errors": [{"message": "hello"}]},
    ),
    "errors of any kind": (
        {"data": None, "errors": [ValueError("hello")]},
        {"data": None, "errors": [{"message": "ValueError: hello", "extensions": {"code": "ValueError"}}]},
    ),
}


@pytest.mark.parametrize(("message", "payload"), situations(CONFIRMATIONS))
async def test_the_confirmation(
    message: dict[str, Any], payload: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """One result before all others; its errors are the developer's own words, neither masked nor logged."""
    async with connect_here(subscription_confirmation_message=message) as peer:
        peer.subscribe("1", EVENT)

        # Not through the strict reader: data may be anything here.
        await peer.socket.written.reached(2)
        assert json.loads(str(peer.socket.written[1])) == {"id": "1", "type": "next", "payload": payload}
    assert caplog.records == []


async def test_no_confirmation_of_a_query() -> None:
    """It gets its result only."""
    async with connect_here() as peer:
        assert await peer.execute("{ value }") == {"data": {"value": None}}


class OnFarewell(Subscription):
    """Its `unsubscribed` waits, in a worker thread or on the loop."""

    class Arguments:
        room = graphene.String()

    text = graphene.String()

    @staticmethod
    async def subscribe(root: Any, info: Any, room: str) -> list[str]:
        return [room]

    @staticmethod
    async def publish(payload: str, info: Any, room: str) -> None: ...

    @staticmethod
    async def unsubscribed(root: Any, info: Any, room: str) -> None:
        stage.notes.add("unsubscribed")
        try:
            await stage.gate.wait()
        finally:
            stage.notes.add("unsubscribed is over")


class OnSyncFarewell(OnFarewell):
    """The same in a worker thread."""

    @staticmethod
    def unsubscribed(root: Any, info: Any, room: str) -> None:
        stage.note_from_thread("unsubscribed")
        stage.thread_gate.wait()
        stage.note_from_thread("unsubscribed is over")


class Farewells(graphene.ObjectType):
    on_farewell = OnFarewell.Field()
    on_sync_farewell = OnSyncFarewell.Field()


@pytest.mark.parametrize("field", ["onFarewell", "onSyncFarewell"])
async def test_an_unsubscribed_that_hangs(field: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is cut, counted and logged, and keeps nothing of the connection alive."""
    before = counters.cut
    schema = graphene.Schema(query=Query, subscription=Farewells)
    async with connect(schema=schema, confirm_subscriptions=True, notification_timeout=LIMIT) as peer:
        peer.subscribe("1", f'subscription {{ {field}(room: "a") {{ text }} }}')
        await peer.receive()
        peer.complete("1")
        await stage.notes.reached(1, "unsubscribed")
        pass_time(LIMIT)

    assert counters.cut == before + 1
    assert "Farewell.unsubscribed took more than 30 seconds and was cut." in caplog.text
    stage.thread_gate.open()
    await stage.notes.reached(1, "unsubscribed is over")


async def test_an_unsubscribed_whose_connection_is_gone() -> None:
    """It runs to its end."""
    schema = graphene.Schema(query=Query, subscription=Farewells)
    async with connect(schema=schema, confirm_subscriptions=True, notification_timeout=None) as peer:
        peer.subscribe("1", 'subscription { onFarewell(room: "a") { text } }')
        await peer.receive()
        gone = asyncio.create_task(peer.connection.disconnected(1006))
        await stage.notes.reached(1, "unsubscribed")
        assert not gone.done()
        stage.gate.set()
        await gone

    assert stage.notes == ["unsubscribed", "unsubscribed is over"]


async def test_an_id_used_again_while_the_old_one_ends() -> None:
    """The new subscription is served; the old one ends by itself."""
    async with connect_here() as peer:
        await listen(peer)
        peer.complete("1")
        await listen(peer)
        await broadcast("a")

        assert await texts(peer, 1) == ["a"]
        await stage.notes.reached(1, "unsubscribed")

    assert stage.notes.count("unsubscribed") == 2


# Notifications


@pytest.mark.parametrize(("subscription", "query", "field"), situations(BOTH))
async def test_notifications(subscription: Any, query: str, field: str) -> None:
    """In the order of the broadcasts, each once, under the id of each subscription."""
    async with connect_here() as peer:
        await listen(peer, "1", query)
        await listen(peer, "2", query)
        for number in range(20):
            await subscription.broadcast_async(group="room" if number % 2 else None, payload=str(number))
        await subscription.broadcast_async(group="another room", payload="not for them")

        results = [await peer.receive() for _ in range(40)]

    for id in ("1", "2"):
        seen = [result["payload"]["data"][field]["text"] for result in results if result["id"] == id]
        assert seen == [str(number) for number in range(20)]
    peer.assert_silence()


async def test_a_publish_that_is_slower_than_the_next() -> None:
    """The order stays."""
    async with connect_here() as peer:
        await listen(peer)
        await broadcast("waits", "b", "c")
        await stage.notes.reached(1, "publish waits")
        stage.gate.set()

        assert await texts(peer, 3) == ["waits", "b", "c"]


async def test_a_slow_publish_delays_nobody_else() -> None:
    """Another subscription and a query go on."""
    async with connect_here() as slow, connect_here() as quick:
        await listen(slow)
        await listen(quick, query="subscription { onSyncEvent { text } }")
        await broadcast("waits")
        await OnSyncEvent.broadcast_async(payload="quick")

        await quick.expect_next("1", onSyncEvent={"text": "quick"})
        assert await slow.execute("{ value }") == {"data": {"value": None}}
        stage.gate.set()


async def test_a_full_queue(caplog: pytest.LogCaptureFixture) -> None:
    """The oldest are dropped, with one warning that names the operation."""
    async with connect_here(subscription_notification_queue_limit=2) as peer:
        await listen(peer)
        await broadcast("waits")
        await stage.notes.reached(1, "publish waits")
        await broadcast("1", "2", "3", "4", "5")
        await fence()
        stage.gate.set()

        assert await texts(peer, 3) == ["waits", "4", "5"]
        await broadcast("6")
        assert await texts(peer, 1) == ["6"]

    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("The operation with the id '1' is too slow")


async def test_a_burst_to_those_who_want_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first and the last arrive, however little may wait for the subscribers."""

    class GatedLayer(FakeLayer):
        async def receive(self, channel: str) -> dict[str, Any]:
            message = await super().receive(channel)
            await stage.gate.wait()
            return message

    channel_layers.set("default", GatedLayer())
    monkeypatch.setattr(rounds, "MAX_WAITING", 1)
    async with connect_here(subscription_notification_queue_limit=1) as peer:
        await listen(peer)
        await broadcast(*"012345678")
        stage.gate.set()

        assert await texts(peer, 2) == ["0", "8"]


async def fence() -> None:
    """Return when everything that was broadcast so far has been offered: a process has one channel, in order."""
    async with connect_here() as peer:
        await listen(peer, query=SYNC_EVENT)
        await OnSyncEvent.broadcast_async(payload="fence")
        await peer.expect_next("1", onSyncEvent={"text": "fence"})


async def test_a_client_that_does_not_read() -> None:
    """Its notifications wait; when it reads again it gets them in order."""
    async with connect_here() as peer:
        await listen(peer)
        peer.socket.hold()
        await broadcast("a", "b", "c")
        await fence()
        peer.socket.release()

        assert await texts(peer, 3) == ["a", "b", "c"]


async def test_a_publish_that_returns_nothing() -> None:
    """Nothing is sent for it."""
    async with connect_here() as peer:
        await listen(peer)
        await broadcast("is nothing", "a")

        assert await texts(peer, 1) == ["a"]
        peer.assert_silence()


async def test_a_publish_that_raises() -> None:
    """The error is the result, and the subscription goes on."""
    async with connect_here() as peer:
        await listen(peer)
        await broadcast("raises", "a")

        result = await peer.receive()
        assert result["payload"]["data"] == {"onEvent": None}
        assert [error["message"] for error in result["payload"]["errors"]] == ["no"]
        assert await texts(peer, 1) == ["a"]


async def test_a_payload_that_cannot_be_unpacked(caplog: pytest.LogCaptureFixture) -> None:
    """It costs that one notification, and is logged once, however many subscribe."""
    async with connect_here() as peer:
        await listen(peer, "1")
        await listen(peer, "2")
        await current_broker().bus.post(Message(Kind.EVENT, OnEvent._group_name("room"), b"\xc1"))
        await broadcast("a")

        assert await texts(peer, 2) == ["a", "a"]

    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith("A notification was skipped, its payload cannot be unpacked")


async def test_an_unsubscribe_behind_broadcasts() -> None:
    """What was broadcast before is delivered before the `complete`."""
    async with connect_here() as peer:
        await listen(peer)
        await broadcast("waits", "b")
        await OnEvent.unsubscribe_async(group="room")
        await broadcast("too late")
        await fence()
        stage.gate.set()

        assert await texts(peer, 2) == ["waits", "b"]
        assert await peer.receive() == {"id": "1", "type": "complete"}

    peer.assert_silence()


ORDERS: dict[str, Any] = {
    "no pair": 5,
    "too few": (4000,),
    "a reason that is no text": (4000, None),
    "a code that is no number": ("x", 1),
}


@pytest.mark.parametrize("order", [pytest.param(order, id=name) for name, order in ORDERS.items()])
async def test_a_broken_order_to_disconnect(order: Any) -> None:
    """It costs nobody anything."""
    async with connect_here() as peer:
        await listen(peer)
        await current_broker().bus.post(Message(Kind.DISCONNECT, OnEvent._group_name("room"), pack(order)))
        await broadcast("a")

        assert await texts(peer, 1) == ["a"]


async def test_the_context_of_a_subscription() -> None:
    """It is one object from `subscribe` to `unsubscribed`, and another for the next subscription."""
    async with connect_here() as peer:
        await listen(peer)
        await broadcast("a", "b")
        await texts(peer, 2)
        peer.complete("1")
        await stage.notes.reached(1, "unsubscribed")
        await listen(peer)

    first, *others = stage.contexts[:4]
    assert all(context is first for context in others)
    assert first.graphql_operation_id == "1"
    assert stage.contexts[4] is not first


async def test_a_middleware_with_a_context_of_its_own() -> None:
    """A publish that returns nothing still sends nothing."""

    async def middleware(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
        result = resolve(root, info._replace(context=object()), **arguments)
        return await result if isinstance(result, Awaitable) else result

    async with connect_here(middleware=[middleware]) as peer:
        await listen(peer)
        await broadcast("is nothing", "a")

        assert await texts(peer, 1) == ["a"]


async def test_an_end_before_an_execution_has_begun() -> None:
    """Nothing is left behind that was never awaited."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async with connect_here() as peer:
            await listen(peer)
            await broadcast("a")
            peer.complete("1")
        gc.collect()

    assert [str(warning.message) for warning in caught] == []


async def test_a_subscription_that_is_set_up() -> None:
    """The task that has done that is freed: the subscription lives on without one."""
    tasks: list[weakref.ref[Any]] = []

    class Noting(Hooks):
        async def on_operation(self, op_id: str, payload: Any) -> None:
            tasks.append(weakref.ref(asyncio.current_task()))

    async with connect_here(hooks=Noting()) as peer:
        await listen(peer)
        await broadcast("a")
        assert await texts(peer, 1) == ["a"]

        assert [task() for task in tasks] == [None]


async def test_a_subscription_that_is_over() -> None:
    """It is freed at once, with its context: nothing of it is left to the garbage collector."""
    async with connect_here() as peer:
        await listen(peer)
        await broadcast("a")
        assert await texts(peer, 1) == ["a"]
        freed = asyncio.Event()
        context = weakref.ref(stage.contexts[0], lambda _: freed.set())

        gc.disable()
        try:
            peer.complete("1")
            await stage.notes.until(lambda notes: "unsubscribed" in notes)
            stage.contexts.clear()

            async with asyncio.timeout(LIMIT):
                await freed.wait()
            assert context() is None
        finally:
            gc.enable()


# Native streams


async def test_a_native_stream() -> None:
    """Its values in order, then `complete`."""
    async with connect() as peer:
        peer.subscribe("1", "subscription { countTo(n: 500) }")

        for number in range(1, 501):
            await peer.expect_next("1", countTo=number)
        assert await peer.receive() == {"id": "1", "type": "complete"}


STREAMS = {
    "no events": ("countTo(n: 0)", [], "complete"),
    "it fails": ("failsAfter(n: 2)", [1, 2], "error"),
    "it fails at once": ("unavailable", [], "error"),
    "the resolver of one event fails": ("stumblesAt(n: 3, at: 2)", [1, None, 3], "complete"),
}


@pytest.mark.parametrize(("field", "values", "end"), situations(STREAMS))
async def test_the_end_of_a_native_stream(field: str, values: list[int | None], end: str) -> None:
    """One terminal message, then nothing; the socket lives and the id is free."""
    async with connect() as peer:
        for _ in range(2):
            peer.subscribe("1", f"subscription {{ {field} }}")

            results = [await peer.receive() for _ in values]
            assert [next(iter(result["payload"]["data"].values())) for result in results] == values
            assert (await peer.receive())["type"] == end
        assert await peer.execute("{ value }") == {"data": {"value": "value"}}


@pytest.mark.parametrize("end", CLIENT_ENDS.values(), ids=CLIENT_ENDS)
async def test_a_native_stream_that_is_ended(end: End) -> None:
    """It is released, whether it is waiting or in full flow."""
    async with connect() as peer:
        key = f"ended {id(peer)}"
        peer.subscribe("1", f'subscription {{ silent(key: "{key}") }}')
        peer.subscribe("2", f'subscription {{ countForever(key: "{key}") }}')
        await journal.reached(Event.STARTED, key, 2)

        await end(peer)
        peer.complete("2")
        await journal.reached(Event.RELEASED, key, 2)


@pytest.fixture(autouse=True)
def gates_open() -> Iterator[None]:
    yield
    stage.thread_gate.open()
