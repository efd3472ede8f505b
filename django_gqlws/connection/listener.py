"""A live subscription to groups: it takes events from the hub and gives the client results."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from enum import Enum, auto
from typing import Any, TypeVarTuple

from graphql import GraphQLError

from ..broker.cohort import OPEN, RUNNING, SHARED, SIDE_BY_SIDE, Cohort, Sharing
from ..broker.envelope import Kind
from ..broker.event import Event
from ..broker.mailbox import Mailbox, WhenFull
from ..broker.process import current_broker
from ..counters import counters
from ..exceptions import PayloadError
from ..execution.executor import Outcome
from ..execution.results import add_extensions, encode_result
from ..execution.sharing import context_key
from ..latency import publish_to_deliver
from ..protocol.close import Close
from .membership import Membership
from .run import Listened, Run

logger = logging.getLogger(__name__)


# What stands for the decision about an event that is not wanted any more: there is nothing to send.
_DROPPED = Sharing(lambda members: None, SHARED)


class Phase(Enum):
    """What a listener is doing."""

    JOINING = auto()
    """Events are kept, and not executed before the groups are joined and the client is told so."""
    IDLE = auto()
    """Nothing waits in the mailbox."""
    BUSY = auto()
    """With an event, or called to its next step, or waiting for its client to read."""
    CLOSED = auto()


JOINING, IDLE, BUSY, CLOSED = Phase
EVENT = Kind.EVENT

IN_LINE = 16
"""Personal executions of one cohort that may wait for a worker thread: so many that threads and loop take several at a
time. More would be walked over by the garbage collector again and again, and stand in the way of others."""

SAMPLED = 63
"""Of the notifications that others have executed, those are timed whose number has none of these bits."""


Ts = TypeVarTuple("Ts")


def _or_end(work: Callable[[Listener, *Ts], None]) -> Callable[[Listener, *Ts], None]:
    """A fault of ours ends the subscription: otherwise it would wait for a step that never comes."""

    def guarded(listener: Listener, /, *args: *Ts) -> None:
        try:
            work(listener, *args)
        except Exception:
            listener.end_broken()
            raise

    return guarded


class Listener:
    """A `Subscriber` of the hub.

    It handles one event at a time, so that notifications keep the order of the broadcasts however slow one ``publish``
    is; while it is busy, or its client does not read, its mailbox fills up and nobody else notices.

    An event is executed by the first member of a cohort that comes to it. As long as that execution has not touched its
    context, the others wait for the result; if it does, they execute the event for themselves.
    """

    __slots__ = (
        "_cohort",
        "_event",
        "_has_turn",
        "_hub",
        "_is_debug",
        "_is_direct",
        "_is_ending",
        "_listened",
        "_mailbox",
        "_membership",
        "_outbox",
        "_phase",
        "_replies",
        "_run",
        "_session",
        "_sharing",
        "_source",
        "_tally",
        "_untold",
    )

    def __init__(self, listened: Listened) -> None:
        session, source, replies = listened.session, listened.source, listened.replies
        settings = session.settings
        self._session = session
        # Of the session, which a delivery leaves alone: each object that it touches has to come from memory when there
        # are a thousand subscribers.
        self._outbox = session.outbox
        self._is_debug = session.is_debug
        self._replies = replies
        self._source = source
        self._tally = listened.tally
        self._listened = listened
        self._hub = current_broker().hub
        self._mailbox = Mailbox(
            source.queue_limit or settings.subscription_notification_queue_limit,
            settings.subscription_notification_queue_bytes,
            replies.description,
        )
        self._membership = Membership(self, source, self._hub, session.tasks)
        listened.info_context.take_membership(self._membership)
        self._cohort = self._find_cohort()
        self._run: Run | None = None
        # Its turn in the connection lasts from the mailbox to the client.
        self._has_turn = False
        # What waits for its step, for a place to be executed personally, or for the decision of its cohort. The event
        # None is the initial value.
        self._event: Event | None = None
        self._sharing: Sharing | None = None
        self._phase = JOINING
        # Whether an event may go past the mailbox when nothing is in its way.
        self._is_direct = not settings.strict_ordering
        # Notifications that were dropped or lost, and of which the client does not know yet.
        self._untold = 0
        # The server ended the subscription; what waits in the mailbox is still delivered.
        self._is_ending = False

    @property
    def membership(self) -> Membership:
        """The groups that it listens to."""
        return self._membership

    @property
    def untold(self) -> int:
        """Notifications that were dropped or lost, and of which the client does not know yet."""
        return self._untold

    @property
    def queued(self) -> int:
        """Notifications that wait for it."""
        return len(self._mailbox)

    async def open(self) -> None:
        """Joins the groups; returns when no broadcast can be missed any more and the client was told so."""
        try:
            await self._membership.open()
        except BaseException:
            self.close()
            raise
        if self._phase is CLOSED:
            return
        settings = self._session.settings
        if settings.confirm_subscriptions:
            self._replies.send_confirmation(settings.subscription_confirmation_message)
        if self._source.initial is None:
            self._go_on()
        else:
            self._phase = BUSY
            self._session.turns.enter(self._begin)

    def close(self) -> None:
        """Leaves the groups, drops what waits and has ``unsubscribed`` called: once, however often it is called."""
        if self._phase is CLOSED:
            return
        self._phase = CLOSED
        self._membership.close()
        self._mailbox.clear()
        if (run := self._run) is not None:
            self._abandon(run)
        self._leave_turn()
        if self._source.end is not None:
            timeout = self._session.settings.notification_timeout
            self._session.tasks.start(self._source.end(timeout), self._listened.context.copy())

    def end_broken(self) -> None:
        """Ends with an ``error``, because something in here failed that never should."""
        self.close()
        self._replies.fail(GraphQLError("This subscription was ended by an error of the server."))

    def drop(self, groups: Collection[str]) -> None:
        self._mailbox.drop(groups)
        if (run := self._run) is not None:
            # A `publish` that leaves its own group has something to say all the same.
            if run.event is not None and run.event.group in groups and not run.is_current:
                self._abandon(run)
                self._leave_turn()
        elif self._event is not None and self._event.group in groups:
            self._sharing = _DROPPED

    def _find_cohort(self) -> Cohort:
        listened, session = self._listened, self._session
        key = (
            type(session.hooks),
            session.executor,
            session.masks_errors,
            listened.prepared,
            listened.variables.key,
            context_key(listened.context, session.settings.tracing_variables),
            self._source.share_key,
            self._source.shared,
        )
        return self._hub.cohorts.find(key, self._source.shared, self._most_side_by_side())

    def _most_side_by_side(self) -> int:
        if self._listened.prepared.plan.starts_in_worker:
            return min(self._session.settings.sync_threads + IN_LINE, SIDE_BY_SIDE)
        return SIDE_BY_SIDE

    # The hub's side

    def offer(self, event: Event) -> None:
        try:  # As `_or_end` does it: written out, because each delivery comes through here.
            if not self._is_free_for(event):
                self._queue(event)
                return
            sharing = event.sharing(self._cohort)
            if sharing.state is SHARED:
                self._send_shared(event, sharing)
            else:
                self._phase = BUSY
                self._handle(event, sharing)
        except Exception:
            self.end_broken()
            raise

    @_or_end
    def keep(self, event: Event) -> None:
        if not self._is_free_for(event):
            self._queue(event)
            return
        # Not into the mailbox, where the next one would drop it: whoever is free gets the first of a burst.
        self._phase = BUSY
        self._event, self._sharing = event, event.sharing(self._cohort)
        self._hub.ready(self)

    def _is_free_for(self, event: Event) -> bool:
        """Nothing is in the way of the event, which may go past the mailbox."""
        return (
            self._phase is IDLE and event.kind is EVENT and not event.lost and self._is_direct and not self._outbox.busy
        )

    def _queue(self, event: Event) -> None:
        if event.kind is Kind.DISCONNECT:
            self._disconnect(event)
        elif self._is_over:
            return
        elif event.kind is Kind.UNSUBSCRIBE:
            self._is_ending = True
            self._wake()
        else:
            self._put(event)

    def _put(self, event: Event) -> None:
        dropped = self._mailbox.put(event)
        self._untold += dropped + event.lost
        if not dropped or self._source.when_full is not WhenFull.CLOSE:
            self._wake()
        else:
            self.close()
            self._replies.fail(
                GraphQLError("This subscription was ended: its notifications were not read fast enough.")
            )

    @_or_end
    def step(self) -> None:
        if self._phase is CLOSED:
            return
        if (sharing := self._sharing) is not None:
            event, self._event, self._sharing = self._event, None, None
            self._handle(event, sharing)
        elif self._outbox.busy:
            self._outbox.when_idle(self._go_on)
        else:
            self._session.turns.enter(self._take_turn)

    @property
    def _is_over(self) -> bool:
        return self._is_ending or self._phase is CLOSED

    def _go_on(self) -> None:
        """Free for what comes next."""
        if self._phase is not CLOSED:
            self._phase = IDLE
            self._wake()

    def _wake(self) -> None:
        if self._phase is IDLE and (self._mailbox or self._is_ending):
            self._phase = BUSY
            self._hub.ready(self)

    def _disconnect(self, event: Event) -> None:
        try:
            code, reason = event.unpack()
            if not isinstance(code, int) or not isinstance(reason, str):
                raise TypeError
        except (PayloadError, TypeError, ValueError):
            logger.error("An order to disconnect was skipped: it needs a close code and a reason.")
            return
        self._listened.connection.close(Close(code, reason))

    # A turn: one event, from the mailbox to the client

    @_or_end
    def _take_turn(self) -> None:
        self._has_turn = True
        if self._mailbox:
            event = self._mailbox.take()
            self._handle(event, event.sharing(self._cohort))
            return
        # What waited when the turn was asked for may have been dropped meanwhile: that is no end.
        if self._is_ending and self._phase is not CLOSED:
            self.close()
            self._replies.complete()
        self._leave_turn()

    @_or_end
    def _begin(self) -> None:
        self._has_turn = True
        if self._phase is CLOSED:
            self._leave_turn()
        else:
            self._cohort.personal.enter(self._execute_personally)

    def _leave_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._session.turns.leave()
        self._go_on()

    def _handle(self, event: Event | None, sharing: Sharing) -> None:
        if sharing.state is SHARED:
            self._send_shared(event, sharing)
            self._leave_turn()
        elif sharing.state is OPEN:
            sharing.lead(self)
            self._execute(event, sharing)
        else:
            self._event = event
            if sharing.state is RUNNING:
                self._sharing = sharing
                sharing.wait(self)
            else:
                self._cohort.personal.enter(self._execute_personally)

    @_or_end
    def _execute_personally(self) -> None:
        event, self._event = self._event, None
        sharing, self._sharing = self._sharing, None
        if self._phase is not CLOSED and sharing is not _DROPPED:
            self._execute(event, None)
            return
        self._cohort.personal.leave()
        if self._phase is not CLOSED:
            self._leave_turn()

    def _execute(self, event: Event | None, sharing: Sharing | None) -> None:
        self._run = Run(self._listened, event, sharing, self._settle)
        self._run.start()

    def _abandon(self, run: Run) -> None:
        self._run = None
        run.cancel()
        if run.sharing is None:
            self._cohort.personal.leave()
        else:
            run.sharing.give_up(self)

    @_or_end
    def _settle(self, run: Run, outcome: Outcome) -> None:
        """The event is executed: the result goes to the client, and to the cohort if it is not personal."""
        self._run = None
        sharing, result = run.sharing, None
        if not outcome.skipped:
            masks = self._session.masks_errors
            where = self._replies.description if outcome.errors else ""
            result = encode_result(outcome.data, outcome.errors, masks, where)
        if sharing is None:
            self._cohort.personal.leave()
        elif outcome.touched and self._source.share_key is None:
            sharing.make_personal()
        else:
            sharing.share(result, bool(outcome.errors))
        if run.event is not None and result is not None:
            publish_to_deliver.note(time.time() - run.event.sent)
        self._send(result, sharing is not None and sharing.state is SHARED, bool(outcome.errors))
        self._leave_turn()

    def _send_shared(self, event: Event | None, sharing: Sharing) -> None:
        if event is not None and not counters.delivered & SAMPLED:
            publish_to_deliver.note(time.time() - event.sent)
        self._send(sharing.result, True, sharing.failed)

    def _send(self, result: str | None, is_shared: bool, has_errors: bool) -> None:
        if result is None:
            return
        if self._untold or self._is_debug:
            result = self._extend(result, is_shared)
        self._replies.send_payload(result)
        counters.delivered += 1
        tally = self._tally
        tally.delivered += 1
        if is_shared:
            counters.shared += 1
        else:
            tally.personal += 1
        if has_errors:
            tally.errors += 1

    def _extend(self, result: str, is_shared: bool) -> str:
        extensions: dict[str, Any] = {}
        if self._untold:
            extensions["dropped"], self._untold = self._untold, 0
            self._tally.told += extensions["dropped"]
        if self._is_debug:
            extensions["shared"] = is_shared
        return add_extensions(result, **extensions)
