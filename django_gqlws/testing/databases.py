"""The test's open transaction: it stays open, and code in asgiref's thread takes part in it.

Django's TestCase and pytest-django keep what a test writes in a transaction that nobody but the test's own thread can
see. An async test whose event loop runs in that thread (pytest-asyncio) has its sync code, and Django's async ORM, in
asgiref's single thread for all that is thread-sensitive: it borrows the connection, as Django's LiveServerThread does.

`close_old_connections`, which Channels calls around its own database code, takes a connection in a transaction for one
that was left in disorder, and closes it. Django's test client switches it off; so do we.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

Connections = Sequence[BaseDatabaseWrapper]

_borrowers: Counter[BaseDatabaseWrapper] = Counter()
_replaced: dict[BaseDatabaseWrapper, BaseDatabaseWrapper | None] = {}
"""What asgiref's thread had instead; known in that thread alone."""


def with_open_transactions() -> Connections:
    """The connections of the calling thread that are in a transaction."""
    with _sync_code():
        return [connection for connection in connections.all(initialized_only=True) if connection.in_atomic_block]


@contextmanager
def _sync_code() -> Iterator[None]:
    # Beside a running loop Django shows, instead of the thread's connections, those of the asynchronous task.
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)


async def close_others() -> None:
    """Closes what else was opened for thread-sensitive code: nobody ends a request there."""
    await sync_to_async(_close_idle)()


def _close_idle() -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


async def of_the_test() -> Connections:
    """The same for the test that the caller is part of: its thread is that of the event loop, or waits for it."""
    return with_open_transactions() or await sync_to_async(with_open_transactions)()


def lend(owned: Connections) -> Future[None]:
    """Keeps these connections open, and has asgiref's thread use them, until `take_back`; the future tells when."""
    fresh = [connection for connection in owned if not _borrowers[connection]]
    _borrowers.update(owned)
    for connection in fresh:
        connection.inc_thread_sharing()
        # Over the method of the class, in this one object.
        vars(connection)["close_if_unusable_or_obsolete"] = _stay_open
    return _in_thread_of_asgiref(_adopt, fresh)


def take_back(owned: Connections) -> Future[None]:
    """Undoes one `lend`."""
    _borrowers.subtract(owned)
    last = [connection for connection in owned if not _borrowers[connection]]
    for connection in last:
        del _borrowers[connection]
    return _in_thread_of_asgiref(_return, last)


def _in_thread_of_asgiref(function: Callable[[Connections], None], concerned: Connections) -> Future[None]:
    if concerned:
        return SyncToAsync.single_thread_executor.submit(function, concerned)
    nothing_to_do: Future[None] = Future()
    nothing_to_do.set_result(None)
    return nothing_to_do


def _adopt(lent: Connections) -> None:
    own = {connection.alias: connection for connection in connections.all(initialized_only=True)}
    for connection in lent:
        _replaced[connection] = own.get(connection.alias)
        connections[connection.alias] = connection


def _return(lent: Connections) -> None:
    for connection in lent:
        own = _replaced.pop(connection)
        if own is None:
            del connections[connection.alias]
        else:
            connections[connection.alias] = own
        connection.dec_thread_sharing()
        del vars(connection)["close_if_unusable_or_obsolete"]


def _stay_open() -> None:
    pass
