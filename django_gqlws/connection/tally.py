"""What became of the notifications of one live subscription."""

from __future__ import annotations

import time
from typing import NamedTuple


class Tally:
    """Counts from the start of a subscription; changed on its event loop alone."""

    __slots__ = ("delivered", "errors", "personal", "since", "told")

    def __init__(self) -> None:
        self.since = time.time()
        """Unix time of its start, in seconds."""
        self.delivered = 0
        """Results that were sent."""
        self.personal = 0
        """Those of them that were executed for this subscription alone."""
        self.errors = 0
        """Those of them with errors."""
        self.told = 0
        """Notifications that were dropped or lost, and of which the client knows."""


class Counts(NamedTuple):
    """A tally as it is at one moment, with what the queue says."""

    delivered: int
    shared: int
    dropped: int
    errors: int
    queued: int
