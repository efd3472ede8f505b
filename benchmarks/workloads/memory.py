"""Memory of connections and subscriptions that do nothing."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import process
from benchmarks.audience import Audience
from benchmarks.bench import Bench
from benchmarks.client import Client
from benchmarks.control import Control
from benchmarks.meter import Figures
from benchmarks.sessions import connect_all, opened

_FIELD = "onMessage"
_FAMILIAR = 100
"""Connections that come first, so that caches and pools have grown before the first reading."""


def held(bench: Bench, *, connections: int, deflate: bool = False) -> Figures:
    """KiB that a connection adds to a warm server, and then a subscription on it."""
    if not bench.speaks_graphql:
        connect_all(bench.loop, _come(bench, _FAMILIAR), opened)
        empty = _reading(bench)
        connect_all(bench.loop, _come(bench, connections), opened)
        return {"connection_kib": (_reading(bench) - empty) / connections}

    control = Control(bench.loop)
    Audience(bench.loop, _FIELD, ["room"] * _FAMILIAR, deflate=deflate).subscribe(control)
    empty = _reading(bench)
    audience = Audience(bench.loop, _FIELD, ["room"] * connections, deflate=deflate)
    connected = _reading(bench)
    audience.subscribe(control)
    subscribed = _reading(bench)
    audience.settle(control)
    return {
        "connection_kib": (connected - empty) / connections,
        "subscription_kib": (subscribed - connected) / connections,
    }


def _come(bench: Bench, count: int) -> Iterator[Client]:
    return (bench.loop.connect(str(number)) for number in range(count))


def _reading(bench: Bench) -> int:
    bench.loop.run_until_quiet()
    return sum(map(process.unique_kib, bench.meter.pids))
