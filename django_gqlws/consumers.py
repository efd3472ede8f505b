"""`GraphqlWsConsumer`: a connection as Channels knows it."""

from __future__ import annotations

import logging
from inspect import iscoroutinefunction
from typing import Any

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from channels.sessions import InstanceSessionWrapper
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured

from . import prefixes
from .conf import SUBPROTOCOLS, Settings, settings_of
from .connection import Connection, Hooks, OwnChannel
from .exceptions import BroadcastError
from .execution.context import NO_CHANNEL
from .execution.kinds import call
from .monitoring.watch import Unwatch, watch
from .protocol import close
from .protocol.close import Close
from .protocol.dialect import Dialect
from .protocol.dialects import choose
from .security import is_origin_allowed, origin_of

logger = logging.getLogger(__name__)

_ABNORMAL = 1006
"""The code of RFC 6455 for a socket that ended without one."""


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


class GraphqlWsConsumer(Hooks, AsyncWebsocketConsumer):
    """Serves GraphQL over WebSocket: ``path("graphql/", GraphqlWsConsumer.as_asgi())``.

    The ``GQLWS`` settings apply. A subclass overrides them with class attributes, the keys in lower case, and may
    define the hooks, async or plain::

        class Consumer(GraphqlWsConsumer):
            schema = schema
            connection_init_wait_timeout = 3  # Seconds.

            async def on_connect(self, payload):
                if "token" not in payload:
                    raise GraphQLError("Send a token.")

    ``self.scope`` is the ASGI scope of the connection. With ``own_channel = True`` messages that somebody sends to
    ``self.channel_name`` are dispatched to the method that their type names, as Channels does.
    """

    _channel: OwnChannel | None = None
    _unwatch: Unwatch | None = None

    @property
    def channel_layer(self) -> Any:  # type: ignore[override]
        """The project's default channel layer; None if it has none."""
        return get_channel_layer()

    @property
    def channel_name(self) -> str:  # type: ignore[override]
        """The channel of this connection: messages sent to it are dispatched to the method that their type names.

        Needs ``own_channel = True``.
        """
        if self._channel is None:
            raise AttributeError(NO_CHANNEL)
        return self._channel.name

    # Channels would receive over a channel of its own for each connection, and make a thread hop for each message.

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        self.base_send = _as_coroutine_function(_without_session(send))
        await receive()  # websocket.connect
        connection, code = None, _ABNORMAL
        try:
            connection = await self._open()
            while (message := await receive())["type"] == "websocket.receive":
                if connection is not None:
                    connection.receive_text(message.get("text"))
                    if connection.outbox.congested:
                        await connection.outbox.idle()
            code = message.get("code") or _ABNORMAL
        finally:
            if self._channel is not None:
                self._channel.close()
            if connection is not None:
                try:
                    if self._unwatch is not None:
                        await self._unwatch(code)
                finally:
                    self._unwatch = None  # It holds the connection, which holds this.
                    await connection.disconnected(code)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Calls the method, async or plain, that the type of a message to the own channel names."""
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"{type(self).__qualname__} has no method for messages of the type {message['type']!r}.")
        await call(handler, message)

    async def _open(self) -> Connection | None:
        """Accepts the socket, and closes it again (None) where a browser could not read why it got an HTTP 403."""
        offered = tuple(self.scope["subprotocols"])
        outcome: Connection | Close
        try:
            settings = settings_of(type(self))
        except ImproperlyConfigured as error:
            await self._accept(choose(offered, SUBPROTOCOLS))
            outcome = _misconfigured(error)
        else:
            dialect = choose(offered, settings.subprotocols)
            await self._accept(dialect)
            outcome = await self._admit(settings, dialect)
        if isinstance(outcome, Connection):
            return outcome
        await self.close(outcome.code, outcome.reason)
        return None

    async def _accept(self, dialect: Dialect | None) -> None:
        await self.accept(None if dialect is None else dialect.subprotocol)

    async def _admit(self, settings: Settings, dialect: Dialect | None) -> Connection | Close:
        if not is_origin_allowed(self.scope, settings.allowed_origins):
            logger.warning("A page of the origin %r was refused: see GQLWS['ALLOWED_ORIGINS'].", origin_of(self.scope))
            return close.FORBIDDEN.because("Origin not allowed")
        if dialect is None:
            return close.SUBPROTOCOL_NOT_ACCEPTABLE
        try:
            return await self._connect(settings, dialect)
        except (ImproperlyConfigured, BroadcastError) as error:
            return _misconfigured(error)

    async def _connect(self, settings: Settings, dialect: Dialect) -> Connection:
        if settings.own_channel:
            self._channel = await OwnChannel.open(self.dispatch)
        channel_name = None if self._channel is None else self._channel.name
        # The server's own coroutine function, without the layers of Channels' send().
        send: Any = self.base_send
        connection = Connection(send, self.scope, settings, self, dialect, channel_name)
        self._unwatch = watch(connection)
        return connection


def _misconfigured(error: Exception) -> Close:
    logger.error("A connection was refused: %s", error)
    return close.INTERNAL_ERROR.because(str(error)) if django_settings.DEBUG else close.INTERNAL_ERROR


prefixes.register_base(GraphqlWsConsumer)
