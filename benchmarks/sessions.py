"""What clients of ``graphql-transport-ws`` do, as scripts and groups of clients that several workloads share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks import documents, frames
from benchmarks.client import Client, LoadError, Loop, Script
from benchmarks.frames import Template

INIT = frames.message(type="connection_init")
MESSAGES_PER_ANSWER = 2
"""A query's ``next`` and ``complete``."""

_CONNECTING_AT_ONCE = 50


def opened(client: Client) -> Script:
    """Wait for the handshake."""
    while not client.is_open:
        yield


def acknowledged(client: Client) -> Script:
    """Wait for the handshake, initialise the connection and wait for the acknowledgement."""
    yield from opened(client)
    client.send(INIT)
    while not client.messages:
        yield


def query(document: str) -> Template:
    """The frame of a query with a numbered id."""
    return Template(type="subscribe", id=f"q{Template.NUMBER}", payload={"query": document})


def subscription(op_id: str, field: str, room: str) -> bytes:
    """The frame that subscribes to a field in a room."""
    payload = {"query": documents.SUBSCRIPTIONS[field], "variables": {"room": room}}
    return frames.message(type="subscribe", id=op_id, payload=payload)


def is_answered(messages: list[bytes], op_id: str) -> bool:
    """Whether the query of this id is complete, told without parsing."""
    wanted = f'"{op_id}"'.encode()
    return any(wanted in message and b'"complete"' in message for message in messages)


def connect_all(loop: Loop, names: Iterable[str], script: Callable[[Client], Script] = acknowledged) -> list[Client]:
    """Connect a client for each name and let each finish the script, a few at a time."""
    clients: list[Client] = []

    def is_ready() -> bool:
        return not any(client.is_busy for client in clients[-_CONNECTING_AT_ONCE:])

    for count, name in enumerate(names, start=1):
        client = loop.connect(name)
        client.follow(script(client))
        clients.append(client)
        if count % _CONNECTING_AT_ONCE == 0:
            wait(loop, is_ready, "connecting")
    wait(loop, is_ready, "connecting")
    return clients


def wait(loop: Loop, until: Callable[[], bool], what: str) -> None:
    """Serve the clients until the condition holds; no answer for a minute voids the measurement."""
    if not loop.run(until):
        raise LoadError(f"no end of {what}")


class Control:
    """The connection that tells a server what to do, and asks it what it has done."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        (self._client,) = connect_all(loop, ["control"])
        self._asked = 0
        self._subscribed = query(documents.SUBSCRIBED)

    @property
    def received(self) -> int:
        """Messages this connection has received."""
        return len(self._client.messages)

    @property
    def is_idle(self) -> bool:
        """Whether everything asked has been answered."""
        return self.received == 1 + MESSAGES_PER_ANSWER * self._asked

    def broadcast(self, field: str, room: str, seq: int) -> None:
        """Have the server broadcast; ``is_idle`` tells when it has handed the message over."""
        variables = {"to": field, "room": room, "seq": seq}
        payload = {"query": documents.SEND, "variables": variables}
        self._client.send(frames.message(type="subscribe", id=f"c{self._asked}", payload=payload))
        self._asked += 1

    def subscribed(self) -> int:
        """How many times a ``subscribe`` has run in the server."""
        wait(self._loop, lambda: self.is_idle, "earlier requests")
        self._client.send(self._subscribed(self._asked))
        self._asked += 1
        wait(self._loop, lambda: self.is_idle, "counting subscriptions")
        answer = json.loads(self._client.messages[-MESSAGES_PER_ANSWER])
        return int(answer["payload"]["data"]["subscribed"])

    def wait_subscribed(self, count: int) -> None:
        """Wait until so many ``subscribe`` calls have run."""
        wait(self._loop, lambda: self.is_idle, "earlier requests")
        for _ in range(1_000):
            if self.subscribed() >= count:
                return
            self._loop.run_for(0.05)
        raise LoadError(f"{self.subscribed()} of {count} subscriptions began")

    def verify(self) -> None:
        """Every request got its result and its ``complete``, without errors."""
        answers = [json.loads(message) for message in self._client.messages[1:]]
        for answer in answers:
            if answer["type"] == "next" and answer["payload"].get("errors"):
                raise LoadError(f"the server answered {answer['payload']['errors']}")
        verify_answers(answers, self._asked)


class Audience:
    """Subscribers of one field, each on a connection of its own."""

    def __init__(self, loop: Loop, field: str, rooms: list[str]) -> None:
        self._field = field
        self._rooms = rooms
        self._loop = loop
        self.clients = connect_all(loop, (str(number) for number in range(len(rooms))))

    def subscribe(self, control: Control) -> None:
        """Subscribe every client to its room, all at once."""
        known = control.subscribed()
        for client, room in zip(self.clients, self._rooms, strict=True):
            client.send(subscription(_op_id(client), self._field, room))
        control.wait_subscribed(known + len(self.clients))

    def settle(self, control: Control) -> None:
        """Broadcast until everybody has heard something: no server says when a subscription is active."""
        for _ in range(5):
            for room in dict.fromkeys(self._rooms):
                control.broadcast(self._field, room, -1)
            if self._loop.run(lambda: all(len(client.messages) > 1 for client in self.clients), patience=30):
                break
        else:
            raise LoadError("some subscribers never hear anything")
        self._loop.run_until_quiet()

    def verify(self, broadcasts: list[int]) -> None:
        """Each subscriber got as many broadcasts as given for it: 0, 1, ... in order, complete, under its own id."""
        for client, expected in zip(self.clients, broadcasts, strict=True):
            messages = [json.loads(message) for message in client.messages[1:]]
            notifications = [message for message in messages if _sequence(message, self._field) != -1]
            if notifications != [self._notification(client, seq) for seq in range(expected)]:
                raise LoadError(_first_difference(client, notifications, expected, self._field))

    def _notification(self, client: Client, seq: int) -> dict[str, Any]:
        message: dict[str, Any] = {"seq": seq, "text": documents.TEXT}
        if self._field in documents.PERSONAL:
            message["reader"] = client.name
        return {"id": _op_id(client), "type": "next", "payload": {"data": {self._field: message}}}


def verify_answers(answers: list[dict[str, Any]], count: int) -> None:
    """Each of ``count`` ids got one ``next`` and then one ``complete``, and nobody got anything else."""
    results: set[str] = set()
    completed: set[str] = set()
    for answer in answers:
        op_id, kind = answer["id"], answer["type"]
        if kind == "next" and op_id not in results:
            results.add(op_id)
        elif kind == "complete" and op_id in results and op_id not in completed:
            completed.add(op_id)
        else:
            raise LoadError(f"unexpected {answer}")
    if not len(results) == len(completed) == count:
        raise LoadError(f"{len(results)} results and {len(completed)} completes for {count} requests")


def _op_id(client: Client) -> str:
    return f"s{client.name}"


def _sequence(message: dict[str, Any], field: str) -> Any:
    try:
        return message["payload"]["data"][field]["seq"]
    except (KeyError, TypeError):
        return None


def _first_difference(client: Client, notifications: list[dict[str, Any]], expected: int, field: str) -> str:
    sequence = [_sequence(message, field) for message in notifications]
    if sequence == list(range(expected)):
        return f"subscriber {client.name} got a wrong message, of which this is the first: {notifications[0]}"
    wrong = next((i for i, seq in enumerate(sequence) if seq != i), len(sequence))
    return f"subscriber {client.name} got {len(sequence)} of {expected}; at {wrong}: {notifications[wrong : wrong + 2]}"
