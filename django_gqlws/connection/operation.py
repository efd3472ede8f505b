"""One operation that a client asked for, from ``subscribe`` to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine
from contextvars import Context
from functools import partial
from typing import Any, Protocol

from graphql import GraphQLError, OperationType

from ..broker.source import GroupSource
from ..execution.context import OperationContext
from ..execution.documents import Operation as Prepared
from ..execution.executor import Outcome, close_source
from ..execution.variables import VariableErrors, Variables
from ..protocol.messages import Subscribe
from ..tasks import new_task
from .listener import Listener
from .membership import Membership
from .replies import Replies
from .run import Closable, Listened
from .session import Session
from .tally import Counts, Tally

logger = logging.getLogger(__name__)

Serve = Callable[[], Coroutine[Any, Any, None]]

# Bound once: Python 3.11 is slow to look up a member in its Enum.
MUTATION, SUBSCRIPTION = OperationType.MUTATION, OperationType.SUBSCRIPTION


class Owner(Closable, Protocol):
    """The connection that an operation belongs to."""

    def forget(self, operation: Operation) -> None:
        """The operation is over."""


class Operation(Replies):
    """A query, a mutation or a subscription while it runs.

    The object, not the id, is what is running: a client may use the id again while an old operation is still
    coming to its end, and nothing of the old one may reach the new one.
    """

    __slots__ = ("_announce_end", "_context", "_listener", "_owner", "_task", "prepared", "tally")

    def __init__(self, session: Session, request: Subscribe, context: Context, owner: Owner) -> None:
        super().__init__(session, request)
        # The context variables in which all user code of this operation runs.
        self._context = context
        self._owner = owner
        self.prepared: Prepared | None = None
        """What it runs, once that is known."""
        self.tally: Tally | None = None
        """What became of its notifications, if it is a subscription that has started."""
        self._listener: Listener | None = None
        self._task: asyncio.Task[None] | None = None
        self._announce_end: Callable[[], None] | None = None

    def start(self) -> None:
        """Begins to run, as a task."""
        task = new_task(self._run(), self._context)
        # While the operation lives, whoever holds it owns the task, which costs nothing when it ends.
        if not task.done():
            self._task = task

    def cancel(self) -> None:
        """The client wants nothing more of it: whatever it is, it stops."""
        task = self._task
        self._stop()
        if task is not None:
            task.cancel()

    def end(self) -> None:
        """The server wants it to end: at once, and the client gets ``complete``."""
        if self.is_over:
            return
        task = self._task
        self._close_listener()
        self.complete()
        if task is not None:
            task.cancel()

    @property
    def request(self) -> Subscribe:
        """What the client has sent."""
        return self._request

    @property
    def field(self) -> str:
        """The name of a subscription's field in the schema."""
        return "" if self.prepared is None else self.prepared.root_field

    @property
    def membership(self) -> Membership | None:
        """The groups that it listens to; None: it is no `Subscription`."""
        return None if self._listener is None else self._listener.membership

    @property
    def counts(self) -> Counts:
        """What became of its notifications so far."""
        tally, listener = self.tally, self._listener
        if tally is None or listener is None:
            return Counts(*((0, 0, 0, 0, 0) if tally is None else (tally.delivered, 0, 0, tally.errors, 0)))
        return Counts(
            tally.delivered,
            tally.delivered - tally.personal,
            tally.told + listener.untold,
            tally.errors,
            listener.queued,
        )

    def abandon(self) -> None:
        """The socket is gone: a mutation that has begun runs to its end, everything else stops."""
        if self.prepared is not None and self.prepared.type is MUTATION:
            self._stop()
        else:
            self.cancel()

    def _end(self) -> None:
        super()._end()
        self._clean_up()
        self._owner.forget(self)

    def _stop(self) -> None:
        self.is_over = True
        self._clean_up()

    # What an operation holds leads back to it. It lets go of that when it is over: to find it would cost the garbage
    # collector more than the operation has cost.

    def _clean_up(self) -> None:
        self._hand_over()
        self._close_listener()
        self._tell_end()

    def _close_listener(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    def _tell_end(self) -> None:
        if self._announce_end is not None:
            self._announce_end()
            self._announce_end = None

    def _hand_over(self) -> None:
        """The operation is over: what its task still has to do is the connection's affair."""
        task = self._task
        if task is None or task is asyncio.current_task():
            return
        self._task = None
        if not task.done():
            self._session.tasks.own(task)

    async def _run(self) -> None:
        turns = self._session.turns
        try:
            serve = await (self._in_turn() if turns.is_limited else self._perform())
            if serve is not None:
                await serve()
        except VariableErrors as error:
            self.send_result(None, error.errors)
            self.complete()
        except asyncio.CancelledError:
            if self.is_over:
                raise
            # Not by us: the user's code waited for something that was cancelled.
            self.fail(GraphQLError("The operation was cancelled."))
        except Exception as error:
            self.fail(error)
        finally:
            self._task = None  # A subscription lives on without one.

    async def _in_turn(self) -> Serve | None:
        async with self._session.turns:
            return await self._perform()

    async def _perform(self) -> Serve | None:
        """Runs to the end, or until a subscription is set up; a native stream is still to be served then."""
        session, request = self._session, self._request
        entries = None
        if session.prepare is not None:
            try:
                entries = await session.prepare(request.id, request.payload)
            except Exception as error:
                self.decline(error)
                return None
        documents = session.executor.documents
        document = documents.find(request.query) or await documents.read(request.query)
        prepared = document.select(request.operation_name)
        if isinstance(prepared, list):
            self.fail(*prepared)
            return None
        self.name, self.prepared = prepared.name, prepared
        context = OperationContext(session.scope, request.id, prepared.name, session.executor.new_loaders())
        if entries:
            context.update(entries)
        if prepared.type is SUBSCRIPTION:
            return await self._subscribe(prepared, Variables(prepared, request.variables), context)
        await self._execute(prepared, context)
        return None

    async def _execute(self, prepared: Prepared, context: OperationContext) -> None:
        variables = prepared.coerce_variables(self._request.variables)
        if isinstance(variables, list):
            raise VariableErrors(variables)
        outcome = self._session.executor.execute(prepared, variables, None, context)
        if not isinstance(outcome, Outcome):
            deadlines = self._session.slow_operations
            if deadlines is None:
                outcome = await outcome
            else:
                deadlines.start(self, self._warn)
                try:
                    outcome = await outcome
                finally:
                    deadlines.stop(self)
        self.send_result(outcome.data, outcome.errors)
        self.complete()

    def _warn(self) -> None:
        description, seconds = self.description, self._session.settings.warn_operation_timeout
        logger.warning("%s takes longer than %g seconds.", description, seconds)
        logger.debug("%s: %s %s", description, self._request.query, self._request.variables)

    async def _subscribe(self, prepared: Prepared, variables: Variables, context: OperationContext) -> Serve | None:
        source = await self._session.executor.open_source(prepared, variables.fresh(), context)
        if not isinstance(source, GroupSource):
            if self.is_over:  # It was cancelled, and the user's function returned all the same.
                await close_source(source)
                return None
            execute = partial(self._session.executor.execute, prepared, variables.fresh())
            self.tally = Tally()
            self._announce_end = self._session.announcer.subscribed(self.id, prepared, variables, ())
            return partial(self._stream, source, execute, context)
        try:
            if not self.is_over:
                self.tally = Tally()
                listened = Listened(
                    self._session,
                    source,
                    prepared,
                    variables,
                    context,
                    self._context,
                    self,
                    self.tally,
                    self._owner,
                )
                self._listener = Listener(listened)
        finally:
            if self._listener is None and source.end is not None:
                # Cancelled, or without a cohort, although the user's `subscribe` returned.
                self._session.tasks.start(source.end(self._session.settings.notification_timeout))
        if self._listener is not None:
            await self._listener.open()
            if not self.is_over:
                self._announce_end = self._session.announcer.subscribed(self.id, prepared, variables, source.named)
        return None

    async def _stream(
        self,
        source: AsyncIterable[Any],
        execute: Callable[..., Outcome | Awaitable[Outcome]],
        context: OperationContext,
    ) -> None:
        """Serves a native GraphQL subscription: as fast as the client reads."""
        session = self._session
        try:
            async for event in source:
                async with session.turns:
                    outcome = execute(event, context)
                    if not isinstance(outcome, Outcome):
                        outcome = await outcome
                    self.send_result(outcome.data, outcome.errors)
                if self.tally is not None:
                    self.tally.delivered += 1
                    self.tally.errors += bool(outcome.errors)
                await session.outbox.idle()
        finally:
            await close_source(source)
        self.complete()
