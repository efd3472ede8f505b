"""When a client connects again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Connect again after the connection was lost, and subscribe the streams again.

    The delays between attempts double and are spread at random, so that the clients of a server that restarts do not
    come back all at once.
    """

    attempts: int = 5
    """How often in a row it is tried."""
    first_delay: float = 1.0
    """Seconds before the first attempt, at most."""
    longest_delay: float = 30.0
    """Seconds before any attempt, at most."""

    def delays(self) -> Iterator[float]:
        """The seconds to wait before each attempt: between half of what it may be and all of it."""
        for attempt in range(self.attempts):
            longest = min(self.longest_delay, self.first_delay * 2**attempt)
            yield random.uniform(longest / 2, longest)
