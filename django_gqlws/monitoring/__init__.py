"""Who is connected, what they listen to, how they are doing, and how to stop one.

The admin and the commands know nothing else::

    from django_gqlws import monitoring

    for subscription in monitoring.subscriptions(user="eve"):
        print(subscription.field, subscription.delivered)
    monitoring.end(monitoring.subscriptions(group="room-*").values_list("pk", flat=True))

Names are loaded when they are used, as those of the package: models need the apps of the project.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .actions import block, disconnect, end, unblock
    from .audience import Addressed, addressed, broadcast, groups, topics
    from .models import BlockedUser, Connection, Membership, Process, Sample, Subscription
    from .samples import Point, Totals, history, totals
    from .selection import connections, subscriptions

__all__ = [
    "Addressed",
    "BlockedUser",
    "Connection",
    "Membership",
    "Point",
    "Process",
    "Sample",
    "Subscription",
    "Totals",
    "addressed",
    "block",
    "broadcast",
    "connections",
    "disconnect",
    "end",
    "groups",
    "history",
    "subscriptions",
    "topics",
    "totals",
    "unblock",
]

_HOMES = {
    "Addressed": "audience",
    "BlockedUser": "models",
    "Connection": "models",
    "Membership": "models",
    "Point": "samples",
    "Process": "models",
    "Sample": "models",
    "Subscription": "models",
    "Totals": "samples",
    "addressed": "audience",
    "block": "actions",
    "broadcast": "audience",
    "connections": "selection",
    "disconnect": "actions",
    "end": "actions",
    "groups": "audience",
    "history": "samples",
    "subscriptions": "selection",
    "topics": "audience",
    "totals": "samples",
    "unblock": "actions",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
