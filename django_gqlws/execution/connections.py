"""Database connections that async code opens, treated as Django treats those of a request.

Django's async ORM runs in a thread of asgiref's. Nobody ends a request there, so nobody would close a connection that
is too old or that the database has dropped. Looking after it costs a thread hop: it is made only when there is one,
and nobody waits for it: that thread takes one job after the other, so it is done before the next query.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextvars import Context
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connections
from django.db.backends.signals import connection_created

from ..tasks import Tasks
from . import workers

logger = logging.getLogger(__name__)

_opened = threading.Event()
_closing: set[asyncio.AbstractEventLoop] = set()


def _note_opened(**_: Any) -> None:
    # Worker threads look after their own, and so does a program in its main thread.
    if not workers.in_worker() and threading.current_thread() is not threading.main_thread():
        _opened.set()


connection_created.connect(_note_opened, dispatch_uid="django_gqlws.execution.connections")


def close_old_async_connections() -> None:
    """Has the connections of the async ORM closed as CONN_MAX_AGE and their health ask for. Called after async code."""
    if _opened.is_set():
        loop = asyncio.get_running_loop()
        if loop not in _closing:
            _closing.add(loop)
            _tasks.start_soon(_close(), Context()).add_done_callback(lambda _: _closing.discard(loop))


@sync_to_async
def _close() -> None:
    close_old_connections()
    if all(connection.connection is None for connection in connections.all(initialized_only=True)):
        _opened.clear()


def _report(error: BaseException) -> None:
    # Whoever uses the connection next gets the error itself. Where there are no connections to be had, as in a test
    # without a database, asking again and again would not help.
    _opened.clear()
    logger.debug("Closing old database connections failed: %r", error, exc_info=error)


_tasks = Tasks(_report)
