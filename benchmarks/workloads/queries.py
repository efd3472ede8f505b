"""Queries over connections that stay."""

from __future__ import annotations

import json

from benchmarks import documents
from benchmarks.bench import Bench
from benchmarks.client import Client, LoadError, Script
from benchmarks.meter import Figures
from benchmarks.sessions import MESSAGES_PER_ANSWER, connect_all, query, verify_answers, wait

_WARM_UP = 0.25


class _Asker:
    """A client that keeps so many queries in flight, until it is told to stop."""

    def __init__(self, client: Client, document: str, in_flight: int) -> None:
        self.client = client
        self.is_going = True
        self.sent = 0
        self._query = query(document)
        self._in_flight = in_flight

    @property
    def answered(self) -> int:
        return (len(self.client.messages) - 1) // MESSAGES_PER_ANSWER

    def ask(self) -> Script:
        while self.is_going or self.answered < self.sent:
            if self.is_going:
                self._send(self.answered + self._in_flight - self.sent)
            yield

    def _send(self, count: int) -> None:
        if count > 0:
            self.client.send(b"".join(map(self._query, range(self.sent, self.sent + count))))
            self.sent += count


def in_flight(bench: Bench, *, document: str, field: str, sockets: int, each: int) -> Figures:
    """Queries on so many sockets, so many of them in flight on each."""
    clients = connect_all(bench.loop, (bench.loop.connect(str(number)) for number in range(sockets)))
    askers = [_Asker(client, document, each) for client in clients]
    for asker in askers:
        asker.client.follow(asker.ask())

    bench.loop.run_for(bench.seconds * _WARM_UP)
    before, start = bench.loop.received, bench.meter.read()
    bench.loop.run_for(bench.seconds)
    figures = bench.meter.since(start, (bench.loop.received - before) // MESSAGES_PER_ANSWER)

    for asker in askers:
        asker.is_going = False
    wait(bench.loop, lambda: all(asker.answered >= asker.sent for asker in askers), "queries")
    bench.loop.run_until_quiet()
    for asker in askers:
        _verify(asker, field)
    return figures


def _verify(asker: _Asker, field: str) -> None:
    answers = [json.loads(message) for message in asker.client.messages[1:]]
    verify_answers(answers, asker.sent)
    for answer in answers:
        if answer["type"] == "next" and answer["payload"] != {"data": {field: documents.ANSWER}}:
            raise LoadError(f"wrong result {answer}")
