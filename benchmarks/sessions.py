"""What clients of ``graphql-transport-ws`` do, as scripts and groups of clients that several workloads share."""

from __future__ import annotations

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


def connect_all(
    loop: Loop, clients: Iterable[Client], script: Callable[[Client], Script] = acknowledged
) -> list[Client]:
    """Let each client finish the script, a few at a time: they are taken from the iterable, and so connect, in turn."""
    connected: list[Client] = []

    def is_ready() -> bool:
        return not any(client.is_busy for client in connected[-_CONNECTING_AT_ONCE:])

    for count, client in enumerate(clients, start=1):
        client.follow(script(client))
        connected.append(client)
        if count % _CONNECTING_AT_ONCE == 0:
            wait(loop, is_ready, "connecting")
    wait(loop, is_ready, "connecting")
    return connected


def wait(loop: Loop, until: Callable[[], bool], what: str) -> None:
    """Serve the clients until the condition holds; no answer for a minute voids the measurement."""
    if not loop.run(until):
        raise LoadError(f"no end of {what}")


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
