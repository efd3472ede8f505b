"""The clock of all processes of a host."""

from __future__ import annotations

import time


def now() -> float:
    """Seconds since the host was started, more or less: the same in all its processes, and never set by anybody.

    After a restart it begins anew: a moment in the future was noted before the restart.
    """
    return time.monotonic()
