"""Whether a connection is shown in the registry. Models are loaded only where one is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from django.apps import apps

from ..conf import get_settings
from ..connection.connection import Connection
from ..execution.workers import runner

if TYPE_CHECKING:
    from .reporter import Reporter

Unwatch = Callable[[int], Awaitable[None]]
"""Is called with the close code when the connection is over."""

_reporters: dict[asyncio.AbstractEventLoop, Reporter] = {}


def watch(connection: Connection) -> Unwatch | None:
    """Has the reporter of this event loop look after a new connection, until what is returned is called.

    None: nobody looks after it. A test's client has a test's open transaction (`workers.runner`), which nobody else
    should meet.
    """
    if not get_settings().monitoring or runner.get() is not None or not apps.is_installed("django_gqlws"):
        return None
    return _current_reporter().watch(connection)


async def stop_watching() -> None:
    """Has what this event loop has told the database removed: its server is about to stop."""
    reporter = _reporters.pop(asyncio.get_running_loop(), None)
    if reporter is not None:
        await reporter.stop()


def _current_reporter() -> Reporter:
    from .reporter import Reporter

    loop = asyncio.get_running_loop()
    reporter = _reporters.get(loop)
    if reporter is None:
        for closed in [other for other in tuple(_reporters) if other.is_closed()]:
            _reporters.pop(closed, None)
        reporter = _reporters[loop] = Reporter()
    return reporter
