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
    """All that the project's schema and its ASGI application bring, by their dotted paths, in alphabetical order.

    Raises CommandError if there are none, or if the project's settings do not allow to look.
    """
    try:
        found = known()
        if getattr(settings, "ASGI_APPLICATION", None):
            load_application()  # Consumers may have schemas of their own.
            found = known()
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from error
    if not found:
        raise CommandError("This project has no subscription class: is its schema in GQLWS['SCHEMA']?")
    return found


def find_subscription(path: str) -> type[Subscription]:
    """The class with this dotted path. Raises CommandError, which lists the known ones."""
    known = known_subscriptions()
    if path in known:
        return known[path]
    near = difflib.get_close_matches(path, known, n=1)
    did_you_mean = f" Did you mean {near[0]}?" if near else ""
    raise CommandError(
        f"There is no subscription {path}.{did_you_mean} Known are:\n  " + "\n  ".join(known), returncode=2
    )
