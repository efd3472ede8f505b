"""One execution for a live subscription: of its document, for an event or for its initial value."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context, ContextVar
from typing import Any, NamedTuple, Protocol

from graphql import GraphQLError

from ..broker.cohort import Sharing
from ..broker.event import Event
from ..broker.source import GroupSource
from ..counters import counters
from ..exceptions import PayloadError
from ..execution.context import OperationContext
from ..execution.documents import Operation as Prepared
from ..execution.executor import Outcome
from ..execution.variables import Variables
from ..protocol.close import Close
from .replies import Replies
from .session import Session
from .tally import Tally

logger = logging.getLogger(__name__)


class Closable(Protocol):
    """The connection of a subscription."""

    def close(self, reason: Close) -> None:
        """Closes the socket and ends all operations."""


class Listened(NamedTuple):
    """What is executed for each event."""

    session: Session
    source: GroupSource
    prepared: Prepared
    variables: Variables
    info_context: OperationContext
    context: Context
    """The context variables that the operation began with; each execution gets a copy."""
    replies: Replies
    tally: Tally
    connection: Closable


class _NoPayload(Exception):
    """``initial`` returned None."""


# The execution that the code which asks belongs to, in whatever thread.
_current: ContextVar[Run] = ContextVar("gqlws_run")


class Run:
    """An execution from its start to its outcome, which is told once; or to its end, if somebody cancels it.

    ``sharing`` is what it decides for its cohort; None: it is for its own subscriber. The event None is the initial
    value. It is cut after NOTIFICATION_TIMEOUT.
    """

    __slots__ = ("_is_over", "_listened", "_task", "_tell", "event", "sharing")

    def __init__(
        self, listened: Listened, event: Event | None, sharing: Sharing | None, tell: Callable[[Run, Outcome], None]
    ) -> None:
        self.event = event
        self.sharing = sharing
        self._listened = listened
        self._tell = tell
        self._task: asyncio.Task[None] | None = None
        self._is_over = False

    def start(self) -> None:
        """Begins, as a task of its connection."""
        session = self._listened.session
        if session.slow_notifications is not None:
            session.slow_notifications.start(self, self._cut)
        # In a copy: what one execution sets must not reach the next one.
        task = session.tasks.start(self._perform(), self._listened.context.copy())
        if not self._is_over:
            self._task = task

    def cancel(self) -> None:
        """Nobody wants its outcome any more."""
        task = self._task
        self._end()
        if task is not None:
            task.cancel()

    @property
    def is_current(self) -> bool:
        """Whether the code that asks belongs to it."""
        return _current.get(None) is self

    async def _perform(self) -> None:
        _current.set(self)
        try:
            outcome = await self._execute()
        except (PayloadError, _NoPayload):
            outcome = Outcome(None, (), skipped=True)
        except asyncio.CancelledError:
            if self._is_over:
                raise
            # Not by us: the user's code waited for something that was cancelled.
            outcome = Outcome(None, [GraphQLError("The notification was cancelled.")])
        except Exception as error:
            outcome = Outcome(None, [error])
        if not self._is_over:
            self._end()
            self._tell(self, outcome)

    async def _execute(self) -> Outcome:
        listened, sharing = self._listened, self.sharing
        payload = await self._first_payload() if self.event is None else self.event.unpack()
        counters.executed += 1
        outcome = listened.session.executor.execute(
            listened.prepared,
            listened.variables.fresh(),
            payload,
            listened.info_context,
            sharing.make_personal if sharing is not None and listened.source.share_key is None else None,
        )
        return outcome if isinstance(outcome, Outcome) else await outcome

    async def _first_payload(self) -> Any:
        assert self._listened.source.initial is not None
        payload = await self._listened.source.initial()
        if payload is None:
            raise _NoPayload
        return payload

    def _cut(self) -> None:
        seconds = self._listened.session.settings.notification_timeout
        counters.cut += 1
        logger.warning(
            "%s: a notification took more than %g seconds and was cut.", self._listened.replies.description, seconds
        )
        self.cancel()
        self._tell(self, Outcome(None, [GraphQLError(f"The notification took more than {seconds:g} seconds.")]))

    def _end(self) -> None:
        self._is_over = True
        self._task = None  # Its context variables lead back here.
        if (deadlines := self._listened.session.slow_notifications) is not None:
            deadlines.stop(self)
