"""When a message leaves: at once, or behind the commit of the transaction in which it is sent."""

from __future__ import annotations

import asyncio
import logging

from django.db import DEFAULT_DB_ALIAS, transaction

from ..broker.bus import Message
from ..broker.process import current_broker, refuse_running_loop, send_from_thread

logger = logging.getLogger(__name__)

# Tasks of sends that nobody awaits. They end with the channel layer's answer.
_unawaited: set[asyncio.Task[None]] = set()


async def post(message: Message) -> None:
    """Sends at once; returns when the channel layer has it."""
    await current_broker().bus.post(message)


def send(message: Message, topic: str, on_commit: bool, using: str | None) -> asyncio.Task[None] | None:
    """Sends at once where an event loop runs, and gives a task; elsewhere as `send_sync`."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        send_sync(message, topic, on_commit, using)
        return None
    # Posted here and now: its place in the order is that of the call.
    sent = current_broker().bus.post(message)
    # Never awaited and failed: asyncio logs the error of such a task.
    task = loop.create_task(_wait_for(sent))
    _unawaited.add(task)
    task.add_done_callback(_unawaited.discard)
    return task


def send_sync(message: Message, topic: str, on_commit: bool, using: str | None) -> None:
    """Sends behind the commit, if there is a transaction on the database ``using``, else at once."""
    refuse_running_loop()

    def send_late() -> None:
        try:
            send_from_thread(message)
        except Exception:
            # The request is committed: it must not fail now.
            logger.exception("%s: the %s after the commit was not sent.", topic, message.kind)

    alias = using or DEFAULT_DB_ALIAS
    if on_commit and transaction.get_connection(alias).in_atomic_block:
        transaction.on_commit(send_late, using=alias)
    else:
        send_from_thread(message)


async def _wait_for(sent: asyncio.Future[None]) -> None:
    # Shielded: who cancels the task does not take back the message.
    await asyncio.shield(sent)
