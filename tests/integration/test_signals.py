"""Django signals about connections, subscriptions and broadcasts: who is told what, where, and what it costs nobody."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import graphene
import pytest
from django.dispatch import Signal
from pytest_django import Settings

from django_gqlws import GraphqlWsConsumer, signals
from tests.integration.threads import in_thread
from tests.project.models import Product
from tests.support.notes import Notes, ThreadGate
from tests.support.peers import Peer
from tests.support.sharing import ON_EVENT, Since, declare, say, serve, subscribed

pytestmark = pytest.mark.usefixtures("own_process")

NAMES = ["connection_opened", "connection_closed", "subscription_started", "subscription_ended", "broadcast_sent"]

Connect = Callable[[str, Callable[..., Any]], None]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connects a receiver to the signal of that name until the end of the test."""
    connected: list[tuple[Signal, Callable[..., Any]]] = []

    def connect(name: str, receiver: Callable[..., Any]) -> None:
        connected.append((getattr(signals, name), receiver))
        connected[-1][0].connect(receiver, weak=False)

    yield connect
    for signal, receiver in connected:
        signal.disconnect(receiver)


class Heard(Notes[tuple[str, dict[str, Any]]]):
    """What async receivers were told, on the test's loop: the signal's name, and its arguments."""

    def __init__(self, connect: Connect) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        for name in NAMES:
            connect(name, self._receiver(name))

    def _receiver(self, name: str) -> Callable[..., Any]:
        async def receive(signal: Any, **arguments: Any) -> None:
            assert asyncio.get_running_loop() is self._loop
            self.add((name, arguments))

        return receive

    @property
    def names(self) -> list[str]:
        """The names alone."""
        return [name for name, _ in self]

    async def last(self, name: str) -> dict[str, Any]:
        """The arguments of the newest signal of that name, as soon as there is one."""
        await self.until(lambda _: name in self.names)
        return next(arguments for heard, arguments in reversed(self) if heard == name)


async def test_the_life_of_a_connection(connect: Connect) -> None:
    """Each step is told in order, with whose it was."""
    heard = Heard(connect)
    consumer = serve(declare(say))

    client = await subscribed(consumer, 'subscription Mine { onEvent(room: "a") { text } }', user="ann")
    client.complete("1")
    await client.leave()

    closed = await heard.last("connection_closed")
    assert heard.names == ["connection_opened", "subscription_started", "subscription_ended", "connection_closed"]
    assert {arguments["sender"] for _, arguments in heard} == {consumer}
    assert {arguments["user"] for _, arguments in heard} == {"ann"}
    assert closed["code"] == 1000
    assert 0 < heard[2][1]["duration"] < closed["duration"]
    subscription = {"operation_id": "1", "operation_name": "Mine", "field": "onEvent", "groups": ["a"]}
    for _, arguments in heard[1:3]:
        assert arguments.items() >= subscription.items()
    assert all(arguments["scope"] is closed["scope"] for _, arguments in heard)


@pytest.mark.parametrize("ending", ["the client leaves", "the server unsubscribes", "the server disconnects"])
async def test_the_end_of_a_subscription(connect: Connect, ending: str) -> None:
    """It is told once, whoever ended it, and before the end of the connection."""
    heard = Heard(connect)
    subscription = declare(say)
    client = await subscribed(serve(subscription))

    if ending == "the server unsubscribes":
        await subscription.unsubscribe_async(group="room")
        await heard.last("subscription_ended")
    await client.leave()

    await heard.last("connection_closed")
    assert heard.names[1:] == ["subscription_started", "subscription_ended", "connection_closed"]


async def test_a_native_subscription(connect: Connect) -> None:
    """It is one as well; it has no groups."""
    heard = Heard(connect)

    class Subscriptions(graphene.ObjectType):
        numbers = graphene.Int()

        async def subscribe_numbers(self: Any, info: Any) -> Any:
            yield 1

    class Query(graphene.ObjectType):
        nothing = graphene.Int()

    class Consumer(GraphqlWsConsumer):
        schema = graphene.Schema(query=Query, subscription=Subscriptions)

    client = await Peer.connect(Consumer.as_asgi())
    client.start("1", "subscription { mine: numbers }")

    ended = await heard.last("subscription_ended")
    assert (ended["field"], ended["groups"]) == ("numbers", [])
    assert heard.names == ["connection_opened", "subscription_started", "subscription_ended"]


async def test_what_never_began(connect: Connect) -> None:
    """Neither a client that was refused nor a subscription that failed is told of."""

    async def refuse(self: Any, payload: Any) -> None:
        raise PermissionError

    async def fail(root: Any, info: Any, **_: Any) -> None:
        raise ValueError

    heard = Heard(connect)
    refused = Peer(serve(declare(say), on_connect=refuse).as_asgi())
    refused.send(type="connection_init")
    await refused.closed
    await refused.leave()

    client = await Peer.connect(serve(declare(say, subscribe=fail)).as_asgi())
    client.start("1", ON_EVENT)
    await client.until(lambda messages: messages[-1]["type"] == "error")
    await client.leave()

    await heard.last("connection_closed")
    assert heard.names == ["connection_opened", "connection_closed"]


@pytest.mark.parametrize("where", ["on the loop, awaited", "on the loop", "in a thread"])
async def test_a_broadcast(connect: Connect, where: str) -> None:
    """It is told when the channel layer has it, with the class and the group."""
    heard = Heard(connect)
    subscription = declare(say)

    if where == "on the loop, awaited":
        await subscription.broadcast_async(group=42, payload="hello")
    elif where == "on the loop":
        subscription.broadcast(group=42, payload="hello")
    else:
        told: list[Any] = []
        connect("broadcast_sent", lambda **arguments: told.append(threading.current_thread()))
        assert await in_thread(lambda: [subscription.broadcast(group=42, payload="hello"), threading.current_thread()])
        assert told  # In the thread itself, by the time the call returns.
        return
    await subscription.unsubscribe_async(group=42)  # Is none.

    sent = await heard.last("broadcast_sent")
    assert heard.names == ["broadcast_sent"]
    assert (sent["sender"], sent["group"], sent["size"] > 0) == (subscription, "42", True)


@pytest.mark.django_db(transaction=True)
async def test_a_changed_row(connect: Connect, settings: Settings) -> None:
    """A broadcast of the bridge comes from the model."""
    settings.GQLWS = {**settings.GQLWS, "MODELS": {"project.Product": {"groups": ["all"]}}}
    told: list[Any] = []
    connect("broadcast_sent", lambda sender, group, **_: told.append((sender, group)))

    await in_thread(lambda: Product.objects.create(name="cup"))

    assert told == [(Product, "all")]


async def test_receivers_that_fail(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """They are logged; the other receivers, and the client, notice nothing."""

    def broken(**_: Any) -> None:
        raise ValueError("not today")

    async def broken_async(**_: Any) -> None:
        raise ValueError("nor tomorrow")

    for name in NAMES:
        connect(name, broken)
        connect(name, broken_async)
    heard = Heard(connect)
    subscription = declare(say)

    client = await subscribed(serve(subscription))
    await subscription.broadcast_async(group="room", payload="hello")
    await client.data("1", 1)
    await client.leave()

    await heard.last("connection_closed")
    assert sorted(heard.names) == sorted(NAMES)
    assert len([record for record in caplog.records if record.name == "django.dispatch"]) == 2 * len(NAMES)
    caplog.clear()


async def test_a_receiver_that_blocks(connect: Connect) -> None:
    """It runs in a thread: the client is served, and gone, long before; what comes later waits for it."""
    gate, order = ThreadGate(), Notes[str]()
    loop = asyncio.get_running_loop()

    def block(**_: Any) -> None:
        gate.wait()
        loop.call_soon_threadsafe(order.add, "opened")

    connect("connection_opened", block)
    connect("connection_closed", lambda **_: loop.call_soon_threadsafe(order.add, "closed"))
    subscription = declare(say)

    client = await subscribed(serve(subscription))
    await gate.reached.wait()
    await subscription.broadcast_async(group="room", payload="hello")
    await client.data("1", 1)
    await client.leave()
    assert order == []
    gate.open()

    await order.reached(2)
    assert order == ["opened", "closed"]


async def test_receivers_that_are_too_slow(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What does not fit is dropped, counted, and logged once."""
    monkeypatch.setattr(signals, "MAX_WAITING", 1)
    gate, told = ThreadGate(), Notes[str]()
    loop = asyncio.get_running_loop()

    def block(group: str, **_: Any) -> None:
        gate.wait()
        loop.call_soon_threadsafe(told.add, group)

    connect("broadcast_sent", block)
    subscription, since = declare(say), Since()

    for group in "abc":
        await subscription.broadcast_async(group=group)
    gate.open()

    await told.reached(1)
    assert told == ["a"]
    assert since.announcements_dropped == 2
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
