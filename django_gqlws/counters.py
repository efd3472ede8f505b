"""What happened in this process, counted in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Totals since the process began. Changed on event loops only; read them from anywhere."""

    sent: int = 0
    """Messages handed to the channel layer."""
    send_failures: int = 0
    """Messages that the channel layer did not take."""
    received: int = 0
    """Messages that came from the channel layer."""
    unreadable: int = 0
    """Messages of a foreign version or shape, and payloads that could not be unpacked."""
    offered: int = 0
    """Messages of the channel layer that reached a subscription, counted for each subscription."""
    spilled: int = 0
    """Those of them that went to the queues of subscriptions because this process is behind with delivering."""
    executed: int = 0
    """Executions of a document for an event."""
    delivered: int = 0
    """Notifications written to a socket."""
    shared: int = 0
    """Those of them whose result was not personal: executed and encoded once for all equal subscriptions."""
    dropped: int = 0
    """Events dropped because the queue of a subscription was full."""
    lost: int = 0
    """Messages that the channel layer lost, by the gaps in their sequence."""
    cut: int = 0
    """Executions for an event, and calls of ``unsubscribed``, that took longer than NOTIFICATION_TIMEOUT."""
    blocked_threads: int = 0
    """Worker threads that are still busy with something that nobody waits for any more. Goes up and down."""
    channel_dropped: int = 0
    """Messages to the own channel of a connection that were dropped because its handlers are too slow."""
    announcements_dropped: int = 0
    """Django signals whose receivers were not called, because they are too slow."""
    receive_failures: int = 0
    """Times that the channel layer failed while this process was listening."""


counters = Counters()
