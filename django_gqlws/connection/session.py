"""What all operations of one connection share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..conf import Settings
from ..deadlines import Deadlines
from ..execution.executor import Executor
from ..protocol.close import Close
from ..tasks import Tasks
from ..turns import Turns
from .outbox import Outbox


class Hooks(Protocol):
    """What an application may have its say in. Each hook may be async or plain."""

    def on_connect(self, payload: Mapping[str, Any]) -> Any: ...
    def on_operation(self, op_id: str, payload: Mapping[str, Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Session:
    """One client, as its operations see it."""

    scope: Any
    settings: Settings
    hooks: Hooks
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
