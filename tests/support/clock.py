"""The clock of a test's event loop, put forward: what waits for a time-out has waited long enough.

So the time-out can be one that nothing else reaches, however slow the machine is.
"""

from __future__ import annotations

import asyncio


def pass_time(seconds: float) -> None:
    """From now on it is so many seconds later on the running loop."""
    loop = asyncio.get_running_loop()
    time = loop.time
    loop.time = lambda: time() + seconds  # type: ignore[method-assign]
