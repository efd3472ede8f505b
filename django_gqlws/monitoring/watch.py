"""Whether a connection is shown in the registry. Models are loaded only where one is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from django.apps import apps

from ..conf import get_settings
from ..connection.connection import Connection
from ..execution.workers import runner

Unwatch = Callable[[int], Awaitable[None]]
"""Is called with the close code when the connection is over."""


def watch(connection: Connection) -> Unwatch | None:
    """Has the reporter of this event loop look after a new connection, until what is returned is called.

    None: nobody looks after it. A test's client has a test's open transaction (`workers.runner`), which nobody else
    should meet.
    """
    if not get_settings().monitoring or runner.get() is not None or not apps.is_installed("django_gqlws"):
        return None
    from .reporter import current_reporter

    return current_reporter().watch(connection)
