"""What tells a server what to do, and asks it what it has done."""

from __future__ import annotations

import json

from benchmarks import documents, frames
from benchmarks.client import LoadError, Loop
from benchmarks.sessions import MESSAGES_PER_ANSWER, connect_all, verify_answers, wait


class Control:
    """A connection to each process of a server; broadcasts are sent by the last one."""

    def __init__(self, loop: Loop) -> None:
        self._lines = [_Line(loop, number) for number in range(len(loop.ports))]
        self._loop = loop

    @property
    def received(self) -> int:
        """Messages these connections have received."""
        return sum(line.received for line in self._lines)

    @property
    def is_idle(self) -> bool:
        """Whether everything asked has been answered."""
        return all(line.is_idle for line in self._lines)

    def broadcast(self, field: str, room: str, seq: int) -> None:
        """Have the server broadcast; ``is_idle`` tells when it has handed the message over."""
        variables = {"to": field, "room": room, "seq": seq}
        self._lines[-1].ask({"query": documents.SEND, "variables": variables})

    def subscribed(self) -> int:
        """How many times a ``subscribe`` has run in the server."""
        return sum(line.subscribed() for line in self._lines)

    def wait_subscribed(self, count: int) -> None:
        """Wait until so many ``subscribe`` calls have run."""
        for _ in range(1_000):
            if self.subscribed() >= count:
                return
            self._loop.run_for(0.05)
        raise LoadError(f"{self.subscribed()} of {count} subscriptions began")

    def verify(self) -> None:
        """Every request got its result and its ``complete``, without errors."""
        for line in self._lines:
            line.verify()


class _Line:
    """The connection to one process."""

    def __init__(self, loop: Loop, process: int) -> None:
        self._loop = loop
        (self._client,) = connect_all(loop, [loop.connect("control", process=process)])
        self._asked = 0

    @property
    def received(self) -> int:
        return len(self._client.messages)

    @property
    def is_idle(self) -> bool:
        return self.received == 1 + MESSAGES_PER_ANSWER * self._asked

    def ask(self, payload: dict[str, object]) -> None:
        self._client.send(frames.message(type="subscribe", id=f"c{self._asked}", payload=payload))
        self._asked += 1

    def subscribed(self) -> int:
        wait(self._loop, lambda: self.is_idle, "earlier requests")
        self.ask({"query": documents.SUBSCRIBED})
        wait(self._loop, lambda: self.is_idle, "counting subscriptions")
        answer = json.loads(self._client.messages[-MESSAGES_PER_ANSWER])
        return int(answer["payload"]["data"]["subscribed"])

    def verify(self) -> None:
        answers = [json.loads(message) for message in self._client.messages[1:]]
        for answer in answers:
            if answer["type"] == "next" and answer["payload"].get("errors"):
                raise LoadError(f"the server answered {answer['payload']['errors']}")
        verify_answers(answers, self._asked)
