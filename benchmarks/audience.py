"""Subscribers, and whether they got what they should have got."""

from __future__ import annotations

import json
from typing import Any

from benchmarks import documents
from benchmarks.client import Client, LoadError, Loop
from benchmarks.control import Control
from benchmarks.sessions import connect_all, subscription

_MOST_CALLS = 12
_CALL_EVERY = 10.0
"""Seconds."""


class Audience:
    """Subscribers of one field, each on a connection of its own."""

    def __init__(self, loop: Loop, field: str, rooms: list[str], *, processes: int = 1, deflate: bool = False) -> None:
        """A subscriber for each of ``rooms``, on the first so many processes of the server in turn."""
        self.rooms = rooms
        self._field = field
        self._loop = loop
        self.clients = connect_all(
            loop,
            (loop.connect(str(number), process=number % processes, deflate=deflate) for number in range(len(rooms))),
        )

    def subscribe(self, control: Control) -> None:
        """Subscribe every client to its room, all at once."""
        known = control.subscribed()
        for client, room in zip(self.clients, self.rooms, strict=True):
            client.send(subscription(_op_id(client), self._field, room))
        control.wait_subscribed(known + len(self.clients))

    def settle(self, control: Control) -> None:
        """Broadcast until everybody has heard something: no server says when a subscription is active."""
        for _ in range(_MOST_CALLS):
            for room in dict.fromkeys(self.rooms):
                control.broadcast(self._field, room, -1)
            if self._loop.run(lambda: all(len(client.messages) > 1 for client in self.clients), patience=_CALL_EVERY):
                break
        else:
            raise LoadError("some subscribers never hear anything")
        self._loop.run_until_quiet()

    @property
    def heard(self) -> int:
        """Messages that have come and are not forgotten."""
        return sum(len(client.messages) for client in self.clients)

    def forget(self) -> None:
        """Forget what has come."""
        for client in self.clients:
            client.messages.clear()

    def verify(self, broadcasts: list[int]) -> None:
        """Each subscriber got as many broadcasts as given for it: 0, 1, ... in order, complete, under its own id."""
        for client, expected in zip(self.clients, broadcasts, strict=True):
            messages = [json.loads(message) for message in client.texts[1:]]
            notifications = [message for message in messages if _sequence(message, self._field) != -1]
            self._compare(client, notifications, range(expected))

    def verify_and_forget(self, broadcasts: range) -> None:
        """Since it last forgot, each subscriber got exactly these."""
        for client in self.clients:
            self._compare(client, [json.loads(message) for message in client.messages], broadcasts)
        self.forget()

    def _compare(self, client: Client, notifications: list[dict[str, Any]], expected: range) -> None:
        if notifications != [self._notification(client, seq) for seq in expected]:
            raise LoadError(_first_difference(client, notifications, expected, self._field))

    def _notification(self, client: Client, seq: int) -> dict[str, Any]:
        message: dict[str, Any] = {"seq": seq, "text": documents.TEXT}
        if self._field in documents.PERSONAL:
            message["reader"] = client.name
        return {"id": _op_id(client), "type": "next", "payload": {"data": {self._field: message}}}


def _op_id(client: Client) -> str:
    return f"s{client.name}"


def _sequence(message: dict[str, Any], field: str) -> Any:
    try:
        return message["payload"]["data"][field]["seq"]
    except (KeyError, TypeError):
        return None


def _first_difference(client: Client, notifications: list[dict[str, Any]], expected: range, field: str) -> str:
    sequence = [_sequence(message, field) for message in notifications]
    if sequence == list(expected):
        return f"subscriber {client.name} got a wrong message, of which this is the first: {notifications[0]}"
    pairs = zip(sequence, expected, strict=False)
    wrong = next((index for index, (seq, due) in enumerate(pairs) if seq != due), min(len(sequence), len(expected)))
    found = f"got {len(sequence)} of {len(expected)}; at {wrong}: {notifications[wrong : wrong + 2]}"
    return f"subscriber {client.name} {found}"
