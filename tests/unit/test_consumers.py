"""The consumer, as ASGI applications wrap it."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

from channels.sessions import InstanceSessionWrapper, SessionMiddlewareStack

from django_gqlws import GraphqlWsConsumer
from tests.support.peers import Peer


async def test_frames_behind_the_session_middleware(monkeypatch: Any) -> None:
    """They reach the client without a detour: the middleware saves sessions with HTTP responses alone."""
    detours: list[str] = []
    send = InstanceSessionWrapper.send

    async def noted(self: InstanceSessionWrapper, message: dict[str, Any]) -> None:
        detours.append(message["type"])
        await send(self, message)

    monkeypatch.setattr(InstanceSessionWrapper, "send", noted)

    peer = await Peer.connect(SessionMiddlewareStack(GraphqlWsConsumer.as_asgi()))
    peer.send(type="ping")
    await peer.until(lambda messages: messages[-1] == {"type": "pong"})

    assert detours == []
    await peer.leave()


async def test_a_client_that_has_left() -> None:
    """Its consumer is freed at once, with the connection: nothing of it is left to the garbage collector."""
    consumers: list[weakref.ref[GraphqlWsConsumer]] = []

    class Consumer(GraphqlWsConsumer):
        async def on_operation(self, op_id: str, payload: Any) -> None:
            consumers.append(weakref.ref(self))

    peer = await Peer.connect(Consumer.as_asgi())
    peer.start("1", "{ __typename }")
    await peer.results("1", 1)

    gc.disable()
    try:
        await peer.leave()

        assert [consumer() for consumer in consumers] == [None]
    finally:
        gc.enable()


async def test_a_server_whose_send_gives_no_coroutine() -> None:
    """Frames reach the client all the same: any awaitable will do."""
    consumer = GraphqlWsConsumer.as_asgi()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await consumer(scope, receive, lambda message: asyncio.ensure_future(send(message)))

    peer = await Peer.connect(application)

    peer.send(type="ping")
    await peer.until(lambda messages: messages[-1] == {"type": "pong"})
    await peer.leave()


async def test_frames_behind_a_session_middleware_that_saves_with_each(monkeypatch: Any) -> None:
    """They go through it."""
    monkeypatch.setattr(InstanceSessionWrapper, "save_message_types", ["http.response.start", "websocket.send"])
    detours: list[str] = []

    async def noted(self: InstanceSessionWrapper, message: dict[str, Any]) -> None:
        detours.append(message["type"])
        await self.real_send(message)

    monkeypatch.setattr(InstanceSessionWrapper, "send", noted)

    peer = await Peer.connect(SessionMiddlewareStack(GraphqlWsConsumer.as_asgi()))

    assert detours == ["websocket.accept", "websocket.send"]
    await peer.leave()
