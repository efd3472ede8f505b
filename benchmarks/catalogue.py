"""All workloads, as data: what runs, on which servers, and the rows of the tables that its figures fill."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks import documents
from benchmarks.deployment import Deployment
from benchmarks.workload import Row, Workload
from benchmarks.workloads import connections, fan_out, memory, queries, subscriptions

_GRAPHQL = frozenset({"ours", "peer", "strawberry", "ariadne", "graphql-ws", "raw"})
_QUICK_AT_5_000 = frozenset({"ours", "ariadne", "graphql-ws", "raw"})
_WITH_LAYER = frozenset({"ours", "peer", "strawberry"})
_OURS_PEER_RAW = frozenset({"ours", "peer", "raw"})

_CORE = Deployment(layer="redis", processes=2)
_PUBSUB = Deployment(layer="redis-pubsub", processes=2)
_SQLITE = Deployment(layer="sqlite", processes=2)

_CPU = Row("cpu_us", "... server CPU each, µs", digits=1)
_REDIS_CPU = Row("redis_us", "... Redis' CPU each, µs", digits=3)
_WIRE = Row("wire_bytes", "... bytes on the wire each")
_GROWTH = Row("cpu_us", "... server CPU each, times that at 100", digits=2, relative_to="fan-out-100")


def _rate(label: str, unit: str) -> Row:
    return Row("per_second", f"{label}, {unit}/s", more_is_better=True)


def _fan_out(
    name: str,
    section: str,
    label: str,
    *more: Row,
    field: str = "onMessage",
    subscribers: int = 1_000,
    deflate: bool = False,
    servers: frozenset[str] = _GRAPHQL,
    **options: Any,
) -> Workload:
    run = partial(fan_out.one_room, field=field, subscribers=subscribers, deflate=deflate)
    return Workload(name, section, run, (_rate(label, "deliveries"), _CPU, *more), servers, **options)


def _over_redis(name: str, label: str, deployment: Deployment, subscribers: int = 1_000) -> Workload:
    section = "Fan-out over Redis, two server processes"
    return _fan_out(
        *(name, section, label, _REDIS_CPU),
        subscribers=subscribers,
        servers=_WITH_LAYER,
        deployment=deployment,
        in_quick=False,
    )


def _rooms(name: str, label: str, *more: Row, **options: Any) -> Workload:
    run = partial(fan_out.many_rooms, field="onMessage", rooms=1_000)
    rows = (_rate(label, "broadcasts"), _CPU, *more)
    return Workload(name, "1,000 rooms of 1 subscriber", run, rows, in_quick=False, **options)


def _queries(name: str, label: str, field: str, document: str, sockets: int, each: int) -> Workload:
    run = partial(queries.in_flight, document=document, field=field, sockets=sockets, each=each)
    return Workload(name, "Queries", run, (_rate(label, "queries"), _CPU), _GRAPHQL)


def _memory(name: str, label: str, **options: Any) -> Workload:
    run = partial(memory.held, connections=1_000, deflate=bool(label))
    rows = (
        Row("connection_kib", f"KiB of a connection{label}", digits=1),
        Row("connection_kib", "... above the empty consumer's", digits=1, above_empty=True),
        Row("subscription_kib", f"KiB of a subscription{label}", digits=1),
    )
    return Workload(name, "Memory", run, rows, **options)


_EVERYBODY = "Fan-out, 1,000 subscribers of a room"
_SUBSCRIBERS = "Fan-out, more subscribers"
_COMING_AND_GOING = "Subscriptions and visits"

CATALOGUE = (
    _fan_out("fan-out", _EVERYBODY, "equal documents", servers=_GRAPHQL | {"unwatched"}),
    _fan_out("personal", _EVERYBODY, "personal results", field="onPersonal"),
    _fan_out("personal-sync", _EVERYBODY, "personal results, sync publish", field="onPersonalSync"),
    _fan_out(
        "unshared", _EVERYBODY, "`shared = False`", field="onUnshared", servers=frozenset({"ours"}), in_quick=False
    ),
    _fan_out("fan-out-100", _SUBSCRIBERS, "100 subscribers", subscribers=100, in_quick=False),
    _fan_out(
        *("fan-out-5000", _SUBSCRIBERS, "5,000 subscribers", _GROWTH),
        subscribers=5_000,
        servers=_QUICK_AT_5_000,
        in_quick=False,
    ),
    _over_redis("redis-100", "core layer, 100 subscribers", _CORE, 100),
    _over_redis("redis", "core layer, 1,000 subscribers", _CORE),
    _over_redis("pubsub-100", "pub/sub layer, 100 subscribers", _PUBSUB, 100),
    _over_redis("pubsub", "pub/sub layer, 1,000 subscribers", _PUBSUB),
    _fan_out(
        *("daphne", "Fan-out on daphne", "1,000 subscribers"),
        servers=_OURS_PEER_RAW,
        deployment=Deployment(asgi="daphne"),
        in_quick=False,
    ),
    _fan_out(
        *("deflate", "Fan-out with permessage-deflate", "1,000 subscribers", _WIRE),
        deflate=True,
        servers=_OURS_PEER_RAW,
        in_quick=False,
    ),
    _rooms("rooms", "in memory", servers=_GRAPHQL),
    _rooms(
        *("rooms-pubsub", "Redis pub/sub, sender in another process", _REDIS_CPU),
        servers=frozenset({"ours", "peer", "layer"}),
        deployment=_PUBSUB,
    ),
    _rooms(
        *("rooms-sqlite", "SqliteChannelLayer, sender in another process"),
        servers=frozenset({"ours", "peer"}),
        deployment=_SQLITE,
    ),
    _queries("queries", "1 socket, 64 in flight", "value", documents.VALUE, 1, 64),
    _queries("queries-100", "100 sockets", "value", documents.VALUE, 100, 1),
    _queries("sync-queries", "sync resolver, 1 socket, 64 in flight", "syncValue", documents.SYNC_VALUE, 1, 64),
    _queries("sync-queries-100", "sync resolver, 100 sockets", "syncValue", documents.SYNC_VALUE, 100, 1),
    Workload(
        "churn",
        _COMING_AND_GOING,
        partial(subscriptions.churn, sockets=16),
        (_rate("subscribe, query, complete", "rounds"), _CPU),
        _GRAPHQL,
    ),
    Workload(
        "subscribe",
        _COMING_AND_GOING,
        partial(subscriptions.cost, subscribers=1_000),
        (Row("cpu_us", "CPU of one subscribe, ms", scale=1e-3, digits=3),),
        _GRAPHQL,
    ),
    Workload(
        "visits",
        _COMING_AND_GOING,
        partial(connections.visits, at_once=16),
        (_rate("connect, init, subscribe, query, close", "visits"), _CPU),
        _GRAPHQL | {"empty"},
    ),
    _memory("memory", "", servers=_GRAPHQL | {"empty"}),
    _memory("memory-deflate", ", permessage-deflate", servers=_OURS_PEER_RAW, in_quick=False),
)

WORKLOADS = {workload.name: workload for workload in CATALOGUE}
