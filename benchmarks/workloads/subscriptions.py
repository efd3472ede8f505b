"""Subscriptions that come and go."""

from __future__ import annotations

from benchmarks import documents, frames
from benchmarks.audience import Audience
from benchmarks.bench import Bench
from benchmarks.client import Client, LoadError, Script
from benchmarks.control import Control
from benchmarks.meter import Figures
from benchmarks.sessions import connect_all, is_answered, query, subscription, wait

_FIELD = "onMessage"
_WARM_UP = 0.25


def cost(bench: Bench, *, subscribers: int) -> Figures:
    """What the first subscription of each of many fresh connections costs, all of them in one room."""
    control = Control(bench.loop)
    Audience(bench.loop, _FIELD, ["room"] * 10).subscribe(control)
    audience = Audience(bench.loop, _FIELD, ["room"] * subscribers)
    bench.loop.run_until_quiet()

    start = bench.meter.read()
    audience.subscribe(control)
    bench.loop.run_until_quiet()
    figures = bench.meter.since(start, subscribers)

    audience.settle(control)
    audience.verify([0] * subscribers)
    return figures


def churn(bench: Bench, *, sockets: int) -> Figures:
    """Subscribe to a room of one's own, query, and once that is answered complete the subscription: round and round."""
    control = Control(bench.loop)
    clients = connect_all(bench.loop, (bench.loop.connect(str(number)) for number in range(sockets)))
    known = control.subscribed()
    completed = 0
    is_going = True

    def come_and_go(client: Client) -> Script:
        nonlocal completed
        ask, number = query(documents.VALUE), 0
        while is_going:
            op_id = f"s{number}"
            client.send(subscription(op_id, _FIELD, f"room-{client.name}") + ask(number))
            seen = len(client.messages)
            while not is_answered(client.messages[seen:], f"q{frames.number(number)}"):
                yield
            client.send(frames.message(type="complete", id=op_id))
            completed += 1
            number += 1

    for client in clients:
        client.follow(come_and_go(client))
    bench.loop.run_for(bench.seconds * _WARM_UP)
    before, start = completed, bench.meter.read()
    bench.loop.run_for(bench.seconds)
    figures = bench.meter.since(start, completed - before)

    is_going = False
    wait(bench.loop, lambda: not any(client.is_busy for client in clients), "the last rounds")
    bench.loop.run_until_quiet()
    _verify_nothing_is_left(bench, control, clients)
    if control.subscribed() - known != completed:
        raise LoadError(f"{control.subscribed() - known} subscriptions began, {completed} were completed")
    return figures


def _verify_nothing_is_left(bench: Bench, control: Control, clients: list[Client]) -> None:
    """A broadcast to the rooms that everybody has left reaches nobody."""
    before = [len(client.messages) for client in clients]
    for client in clients:
        control.broadcast(_FIELD, f"room-{client.name}", 0)
    bench.loop.run_until_quiet()
    if [len(client.messages) for client in clients] != before:
        raise LoadError("a completed subscription was notified")
    control.verify()
