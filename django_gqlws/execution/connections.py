"""Database connections that async code opens, treated as Django treats those of a request.

Django's async ORM runs in a thread of asgiref's. Nobody ends a request there, so nobody would close a connection that
is too old or that the database has dropped. Looking after it costs a thread hop: it is made only when there is one.
"""

from __future__ import annotations

import threading
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connections
from django.db.backends.signals import connection_created

from . import workers

_opened = threading.Event()


def _note_opened(**_: Any) -> None:
    if not workers.in_worker():  # Worker threads look after their own.
        _opened.set()


connection_created.connect(_note_opened, dispatch_uid="django_gqlws.execution.connections")


async def close_old_async_connections() -> None:
    """Closes the connections of the async ORM as CONN_MAX_AGE and their health ask for. Awaited after async code."""
    if _opened.is_set():
        await _close()


@sync_to_async
def _close() -> None:
    close_old_connections()
    if all(connection.connection is None for connection in connections.all(initialized_only=True)):
        _opened.clear()
