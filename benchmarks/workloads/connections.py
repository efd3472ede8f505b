"""Connections that come and go."""

from __future__ import annotations

import itertools
import json

from benchmarks import documents, frames
from benchmarks.bench import Bench
from benchmarks.client import Client, LoadError, Script
from benchmarks.control import Control
from benchmarks.meter import Figures
from benchmarks.sessions import acknowledged, is_answered, opened, query, subscription, verify_answers, wait

_FIELD = "onMessage"
_ROOM = "quiet"
"""Nobody speaks there, so a visitor hears the answer only."""
_WARM_UP = 0.25


def visits(bench: Bench, *, at_once: int) -> Figures:
    """Connect, initialise, subscribe, query, close; a server that speaks no GraphQL: connect and close."""
    done: list[Client] = []
    under_way = 0
    is_going = True
    names = map(str, itertools.count())
    look_in = visit if bench.speaks_graphql else opened

    def come() -> None:
        nonlocal under_way
        client = bench.loop.connect(next(names))
        under_way += 1
        client.follow(come_and_go(client))

    def come_and_go(client: Client) -> Script:
        nonlocal under_way
        yield from look_in(client)
        yield from leave(client)
        under_way -= 1
        done.append(client)
        if is_going:
            come()

    for _ in range(at_once):
        come()
    bench.loop.run_for(bench.seconds * _WARM_UP)
    before, start = len(done), bench.meter.read()
    bench.loop.run_for(bench.seconds)
    figures = bench.meter.since(start, len(done) - before)

    is_going = False
    wait(bench.loop, lambda: under_way == 0, "the last visits")
    if bench.speaks_graphql:
        _verify(bench, done)
    return figures


def visit(client: Client) -> Script:
    """Initialise, subscribe, query, and wait for the answer."""
    yield from acknowledged(client)
    client.send(subscription("s", _FIELD, _ROOM) + query(documents.VALUE)(0))
    while not is_answered(client.messages, f"q{frames.number(0)}"):
        yield


def leave(client: Client) -> Script:
    """Close, and wait until the server has closed, too."""
    client.close()
    while not client.is_closed:
        yield


def _verify(bench: Bench, visitors: list[Client]) -> None:
    for client in visitors:
        verify_visit(client)
    subscribed = Control(bench.loop).subscribed()
    if subscribed != len(visitors):
        raise LoadError(f"{len(visitors)} visitors, {subscribed} subscriptions")


def verify_visit(client: Client) -> None:
    """The query of a visit was answered, and nothing else came."""
    verify_answers([json.loads(message) for message in client.messages[1:]], 1)
