"""What this project has to reach, as data, and whether a run has reached it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.results import Results
from benchmarks.series import Series

_OURS = "ours"

Measured: TypeAlias = Callable[[Results], Series]


@dataclass(frozen=True, slots=True)
class Target:
    """One figure of a run, and its bound."""

    label: str
    measured: Measured
    bound: float
    unit: str = "x"
    is_least: bool = True
    """Whether the bound is a lower one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target in a run; ``value`` is None when what it needs was not measured."""

    label: str
    bound: float
    unit: str
    is_least: bool
    value: float | None

    @property
    def margin(self) -> float | None:
        """How many times better than the bound; met from 1 on."""
        if not self.value:
            return None
        return self.value / self.bound if self.is_least else self.bound / max(self.value, 1e-9)

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None when it was not measured."""
        if self.value is None:
            return None
        return self.value >= self.bound if self.is_least else self.value <= self.bound


def verdicts(results: Results) -> list[Verdict]:
    """All targets in the order of the list below."""
    return [
        Verdict(target.label, target.bound, target.unit, target.is_least, target.measured(results).median)
        for target in TARGETS
    ]


def compared() -> set[tuple[str, str]]:
    """The workloads and servers, by name, whose figures the targets are about."""
    asked = _Asked()
    for target in TARGETS:
        target.measured(asked)
    return asked.pairs


class _Asked(Results):
    """Knows every figure, and which workloads and servers it was asked for."""

    def __init__(self) -> None:
        super().__init__((), {})
        self.pairs: set[tuple[str, str]] = set()

    def series(self, workload: str, server: str, figure: str) -> Series:
        self.pairs.add((workload, server))
        return Series({0: 1.0})


def _faster(label: str, workload: str, **bounds: float) -> Iterable[Target]:
    """Rates of a workload, times those of other servers; ``graphql_ws=1.3``: at least 1.3 times npm's."""

    def target(server: str, bound: float) -> Target:
        def measured(results: Results) -> Series:
            ours, theirs = (results.series(workload, name, "per_second") for name in (_OURS, server))
            return ours / theirs

        return Target(f"{label}, times {server}", measured, bound)

    return [target(server.replace("_", "-"), bound) for server, bound in bounds.items()]


def _at_most(label: str, measured: Measured, bound: float, unit: str) -> Target:
    return Target(label, measured, bound, unit, is_least=False)


def _figure(workload: str, figure: str, factor: float = 1.0) -> Measured:
    return lambda results: results.series(workload, _OURS, figure).times(factor)


def _above_empty(results: Results) -> Series:
    ours, empty = (results.series("memory", server, "connection_kib") for server in (_OURS, "empty"))
    return ours - empty


def _growth(results: Results, server: str) -> Series:
    many, few = (results.series(workload, server, "cpu_us") for workload in ("fan-out-5000", "fan-out-100"))
    return many / few


def _growth_above_raw(results: Results) -> Series:
    return _growth(results, _OURS) / _growth(results, "raw")


def _redis_growth(workload: str) -> Measured:
    def measured(results: Results) -> Series:
        many, few = (results.series(name, _OURS, "redis_us") for name in (workload, f"{workload}-100"))
        return many / few

    return measured


TARGETS = (
    *_faster("fan-out 1,000, equal documents", "fan-out", peer=50, graphql_ws=1.3, raw=0.8),
    *_faster("fan-out 1,000, shown in the database", "fan-out", unwatched=0.97),
    *_faster("fan-out 1,000, personal results", "personal", peer=12, raw=0.25),
    *_faster("fan-out 1,000, personal results, sync publish", "personal-sync", peer=8),
    *_faster("fan-out 1,000 over Redis, core layer", "redis", peer=50),
    _at_most("over Redis, core layer: Redis' CPU of a delivery", _figure("redis", "redis_us"), 1, "µs"),
    _at_most("over Redis, core layer: the same, times that at 100", _redis_growth("redis"), 1, "x"),
    *_faster("fan-out 1,000 over Redis, pub/sub layer", "pubsub", peer=50),
    _at_most("over Redis, pub/sub layer: Redis' CPU of a delivery", _figure("pubsub", "redis_us"), 1, "µs"),
    _at_most("over Redis, pub/sub layer: the same, times that at 100", _redis_growth("pubsub"), 1, "x"),
    *_faster("fan-out 1,000 on daphne", "daphne", peer=20, raw=0.75),
    _at_most("CPU of a delivery to 5,000, times that to 100, times raw's", _growth_above_raw, 1.15, "x"),
    *_faster("1,000 rooms, Redis pub/sub, two processes", "rooms-pubsub", peer=5, layer=0.7),
    *_faster("1,000 rooms, SqliteChannelLayer, two processes", "rooms-sqlite", peer=10),
    *_faster("queries, 64 in flight", "queries", peer=7, graphql_ws=1, raw=0.4),
    *_faster("queries, 100 sockets", "queries-100", peer=5, graphql_ws=1, raw=0.4),
    *_faster("queries, sync resolver, 64 in flight", "sync-queries", peer=4),
    *_faster("queries, sync resolver, 100 sockets", "sync-queries-100", peer=3),
    *_faster("subscribe, query, complete", "churn", peer=10),
    _at_most("CPU of one subscribe", _figure("subscribe", "cpu_us", 1e-3), 0.15, "ms"),
    *_faster("connect, init, subscribe, query, close", "visits", empty=0.6, peer=5),
    _at_most("memory of a connection, above the empty consumer's", _above_empty, 5, "KiB"),
    _at_most("memory of a subscription", _figure("memory", "subscription_kib"), 8, "KiB"),
)
