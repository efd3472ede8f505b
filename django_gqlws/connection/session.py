"""What all operations of one connection share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..conf import Settings
from ..deadlines import Deadlines
from ..execution.executor import Executor
from ..protocol.close import Close
from ..protocol.dialect import Dialect
from ..tasks import Tasks
from ..turns import Turns
from .announcer import Announcer
from .hooks import Hooks, Prepare
from .outbox import Outbox


class Session(NamedTuple):
    """One client, as its operations see it."""

    scope: Any
    settings: Settings
    dialect: Dialect
    hooks: Hooks
    prepare: Prepare | None
    """What the hooks have to say before each operation."""
    executor: Executor
    masks_errors: bool
    tasks: Tasks
    outbox: Outbox
    turns: Turns
    is_debug: bool
    slow_operations: Deadlines | None
    """WARN_OPERATION_TIMEOUT"""
    slow_notifications: Deadlines | None
    """NOTIFICATION_TIMEOUT"""
    close: Callable[[Close], None]
    """Closes the socket and ends all operations."""
    announcer: Announcer
