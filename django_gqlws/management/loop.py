"""An event loop for a command."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from threading import current_thread, main_thread
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

    channels-redis' pub/sub layer may wait for ever when it is cancelled while it connects. Raises KeyboardInterrupt.
    """
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_until_interrupted(main))
    finally:
        loop.set_exception_handler(lambda loop, context: None)
        if tasks := asyncio.all_tasks(loop):
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.wait(tasks, timeout=PATIENCE))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _until_interrupted(main: Coroutine[Any, Any, T]) -> T:
    interrupted = asyncio.Event()
    with _calling_at_interrupt(partial(asyncio.get_running_loop().call_soon_threadsafe, interrupted.set)):
        tasks = asyncio.create_task(main), asyncio.create_task(interrupted.wait())
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    if not tasks[0].done():
        raise KeyboardInterrupt
    return tasks[0].result()


@contextmanager
def _calling_at_interrupt(callback: Callable[[], object]) -> Iterator[None]:
    """Has the first Ctrl-C call this. It would be raised in whatever runs at that moment, as the second one is."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler or current_thread() is not main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        callback()

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
