"""Database connections outside of requests, treated as Django treats those of a request.

Nobody ends a request in a worker thread, nor in the thread of asgiref's where the async ORM runs, so nobody would
close a connection that is too old or that the database has dropped. Looking after those of asgiref's thread costs a
thread hop: it is made only when there is one, and nobody waits for it: that thread takes one job after the other, so it
is done before the next query.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import AbstractContextManager
from contextvars import Context
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from ..tasks import Tasks
from .borrowed_loop import in_worker

logger = logging.getLogger(__name__)


class _Thread(threading.local):
    """The connections that the jobs of a worker thread have opened."""

    def __init__(self) -> None:
        self.opened: set[BaseDatabaseWrapper] = set()


_thread = _Thread()
_opened_by_async = threading.Event()
_closing: set[asyncio.AbstractEventLoop] = set()


def _note_opened(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if in_worker():
        _thread.opened.add(connection)
    # A program looks after its main thread itself.
    elif threading.current_thread() is not threading.main_thread():
        _opened_by_async.set()


connection_created.connect(_note_opened, dispatch_uid="django_gqlws.execution.connections")


class ThreadConnections(AbstractContextManager[None]):
    """Around each job of a worker thread: closes its connections as CONN_MAX_AGE and their health ask for."""

    def __enter__(self) -> None:
        _close_old_thread_connections()

    def __exit__(self, *_: object) -> None:
        _close_old_thread_connections()


def _close_old_thread_connections() -> None:
    # Django's own `close_old_connections` takes longer to find that there are none than many a job takes.
    for connection in tuple(_thread.opened):
        connection.close_if_unusable_or_obsolete()
        if connection.connection is None:
            _thread.opened.discard(connection)


def close_old_async_connections() -> None:
    """Has the connections of the async ORM closed as CONN_MAX_AGE and their health ask for. Called after async code."""
    if _opened_by_async.is_set():
        loop = asyncio.get_running_loop()
        if loop not in _closing:
            _closing.add(loop)
            _tasks.start_soon(_close(), Context()).add_done_callback(lambda _: _closing.discard(loop))


@sync_to_async
def _close() -> None:
    close_old_connections()
    if all(connection.connection is None for connection in connections.all(initialized_only=True)):
        _opened_by_async.clear()


def _report(error: BaseException) -> None:
    # Whoever uses the connection next gets the error itself. Where there are no connections to be had, as in a test
    # without a database, asking again and again would not help.
    _opened_by_async.clear()
    logger.debug("Closing old database connections failed: %r", error, exc_info=error)


_tasks = Tasks(_report)
