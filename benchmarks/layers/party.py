"""One of the processes: it sends, or receives and verifies, or both."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import cycle
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.layers.kinds import make_layer

PATIENCE = 20.0
"""Seconds after which a message counts as lost."""


@dataclass(frozen=True)
class Order:
    """What the process is to do."""

    name: str
    groups: int
    channels: int = 0
    """How many channels of this process are in each group."""
    expects: dict[str, int] = field(default_factory=dict)
    """Of each sender, how many messages each channel is to receive."""
    sends: int = 0
    """To the groups in turn."""
    together: int = 1
    """Sends that are under way at the same time."""
    pause: float = 0.0
    """Seconds between sends."""
    payload: int = 200
    """Bytes."""


@dataclass
class Report:
    """What came of it. All times are those of the host's clock, in seconds."""

    began: float = 0.0
    ended: float = 0.0
    cpu: float = 0.0
    delivered: int = 0
    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def live(kind: str, where: str, order: Order, pipe: Connection) -> None:
    """The whole life of the process."""
    asyncio.run(_live(make_layer(kind, where), order, pipe))


async def _live(layer: Any, order: Order, pipe: Connection) -> None:
    channels = [await layer.new_channel() for _ in range(order.channels)]
    for channel in channels:
        for group in range(order.groups):
            await layer.group_add(f"group-{group}", channel)
    await asyncio.sleep(0.5)  # Redis does not say when it has subscribed.
    pipe.send("ready")
    pipe.recv()
    report = Report(began=time.monotonic())
    cpu = time.process_time()
    await asyncio.gather(_send(layer, order), *(_receive(layer, channel, order, report) for channel in channels))
    report.ended = time.monotonic()
    report.cpu = time.process_time() - cpu
    pipe.send(report)


async def _send(layer: Any, order: Order) -> None:
    numbers = iter(range(order.sends))
    groups = cycle(range(order.groups))
    padding = b"x" * order.payload

    async def send_some() -> None:
        for number in numbers:
            message = {"sender": order.name, "number": number, "sent": time.monotonic(), "padding": padding}
            await layer.group_send(f"group-{next(groups)}", message)
            if order.pause:
                await asyncio.sleep(order.pause)

    await asyncio.gather(*(send_some() for _ in range(order.together)))


async def _receive(layer: Any, channel: str, order: Order, report: Report) -> None:
    received = defaultdict(list)
    for _ in range(sum(order.expects.values())):
        try:
            async with asyncio.timeout(PATIENCE):
                message = await layer.receive(channel)
        except TimeoutError:
            break
        received[message["sender"]].append(message["number"])
        report.latencies.append(time.monotonic() - message["sent"])
    report.delivered += sum(map(len, received.values()))
    for sender, count in order.expects.items():
        numbers = received[sender]
        if sorted(numbers) != list(range(count)):
            report.errors.append(f"{len(set(numbers))} of {count} messages arrived, {len(numbers)} with those twice")
        elif numbers != sorted(numbers):
            report.errors.append("the order was lost")
