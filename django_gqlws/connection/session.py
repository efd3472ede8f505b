"""What all operations of one connection share."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..conf import Settings
from ..deadlines import Deadlines
from ..execution.executor import Executor
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
    announcer: Announcer
