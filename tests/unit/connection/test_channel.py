"""A channel of a connection's own."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import graphene
import pytest
from channels.layers import channel_layers, get_channel_layer

from django_gqlws import GraphqlWsConsumer
from django_gqlws.connection import channel
from django_gqlws.counters import counters
from tests.support.notes import LIMIT, Notes
from tests.support.peers import Peer
from tests.unit.broker.layer import FakeLayer, SwallowingLayer


class Query(graphene.ObjectType):
    channel = graphene.String()

    @staticmethod
    async def resolve_channel(root: Any, info: Any) -> str:
        return str(info.context.channel_name)


class Consumer(GraphqlWsConsumer):
    """Notes what is sent to its channel."""

    schema = graphene.Schema(query=Query)
    own_channel = True
    mask_errors = False
    connected: list[Consumer]

    async def on_connect(self, payload: Any) -> dict[str, str]:
        self.notes: Notes[Any] = Notes()
        self.loop = asyncio.get_running_loop()
        self.connected.append(self)
        return {"channel": self.channel_name}

    async def chat_message(self, message: dict[str, Any]) -> None:
        self.notes.add(message["text"])

    async def chat_slow(self, message: dict[str, Any]) -> None:
        self.notes.add("began")
        try:
            await asyncio.Event().wait()
        finally:
            self.notes.add("cancelled")

    def chat_plain(self, message: dict[str, Any]) -> None:
        assert threading.current_thread() is not threading.main_thread()
        self.loop.call_soon_threadsafe(self.notes.add, message["text"])

    async def chat_broken(self, message: dict[str, Any]) -> None:
        raise ValueError("broken")


@pytest.fixture(autouse=True)
def nobody_connected() -> None:
    Consumer.connected = []


async def send(name: str, type: str, **fields: Any) -> None:
    layer = get_channel_layer()
    assert layer is not None
    await layer.send(name, {"type": type, **fields})


async def connect() -> tuple[Peer, Consumer]:
    peer = await Peer.connect(Consumer.as_asgi())
    return peer, Consumer.connected[-1]


async def test_the_name_of_the_channel() -> None:
    """The consumer and the context of its operations have it; each connection has another."""
    first, consumer = await connect()
    second, other = await connect()
    first.start("1", "{ channel }")
    await first.until(lambda _: len(first.payloads("1")) == 2)

    assert first.messages[0]["payload"] == {"channel": consumer.channel_name}
    assert first.payloads("1")[0] == {"data": {"channel": consumer.channel_name}}
    assert consumer.channel_name != other.channel_name
    await first.leave()
    await second.leave()


async def test_a_message_to_the_channel() -> None:
    """The method that its type names gets it, in order, and of the other connections none."""
    peer, consumer = await connect()
    other_peer, other = await connect()

    for number in range(3):
        await send(consumer.channel_name, "chat.message", text=number)

    await consumer.notes.reached(3)
    assert consumer.notes == [0, 1, 2]
    assert other.notes == []
    await peer.leave()
    await other_peer.leave()


async def test_a_plain_handler() -> None:
    """It runs in a worker thread, where it may block."""
    peer, consumer = await connect()

    await send(consumer.channel_name, "chat.plain", text="hello")

    await consumer.notes.reached(1, "hello")
    await peer.leave()


async def test_a_message_to_a_group() -> None:
    """A channel may join groups, as anywhere in Channels."""
    peer, consumer = await connect()
    await consumer.channel_layer.group_add("everybody", consumer.channel_name)

    await consumer.channel_layer.group_send("everybody", {"type": "chat.message", "text": "hello"})

    await consumer.notes.reached(1, "hello")
    await peer.leave()


@pytest.mark.parametrize("type", ["chat.broken", "chat.unknown", "_hidden"])
async def test_a_message_that_cannot_be_handled(type: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and what follows is handled."""
    peer, consumer = await connect()

    with caplog.at_level(logging.ERROR, "django_gqlws"):
        await send(consumer.channel_name, type)
        await send(consumer.channel_name, "chat.message", text="next")
        await consumer.notes.reached(1, "next")

    assert [record.getMessage() for record in caplog.records] == [
        f"A message of the type {type!r} to the channel {consumer.channel_name} failed."
    ]
    await peer.leave()


async def test_the_end_of_the_connection() -> None:
    """A handler that runs is cancelled, and the layer forgets the channel."""
    peer, consumer = await connect()
    await send(consumer.channel_name, "chat.slow")
    await consumer.notes.reached(1, "began")

    await peer.leave()

    await consumer.notes.reached(1, "cancelled")


async def test_a_slow_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bounded number of messages waits for it; beyond, new ones are dropped and counted, with one warning."""
    warnings: Notes[str] = Notes()
    monkeypatch.setattr(channel.logger, "warning", lambda text, *values: warnings.add(text % values))
    monkeypatch.setattr(channel, "MAX_WAITING", 2)
    dropped = counters.channel_dropped
    gate = asyncio.Event()
    handled: Notes[int] = Notes()

    async def handle(message: dict[str, Any]) -> None:
        handled.add(message["number"])
        await gate.wait()

    layer = FakeLayer()
    own = channel.OwnChannel(layer, "own.1", handle)
    await layer.send("own.1", {"number": 1})
    await handled.reached(1)
    for number in (2, 3, 4):
        await layer.send("own.1", {"number": number})
    await warnings.reached(1)

    gate.set()
    await handled.reached(3)
    await layer.send("own.1", {"number": 5})
    await handled.reached(4)

    assert handled == [1, 2, 3, 5]
    assert counters.channel_dropped == dropped + 1
    assert warnings == ["2 messages wait in the channel own.1: new ones are dropped."]
    own.close()


async def test_a_layer_that_fails_to_receive(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked again."""
    monkeypatch.setattr(channel, "RETRY", 0)
    handled: Notes[int] = Notes()

    async def handle(message: dict[str, Any]) -> None:
        handled.add(message["text"])

    layer = FakeLayer()
    layer.failures["receive"] = 1
    own = channel.OwnChannel(layer, "own.1", handle)
    await layer.send("own.1", {"type": "x", "text": 1})
    await layer.send("own.1", {"type": "x", "text": 2})

    await handled.reached(1, 2)

    own.close()


async def test_a_layer_that_swallows_the_end() -> None:
    """Nobody receives any more all the same."""
    layer = SwallowingLayer("receive")

    async def handle(message: dict[str, Any]) -> None: ...

    own = channel.OwnChannel(layer, "own.1", handle)
    await layer.calls.reached(1, "receive")
    own.close()

    async with asyncio.timeout(LIMIT):
        await asyncio.wait([own._receiving])


async def test_a_layer_that_gives_no_channel() -> None:
    """The socket closes with 4500."""
    layer = FakeLayer()
    layer.failures["new_channel"] = 1
    channel_layers.set("default", layer)
    peer = Peer(Consumer.as_asgi())

    assert (await peer.closed)[0] == 4500
    await peer.leave()


class Plain(GraphqlWsConsumer):
    """Without a channel of its own."""

    schema = Consumer.schema
    mask_errors = False
    seen: Plain

    async def on_connect(self, payload: Any) -> None:
        Plain.seen = self


async def test_a_connection_without_a_channel_of_its_own() -> None:
    """Asking for its name is an error that says what to set; the layer knows the one channel of the process alone."""
    layer = FakeLayer()
    channel_layers.set("default", layer)
    peer = await Peer.connect(Plain.as_asgi())
    peer.start("1", "{ channel }")
    await peer.until(lambda _: len(peer.payloads("1")) == 2)

    assert "own_channel = True" in peer.payloads("1")[0]["errors"][0]["message"]
    with pytest.raises(AttributeError, match="own_channel = True"):
        _ = Plain.seen.channel_name
    assert layer.calls.count("new_channel") == 1
    await peer.leave()
