"""What the receivers of Django signals are told of one connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from django.dispatch import Signal

from ..execution.documents import Operation as Prepared
from ..execution.variables import Variables
from ..signals import announce, connection_closed, connection_opened, subscription_ended, subscription_started
from ..turns import Turns


class Announcer:
    """Announces what happens to a connection, in order; ``sender`` is the class of its consumer."""

    __slots__ = ("_opened_at", "_order", "_scope", "_sender")

    def __init__(self, sender: type, scope: Any) -> None:
        self._sender = sender
        self._scope = scope
        # Made for those who listen: it takes more than all else here.
        self._order: Turns | None = None
        self._opened_at: float | None = None

    def opened(self) -> None:
        """The client was let in."""
        self._opened_at = time.monotonic()
        self._announce(connection_opened)

    def closed(self, code: int) -> None:
        """The client is gone; nothing is announced of one that was not let in."""
        if self._opened_at is not None:
            self._announce(connection_closed, code=code, duration=time.monotonic() - self._opened_at)

    def subscribed(
        self, id: str, prepared: Prepared, variables: Variables, groups: Iterable[object]
    ) -> Callable[[], None] | None:
        """A subscription has started; returns what is to be called at its end, None if nobody wants to know."""
        if not (subscription_started.has_listeners(self._sender) or subscription_ended.has_listeners(self._sender)):
            return None
        facts = {
            "operation_id": id,
            "operation_name": prepared.name,
            "field": prepared.selected.find(variables.fresh()).root[0].nodes[0].name.value,
            "groups": list(dict.fromkeys(map(str, groups))),
        }
        self._announce(subscription_started, **facts)
        started_at = time.monotonic()
        return lambda: self._announce(subscription_ended, **facts, duration=time.monotonic() - started_at)

    def _announce(self, signal: Signal, **facts: Any) -> None:
        if signal.has_listeners(self._sender):
            if self._order is None:
                self._order = Turns(1)
            announce(signal, self._sender, self._order, scope=self._scope, user=self._scope.get("user"), **facts)
