"""One client, from the accepted socket to the end of everything that it started."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from contextvars import copy_context
from functools import partial
from typing import Any, Protocol

from django.conf import settings as django_settings
from graphql import GraphQLError

from ..broker.process import current_broker
from ..conf import Settings
from ..execution.errors import log_refusal, masks_errors, refusal
from ..execution.executor import get_executor
from ..execution.kinds import call
from ..execution.results import encode_refusal, to_json
from ..execution.workers import CancelledTooLate
from ..protocol import close, messages
from ..protocol.close import Close
from ..protocol.codec import encode
from ..protocol.dialect import Dialect, Reply, State
from ..protocol.dialects import TRANSPORT_WS
from ..protocol.messages import Complete, ConnectionInit, Ping, Pong, Replace, Subscribe
from ..protocol.server import ServerProtocol
from ..tasks import Tasks
from ..turns import Turns
from .announcer import Announcer
from .hooks import Hooks, overridden, preparation
from .operation import Operation
from .outbox import Outbox, Send
from .session import Session

logger = logging.getLogger(__name__)


class Gate(Protocol):
    """Who may still refuse a client that `on_connect` has let in."""

    @property
    def is_open(self) -> bool:
        """Whether nobody is refused for the time being."""

    async def ask(self, scope: Any) -> Close | None:
        """What to close a client of this scope with; None: it may come in."""


# One for all connections: nobody waits in it.
_NO_ORDER = Turns(None)


class Connection:
    """Conducts one socket: text frames in, operations, text frames out.

    Receiving never waits; what takes time is a task of this connection.
    """

    def __init__(
        self,
        send: Send,
        scope: Any,
        settings: Settings,
        hooks: Hooks,
        dialect: Dialect = TRANSPORT_WS,
        channel_name: str | None = None,
    ) -> None:
        broker = current_broker()
        broker.hub.open()
        self._tasks = Tasks(_report)
        self.outbox = Outbox(send, self._tasks)
        self._session = Session(
            scope,
            settings,
            dialect,
            hooks,
            preparation(hooks, channel_name),
            get_executor(settings.schema, settings.middleware, settings.loaders),
            masks_errors(settings),
            self._tasks,
            self.outbox,
            Turns(1) if settings.strict_ordering else _NO_ORDER,
            django_settings.DEBUG,
            broker.deadlines(settings.warn_operation_timeout) if settings.warn_operation_timeout else None,
            broker.deadlines(settings.notification_timeout) if settings.notification_timeout else None,
            Announcer(type(hooks), scope),
        )
        self._operations: dict[str, Operation] = {}
        self._protocol = ServerProtocol(dialect, self._operations, settings.max_message_bytes)
        # Operations inherit what the ASGI middleware and `on_connect` set.
        self._context = copy_context()
        self._admission: asyncio.Task[None] | None = None
        self._is_admitted = False
        self.gate: Gate | None = None
        """None: nobody is refused."""
        self.since: float | None = None
        """Unix time at which the client was let in, in seconds; None: it has not been."""
        self._close_code: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        if settings.connection_init_wait_timeout and dialect.has_init_timeout:
            self._call_later(settings.connection_init_wait_timeout, self._init_timed_out)

    @property
    def scope(self) -> Any:
        """The ASGI scope of the connection."""
        return self._session.scope

    @property
    def subprotocol(self) -> str:
        """The name of the dialect that the client speaks."""
        return self._session.dialect.subprotocol

    @property
    def operations(self) -> Collection[Operation]:
        """What runs."""
        return self._operations.values()

    def receive_text(self, text: str | None) -> None:
        """Takes a text frame; None: the frame was binary."""
        event = self._protocol.receive_text(text)
        if event is not None:
            _REACTIONS[type(event)](self, event)

    def close(self, reason: Close) -> None:
        """Closes the socket, behind what was sent, and ends all operations."""
        if self._close_code is None:
            self._close_code = reason.code
        self._end()
        self.outbox.close(reason)

    async def disconnected(self, code: int) -> None:
        """The socket is closed: ends all operations, and returns when nothing of them runs any more.

        ``code`` is what the client closed with; it does not count if the server had closed before.
        """
        self._end()
        self.outbox.abandon()
        code = code if self._close_code is None else self._close_code
        self._session.announcer.closed(code)
        if (hook := overridden(self._session.hooks, "on_disconnect")) is not None:
            self._tasks.start(self._say_goodbye(hook, code), self._context)
        _closing.add(self)
        try:
            await self._tasks.wait()
        finally:
            _closing.discard(self)

    # Reactions to what the client says

    def _initialise(self, event: ConnectionInit) -> None:
        self._stop_timer()
        if self._lets_everybody_in():
            self._is_admitted = True
            self._protocol.acknowledge()
            self._begin(messages.connection_ack())
        else:
            self._admission = self._tasks.start(self._admit(event.payload or {}), self._context)

    def _lets_everybody_in(self) -> bool:
        return overridden(self._session.hooks, "on_connect") is None and (self.gate is None or self.gate.is_open)

    async def _admit(self, payload: Mapping[str, Any]) -> None:
        try:
            answer = await call(self._session.hooks.on_connect, payload)
            self._is_admitted = True
            if self.gate is not None and (refused := await self.gate.ask(self._session.scope)) is not None:
                self.close(refused)
                return
            ack = messages.connection_ack(encode(answer, to_json) if isinstance(answer, dict) else None)
        except asyncio.CancelledError as error:
            self._is_admitted = isinstance(error, CancelledTooLate)
            if self._protocol.state is State.CLOSED:
                raise
            # Not by us: the user's code waited for something that was cancelled.
            self._reject(GraphQLError("Forbidden"))
        except Exception as error:
            log_refusal(error)
            self._reject(error)
        else:
            self._protocol.acknowledge()
            if self._protocol.state is State.READY:
                self._begin(ack)

    def _reject(self, error: Exception) -> None:
        masks = self._session.masks_errors
        rejection = self._session.dialect.reject(encode_refusal(error, masks), refusal(error, masks))
        for frame in rejection.frames:
            self.outbox.send(frame)
        self.close(rejection.close)

    def _begin(self, ack: str) -> None:
        self.outbox.send(ack)
        self.since = time.time()
        self._session.announcer.opened()
        if self._session.settings.send_ping_every:
            if self._session.dialect.begins_with_keep_alive:
                self.outbox.send(self._session.dialect.keep_alive)
            self._ping_later(self._session.settings.send_ping_every)
        for operation in tuple(self._operations.values()):  # Those that a client asked for without waiting.
            operation.start()

    async def _say_goodbye(self, hook: Callable[..., Any], code: int) -> None:
        if self._admission is not None:
            await asyncio.wait([self._admission])
        if self._is_admitted:
            self._is_admitted = False
            try:
                await call(hook, code)
            except Exception:
                logger.exception("on_disconnect(%d) failed.", code)

    def _subscribe(self, event: Subscribe) -> None:
        operation = Operation(self._session, event, self._context.copy(), self)
        most = self._session.settings.max_operations
        # What was completed and still cleans up may be as many again: a client may begin and complete without end.
        if len(self._operations) >= most or len(self._operations) + len(self._tasks) >= 2 * most:
            operation.decline(
                GraphQLError(f"This connection has {most} running operations, the most it may: complete one first.")
            )
            return
        self._operations[event.id] = operation
        if self._protocol.state is State.READY:
            operation.start()

    def _replace(self, event: Replace) -> None:
        self._operations.pop(event.request.id).cancel()
        self._subscribe(event.request)

    def _complete(self, event: Complete) -> None:
        operation = self._operations.pop(event.id, None)
        if operation is not None:
            operation.cancel()
            if self._session.settings.echo_complete or self._session.dialect.echoes_complete:
                self.outbox.send(messages.complete(encode(event.id)))

    def _answer_ping(self, event: Ping) -> None:
        try:
            self.outbox.send(messages.pong(event.payload))
        except ValueError as error:  # It could be read, but nests too deeply to be written.
            self.close(close.BAD_REQUEST.because(f"ping: {error}"))

    def _ignore(self, event: Pong) -> None:
        pass

    def _reply(self, event: Reply) -> None:
        self.outbox.send(event.text)

    # Time

    def _init_timed_out(self) -> None:
        self.close(close.INIT_TIMEOUT)

    def _ping_later(self, seconds: float) -> None:
        self._call_later(seconds, partial(self._ping, seconds))

    def _ping(self, seconds: float) -> None:
        if not self.outbox.busy:
            self.outbox.send(self._session.dialect.keep_alive)
        self._ping_later(seconds)

    def _call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, callback)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Ends

    def forget(self, operation: Operation) -> None:
        """An operation is over; there may be a new one of its id."""
        if self._operations.get(operation.id) is operation:
            del self._operations[operation.id]

    def _end(self) -> None:
        self._protocol.close()
        self._stop_timer()
        if self._admission is not None and self._admission is not asyncio.current_task():
            self._admission.cancel()
        operations = tuple(self._operations.values())
        self._operations.clear()
        for operation in operations:
            operation.abandon()


# Connections whose socket is gone, with tasks that still run: mutations, `unsubscribed`.
_closing: set[Connection] = set()

_REACTIONS: dict[type, Callable[[Connection, Any], None]] = {
    ConnectionInit: Connection._initialise,
    Subscribe: Connection._subscribe,
    Replace: Connection._replace,
    Complete: Connection._complete,
    Ping: Connection._answer_ping,
    Pong: Connection._ignore,
    Reply: Connection._reply,
    Close: Connection.close,
}


def _report(error: BaseException) -> None:
    logger.error("A task of a connection failed: %r", error, exc_info=error)
