"""The subscription classes of a project, for commands."""

from __future__ import annotations

import difflib

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from ..subscription import Subscription
from ..subscription.known import known_subscriptions as known
from .routes import load_application


def known_subscriptions() -> dict[str, type[Subscription]]:
    """All of the project's schema and its ASGI application that take broadcasts, by dotted path in alphabetical order.

    Raises CommandError if there are none, or if the project's settings do not allow to look.
    """
    found = {path: cls for path, cls in _all().items() if cls._takes_broadcasts}
    if not found:
        raise CommandError(
            "This project has no subscription class that takes broadcasts: is its schema in GQLWS['SCHEMA']?"
        )
    return found


def _all() -> dict[str, type[Subscription]]:
    try:
        found = known()
        if getattr(settings, "ASGI_APPLICATION", None):
            load_application()  # Consumers may have schemas of their own.
            found = known()
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from error
    return found


def find_subscription(path: str) -> type[Subscription]:
    """The class with this dotted path. Raises CommandError if none is known by it, or it takes no broadcasts."""
    known = known_subscriptions()
    if path in known:
        return known[path]
    if path in _all():
        raise CommandError(
            f"{path} takes no broadcasts: it is a ModelSubscription, which tells of rows when they are saved.",
            returncode=2,
        )
    near = difflib.get_close_matches(path, known, n=1)
    did_you_mean = f" Did you mean {near[0]}?" if near else ""
    raise CommandError(
        f"There is no subscription {path}.{did_you_mean} Known are:\n  " + "\n  ".join(known), returncode=2
    )
