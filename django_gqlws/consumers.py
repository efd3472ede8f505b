"""`GraphqlWsConsumer`: a connection as Channels knows it."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Mapping
from inspect import iscoroutinefunction
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.sessions import InstanceSessionWrapper
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured

from .conf import settings_of
from .connection import Connection
from .protocol import close
from .protocol.server import SUBPROTOCOL
from .security import is_origin_allowed, origin_of

logger = logging.getLogger(__name__)


def _without_session(send: Any) -> Any:
    """What Channels' session middleware wraps.

    It asks two lazy objects, for each frame, whether to save the session, and saves it with HTTP responses alone: that
    was most of what a notification cost.
    """
    wrapper = getattr(send, "__self__", None)
    if isinstance(wrapper, InstanceSessionWrapper) and "websocket.send" not in wrapper.save_message_types:
        return wrapper.real_send
    return send


def _as_coroutine_function(send: Any) -> Any:
    """What the outbox can step by hand; some servers' ``send`` returns an awaitable that is no coroutine."""
    if iscoroutinefunction(send):
        return send

    async def awaiting(message: Any) -> None:
        await send(message)

    return awaiting


class GraphqlWsConsumer(AsyncWebsocketConsumer):
    """Serves GraphQL over WebSocket: ``path("graphql/", GraphqlWsConsumer.as_asgi())``.

    The ``GQLWS`` settings apply. A subclass overrides them with class attributes, the keys in lower case, and may
    define the hooks, async or plain::

        class Consumer(GraphqlWsConsumer):
            schema = schema
            connection_init_wait_timeout = 3  # Seconds.

            async def on_connect(self, payload):
                if "token" not in payload:
                    raise GraphQLError("Send a token.")

    ``self.scope`` is the ASGI scope of the connection.
    """

    async def on_connect(self, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Called after ``connection_init``. An exception refuses the client; a dict becomes the payload of the ack."""
        return None

    async def on_operation(self, op_id: str, payload: Mapping[str, Any]) -> None:
        """Called before each operation, with its id and the payload of its ``subscribe``. A GraphQLError refuses it."""

    # Channels would receive over a channel of its own for each connection, and make a thread hop for each message.

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        self.base_send = _as_coroutine_function(_without_session(send))
        await receive()  # websocket.connect
        connection = await self._open()
        try:
            while (message := await receive())["type"] == "websocket.receive":
                if connection is not None:
                    connection.receive_text(message.get("text"))
                    if connection.outbox.congested:
                        await connection.outbox.idle()
        finally:
            if connection is not None:
                await connection.disconnected()

    async def _open(self) -> Connection | None:
        """Accepts the socket, and closes it again (None) where a browser could not read why it got an HTTP 403."""
        offered = SUBPROTOCOL in self.scope["subprotocols"]
        await self.accept(SUBPROTOCOL if offered else None)
        try:
            settings = settings_of(type(self))
            if not is_origin_allowed(self.scope, settings.allowed_origins):
                logger.warning(
                    "A page of the origin %r was refused: see GQLWS['ALLOWED_ORIGINS'].", origin_of(self.scope)
                )
                refusal = close.FORBIDDEN.because("Origin not allowed")
            elif not offered:
                refusal = close.SUBPROTOCOL_NOT_ACCEPTABLE
            else:
                return Connection(self, self.scope, settings, self)
        except ImproperlyConfigured as error:
            logger.error("A connection was refused: %s", error)
            reason = str(error) if django_settings.DEBUG else close.INTERNAL_ERROR.reason
            refusal = close.INTERNAL_ERROR.because(reason)
        await self.close(refusal.code, refusal.reason)
        return None

    def send_text(self, text: str) -> Coroutine[Any, Any, None]:
        """Sends a text frame."""
        # The server's own coroutine, without the layers of Channels' send() and one of ours.
        return self.base_send({"type": "websocket.send", "text": text})  # type: ignore[arg-type, return-value]
