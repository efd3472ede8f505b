"""An event loop for a command."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from django.core.management.base import CommandError

from ..broker.process import refuse_running_loop
from ..exceptions import RunningLoopError

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds that cancelled tasks have to end."""


def require_thread() -> None:
    """Raises CommandError where an event loop runs: a command would block it."""
    try:
        refuse_running_loop()
    except RunningLoopError as error:
        raise CommandError(
            "A command blocks, and here an event loop runs: await asyncio.to_thread(call_command, ...)."
        ) from error


def run(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` for a program that has to end: what does not let itself be cancelled is left behind.

    channels-redis' pub/sub layer may wait for ever when it is cancelled while it connects.
    """
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(_report)
    try:
        return loop.run_until_complete(main)
    finally:
        loop.set_exception_handler(lambda loop, context: None)
        if tasks := asyncio.all_tasks(loop):
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.wait(tasks, timeout=PATIENCE))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # Ctrl-C is raised in whatever runs at that moment. It reaches the caller; the task that it has met is no news.
    if not isinstance(context.get("exception"), KeyboardInterrupt):
        loop.default_exception_handler(context)
