"""An event loop for a command."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

PATIENCE = 2.0
"""Seconds that cancelled tasks have to end."""


def run(main: Coroutine[Any, Any, None]) -> None:
    """`asyncio.run` for a program that has to end: what does not let itself be cancelled is left behind.

    channels-redis' pub/sub layer may wait for ever when it is cancelled while it connects.
    """
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(main)
    finally:
        loop.set_exception_handler(lambda loop, context: None)
        if tasks := asyncio.all_tasks(loop):
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.wait(tasks, timeout=PATIENCE))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
