"""A channel of a connection's own, over each channel layer."""

from __future__ import annotations

import asyncio

from channels.layers import get_channel_layer

from tests.integration.serving import Url, listener, message, payload
from tests.project.journal import Event, journal
from tests.project.subscriptions import OnMessage
from tests.support.client import connect
from tests.support.notes import LIMIT


async def send(name: str, key: str) -> None:
    layer = get_channel_layer()
    assert layer is not None
    await layer.send(name, {"type": "note.received", "key": key})


async def test_a_message_to_it(layer: str, url: Url, key: str) -> None:
    """It reaches the consumer; after a while without messages the next one does, too."""
    async with connect(url("channel/")) as client:
        name = (await client.init())["payload"]["channel"]

        for number in range(3):
            await send(name, f"{key} {number}")
            async with asyncio.timeout(LIMIT):
                await journal.reached(Event.PUBLISHED, f"{key} {number}")


async def test_50_connections(layer: str, url: Url, key: str) -> None:
    """Each has a channel of its own; nobody receives for who has left."""
    async with connect(url("channel/")) as stays:
        staying = (await stays.init())["payload"]["channel"]
        names = []
        for _ in range(50):
            async with connect(url("channel/")) as client:
                names.append((await client.init())["payload"]["channel"])

        for name in names:
            await send(name, f"{key} gone")
        await send(staying, f"{key} here")

        async with asyncio.timeout(LIMIT):
            await journal.reached(Event.PUBLISHED, f"{key} here")
        assert len({*names, staying}) == 51
        assert journal.count(Event.PUBLISHED, f"{key} gone") == 0


async def test_another_consumer_in_the_process(layer: str, url: Url, key: str) -> None:
    """It receives beside us, and we beside it: a layer may let a process wait in one place only."""
    channels = get_channel_layer()
    assert channels is not None
    async with listener(url, key) as client:
        name = await channels.new_channel()
        waiting = asyncio.create_task(channels.receive(name))
        for text in ("first", "second"):
            await OnMessage.broadcast(group=key, payload=payload(text))
            assert await client.receive() == message(text)

        await channels.send(name, {"type": "chat.message", "text": "hello"})

        async with asyncio.timeout(LIMIT):
            assert (await waiting)["text"] == "hello"
