"""All workloads, as data: what runs, on which servers, and the rows of the table that its figures fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks import documents
from benchmarks.bench import Bench
from benchmarks.meter import Figures
from benchmarks.workloads import connections, fan_out, memory, queries, subscriptions


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    figure: str
    label: str
    scale: float = 1.0
    digits: int = 0
    more_is_better: bool = True
    above_empty: str = ""
    """A figure of the empty consumer that is subtracted first."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One thing to do to every server."""

    name: str
    run: Callable[[Bench], Figures]
    rows: tuple[Row, ...]
    without: frozenset[str] = frozenset()
    """Servers that would take minutes for it."""
    on_empty: bool = False
    """Whether it makes sense on a server that only takes connections."""
    in_quick: bool = True


def _per_unit(label: str, unit: str) -> tuple[Row, Row]:
    return (
        Row("per_second", f"{label}, {unit}/s"),
        Row("cpu_us", "... server CPU each, µs", digits=1, more_is_better=False),
    )


def _fan_out(field: str, subscribers: int, label: str, **options: object) -> Workload:
    return Workload(
        f"{field}-{subscribers}",
        partial(fan_out.one_room, field=field, subscribers=subscribers),
        _per_unit(f"fan-out, {subscribers:,} subscribers of a room{label}", "deliveries"),
        **options,  # type: ignore[arg-type]
    )


def _queries(name: str, field: str, document: str, sockets: int, each: int, label: str) -> Workload:
    return Workload(
        name,
        partial(queries.in_flight, document=document, field=field, sockets=sockets, each=each),
        _per_unit(label, "queries"),
    )


_ANSWERED_ASYNC = ("value", documents.VALUE)
_ANSWERED_SYNC = ("syncValue", documents.SYNC_VALUE)
_ONE_SOCKET = (1, 64)
_MANY_SOCKETS = (100, 1)

CATALOGUE = (
    _fan_out("onMessage", 1_000, ""),
    _fan_out("onPersonal", 1_000, ", personal results"),
    _fan_out("onPersonalSync", 1_000, ", personal results, sync publish"),
    _fan_out("onMessage", 100, "", in_quick=False),
    _fan_out("onMessage", 5_000, "", in_quick=False, without=frozenset({"peer", "strawberry"})),
    Workload(
        "rooms",
        partial(fan_out.many_rooms, field="onMessage", rooms=1_000),
        _per_unit("1,000 rooms of 1 subscriber", "broadcasts"),
        in_quick=False,
    ),
    _queries("queries", *_ANSWERED_ASYNC, *_ONE_SOCKET, "`{ value }`, 1 socket, 64 in flight"),
    _queries("queries-100", *_ANSWERED_ASYNC, *_MANY_SOCKETS, "`{ value }`, 100 sockets"),
    _queries("sync-queries", *_ANSWERED_SYNC, *_ONE_SOCKET, "`{ value }`, sync resolver, 1 socket, 64 in flight"),
    _queries("sync-queries-100", *_ANSWERED_SYNC, *_MANY_SOCKETS, "`{ value }`, sync resolver, 100 sockets"),
    Workload("churn", partial(subscriptions.churn, sockets=16), _per_unit("subscribe, query, complete", "rounds")),
    Workload(
        "subscribe",
        partial(subscriptions.cost, subscribers=1_000),
        (Row("cpu_us", "CPU of one subscribe, ms", scale=1e-3, digits=3, more_is_better=False),),
    ),
    Workload(
        "visits",
        partial(connections.visits, at_once=16),
        _per_unit("connect, init, subscribe, query, close", "visits"),
        on_empty=True,
    ),
    Workload(
        "memory",
        partial(memory.held, connections=1_000),
        (
            Row("connection_kib", "KiB of a connection", digits=1, more_is_better=False),
            Row("subscription_kib", "KiB of a subscription", digits=1, more_is_better=False),
            Row(
                "both_kib",
                "KiB of a connection with one subscription, above the empty consumer's",
                digits=1,
                more_is_better=False,
                above_empty="connection_kib",
            ),
        ),
        on_empty=True,
    ),
)

WORKLOADS = {workload.name: workload for workload in CATALOGUE}
