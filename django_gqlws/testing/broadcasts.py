"""Broadcasts from inside a test's transaction, which is never committed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import Atomic, get_connection

logger = logging.getLogger(__name__)

_leave = Atomic.__exit__
_on_commit = BaseDatabaseWrapper.on_commit


@contextmanager
def deliver_broadcasts() -> Iterator[None]:
    """Within this block ``transaction.on_commit`` works in a TestCase (or with ``django_db``) as it does in production.

    Its callbacks, broadcasts among them, run when the outermost ``atomic()`` of the code under test ends, or at once
    outside of any; never after a rollback. What they raise is raised where the transaction ends.
    """
    with (
        patch.object(Atomic, "__exit__", _leave_and_run),
        patch.object(BaseDatabaseWrapper, "on_commit", _on_commit_now),
    ):
        yield


def _leave_and_run(atomic: Atomic, *error: Any) -> None:
    _leave(atomic, *error)
    if not _is_of_test(atomic):
        _run_callbacks(get_connection(atomic.using))


def _on_commit_now(connection: BaseDatabaseWrapper, func: Callable[[], object], robust: bool = False) -> None:
    _on_commit(connection, func, robust)
    _run_callbacks(connection)


def _run_callbacks(connection: Any) -> None:
    if not (connection.atomic_blocks and _is_of_test(connection.atomic_blocks[-1])):
        return  # A transaction of the code under test is open, or none at all.
    while connection.run_on_commit:
        _, callback, is_robust = connection.run_on_commit.pop(0)
        try:
            callback()
        except Exception as error:
            if not is_robust:
                raise
            logger.error("A callback of on_commit failed: %r", error, exc_info=error)


def _is_of_test(atomic: Any) -> bool:
    # How Django itself tells them apart, for `durable`.
    return bool(atomic._from_testcase)
