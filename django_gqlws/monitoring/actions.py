"""What can be done to clients, whatever process they are connected to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import router, transaction
from django.utils import timezone

from ..protocol import close
from .instructions import Action, give
from .models import NAME_LENGTH, BlockedUser


def end(subscriptions: Iterable[UUID]) -> int:
    """Ends subscriptions, by the ids of their rows; their clients get ``complete``. Says how many ids there were.

    Returns when the channel layer has the instruction; each process follows at once. Raises BroadcastError if the layer
    fails, RunningLoopError on an event loop: call it from sync code. So do the others here.
    """
    return give(Action.END, subscriptions)


def disconnect(connections: Iterable[UUID], reason: str = "", may_reconnect: bool = False) -> int:
    """Closes connections, by the ids of their rows, with 4401, or with 4499 if they may come back: clients of the
    usual libraries then do so by themselves. Says how many ids there were.

    The client is told the reason, cut to the 123 bytes that a close frame carries.
    """
    code = (close.TERMINATED if may_reconnect else close.UNAUTHORIZED).code
    return give(Action.DISCONNECT, connections, code=code, reason=reason)


def block(user: object, minutes: float, reason: str = "", by: str = "", label: str = "") -> BlockedUser:
    """Closes all connections of a user (a primary key) with 4401, and refuses new ones for so many minutes.

    A second block replaces the first. ``by`` and ``label`` (the user's name) are for those who read the list. Inside
    ``atomic()`` connections are closed after the commit. Raises ValueError if the minutes are not above 0.
    """
    if not minutes > 0:
        raise ValueError(f"A block for {minutes} minutes is none: say how many, above 0.")
    now = timezone.now()
    details = {
        "user_label": label[:NAME_LENGTH],
        "since": now,
        "until": now + timedelta(minutes=minutes),
        "reason": reason[:NAME_LENGTH],
        "blocked_by": by[:NAME_LENGTH],
    }
    blocked: BlockedUser
    blocked, _ = BlockedUser.objects.update_or_create(user=str(user), defaults=details)
    _after_commit(
        partial(
            give,
            Action.BLOCK,
            [blocked.user],
            code=close.UNAUTHORIZED.code,
            reason=blocked.reason,
            until=blocked.until.timestamp(),
        )
    )
    return blocked


def unblock(user: object) -> bool:
    """Lets a user connect again; False if nobody had blocked it."""
    deleted, _ = BlockedUser.objects.filter(user=str(user)).delete()
    _after_commit(partial(give, Action.UNBLOCK, [user]))
    return bool(deleted)


def _after_commit(send: partial[int]) -> None:
    transaction.on_commit(lambda: send() and None, using=router.db_for_write(BlockedUser))
