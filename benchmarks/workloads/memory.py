"""Memory of connections and subscriptions that do nothing."""

from __future__ import annotations

from benchmarks import process
from benchmarks.bench import Bench
from benchmarks.meter import Figures
from benchmarks.sessions import Audience, Control, connect_all, opened

_FIELD = "onMessage"
_FAMILIAR = 100
"""Connections that come first, so that caches and pools have grown before the first reading."""


def held(bench: Bench, *, connections: int) -> Figures:
    """KiB that a connection adds to a warm server, and then a subscription on it."""
    if not bench.speaks_graphql:
        connect_all(bench.loop, map(str, range(_FAMILIAR)), opened)
        empty = _reading(bench)
        connect_all(bench.loop, map(str, range(connections)), opened)
        return {"connection_kib": (_reading(bench) - empty) / connections}

    control = Control(bench.loop)
    Audience(bench.loop, _FIELD, ["room"] * _FAMILIAR).subscribe(control)
    empty = _reading(bench)
    audience = Audience(bench.loop, _FIELD, ["room"] * connections)
    connected = _reading(bench)
    audience.subscribe(control)
    subscribed = _reading(bench)
    audience.settle(control)
    return {
        "connection_kib": (connected - empty) / connections,
        "subscription_kib": (subscribed - connected) / connections,
        "both_kib": (subscribed - empty) / connections,
    }


def _reading(bench: Bench) -> int:
    bench.loop.run_until_quiet()
    return process.unique_kib(bench.meter.pid)
