"""When a message leaves: at once, or behind the commit of the transaction in which it is sent."""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS, transaction

from ..broker.bus import Message
from ..broker.envelope import Kind
from ..broker.groups import Group
from ..broker.process import current_broker, refuse_running_loop, send_from_thread
from ..signals import announce, broadcast_sent

logger = logging.getLogger(__name__)

# Tasks of sends that nobody awaits. They end with the channel layer's answer.
_unawaited: set[asyncio.Task[None]] = set()


class Order(NamedTuple):
    """A message, and whose it is."""

    subscription: type
    group: Group | None
    message: Message

    def was_sent(self) -> None:
        """The channel layer has it."""
        if self.message.kind is Kind.EVENT:
            group = None if self.group is None else str(self.group)
            announce(broadcast_sent, self.subscription, group=group, size=len(self.message.payload))


async def post(order: Order) -> None:
    """Sends at once; returns when the channel layer has it."""
    await current_broker().bus.post(order.message)
    order.was_sent()


def send(order: Order, on_commit: bool, using: str | None) -> asyncio.Task[None] | None:
    """Sends at once where an event loop runs, and gives a task; elsewhere as `send_sync`."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        send_sync(order, on_commit, using)
        return None
    # Posted here and now: its place in the order is that of the call.
    sent = current_broker().bus.post(order.message)
    # Never awaited and failed: asyncio logs the error of such a task.
    task = loop.create_task(_wait_for(sent, order))
    _unawaited.add(task)
    task.add_done_callback(_unawaited.discard)
    return task


def send_sync(order: Order, on_commit: bool, using: str | None) -> None:
    """Sends behind the commit, if there is a transaction on the database ``using``, else at once."""
    refuse_running_loop()

    def send_now() -> None:
        send_from_thread(order.message)
        order.was_sent()

    def send_late() -> None:
        try:
            send_now()
        except Exception:
            # The request is committed: it must not fail now.
            where = f"{order.subscription.__module__}.{order.subscription.__qualname__}"
            logger.exception("%s: the %s after the commit was not sent.", where, order.message.kind)

    alias = using or DEFAULT_DB_ALIAS
    if on_commit and transaction.get_connection(alias).in_atomic_block:
        transaction.on_commit(send_late, using=alias)
    else:
        send_now()


async def _wait_for(sent: asyncio.Future[None], order: Order) -> None:
    await sent
    order.was_sent()
