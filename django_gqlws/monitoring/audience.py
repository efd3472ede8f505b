"""The groups that somebody listens to, and how to broadcast to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from ..broker.process import take_census_from_thread
from ..subscription import Subscription
from ..subscription.known import known_subscriptions
from .models import Membership
from .querysets import MembershipQuerySet
from .selection import like


def groups(pattern: str = "*") -> QuerySet[Any, dict[str, Any]]:
    """The groups that live subscriptions listen to: ``topic`` (the subscription class), ``name`` (empty: all of its
    subscribers), ``subscriptions``, ``processes``, ``last_event`` (a datetime, or None).

    The largest first. ``pattern`` is for the name, where ``*`` stands for anything, also for nothing. It is a queryset
    of dicts: slice it, count it, order it.
    """
    return _memberships(pattern).by_group()


def count_groups(pattern: str = "*") -> int:
    """How many `groups` there are; several times cheaper than to count those, whose subscriptions are looked at."""
    return _memberships(pattern).values("topic", "name").distinct().order_by().count()


def _memberships(pattern: str) -> MembershipQuerySet:
    memberships: MembershipQuerySet = Membership.objects.live()
    return memberships.filter(like("name", pattern))


@dataclass(frozen=True, slots=True)
class Addressed:
    """Who would get a broadcast."""

    servers: int
    """Processes that answered at all: 0 means that none is running, or that none is reached."""
    processes: int
    """Those of them with subscriptions to the group."""
    subscriptions: int


def topics() -> list[str]:
    """The dotted paths of the project's subscription classes that take broadcasts, in alphabetical order."""
    return [topic for topic, subscription in known_subscriptions().items() if subscription._takes_broadcasts]


def addressed(topic: str, group: str | None = None) -> Addressed:
    """Asks all processes over the channel layer how many live subscriptions a broadcast would reach; it takes a
    fraction of a second, 2 s if nobody answers.

    Group None: all subscribers of the class. Raises LookupError for an unknown topic, BroadcastError if the layer
    fails, RunningLoopError on an event loop.
    """
    name = _find(topic)._group_name(group)
    counts = [answer.subscriptions.get(name, 0) for answer in take_census_from_thread([name])]
    return Addressed(len(counts), sum(map(bool, counts)), sum(counts))


def broadcast(topic: str, group: str | None, payload: Any) -> None:
    """`Subscription.broadcast_sync` of the class with this dotted path: it is sent when the call returns, or after the
    commit inside ``atomic()``.

    Raises LookupError for an unknown topic, PayloadError, BroadcastError, RunningLoopError.
    """
    _find(topic).broadcast_sync(group=group, payload=payload)


def _find(topic: str) -> type[Subscription]:
    known = known_subscriptions()
    if topic not in known:
        raise LookupError(f"There is no subscription class {topic}. Known are: {', '.join(known) or 'none'}.")
    return known[topic]
