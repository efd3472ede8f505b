"""What ``ProtocolTypeRouter`` routes to: the ready-made consumer at ``graphql/``, and the life of the server."""

from __future__ import annotations

from typing import Any

from django.urls import path

from .consumers import GraphqlWsConsumer
from .monitoring.watch import stop_watching

websocket_urlpatterns = [path("graphql/", GraphqlWsConsumer.as_asgi())]  # type: ignore[arg-type]


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application of this name, for servers that say when they start and stop, such as uvicorn.

    Before a process ends, what it has written about its clients is removed. Without this the row of a process that
    nobody is connected to stays until its lease is over.
    """
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await stop_watching()
    await send({"type": "lifespan.shutdown.complete"})
