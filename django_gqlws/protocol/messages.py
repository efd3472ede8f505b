"""The messages of ``graphql-transport-ws``: what clients send as frozen events, what servers send as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .codec import encode


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    """The client introduces itself."""

    payload: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Ping:
    """The client asks for a pong with the same payload."""

    payload: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pong:
    """The client answered, or spoke without being asked; both are fine."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """The client asks for an operation: a query, a mutation or a subscription."""

    id: str
    payload: Mapping[str, Any]

    @property
    def query(self) -> str:
        return self.payload["query"]  # type: ignore[no-any-return]

    @property
    def operation_name(self) -> str | None:
        return self.payload.get("operationName")

    @property
    def variables(self) -> dict[str, Any]:
        return self.payload.get("variables") or {}


@dataclass(frozen=True, slots=True)
class Complete:
    """The client wants nothing more of an operation."""

    id: str


ClientMessage = ConnectionInit | Ping | Pong | Subscribe | Complete


# Shapes: what each field of a message must be. A rule returns what is wrong, or None.

Fields = Mapping[str, Any]
Rule = Callable[[Fields, str], str | None]


def _text(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    if isinstance(value, str) and value:
        return None
    return f"'{name}' must be a non-empty string"


def _string(fields: Fields, name: str) -> str | None:
    return None if isinstance(fields.get(name), str) else f"'{name}' must be a string"


def _object(fields: Fields, name: str) -> str | None:
    return None if isinstance(fields.get(name), dict) else f"'{name}' must be an object"


def _object_or_null(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    return None if value is None or isinstance(value, dict) else f"'{name}' must be an object or null"


def _string_or_null(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    return None if value is None or isinstance(value, str) else f"'{name}' must be a string or null"


SHAPES: dict[str, dict[str, Rule]] = {
    "connection_init": {"payload": _object_or_null},
    "ping": {"payload": _object_or_null},
    "pong": {"payload": _object_or_null},
    "subscribe": {"id": _text, "payload": _object},
    "complete": {"id": _text},
}

SUBSCRIBE_PAYLOAD: dict[str, Rule] = {
    "query": _string,
    "operationName": _string_or_null,
    "variables": _object_or_null,
    "extensions": _object_or_null,
}


def _first_fault(shape: Mapping[str, Rule], fields: Fields) -> str | None:
    for name, rule in shape.items():
        if (fault := rule(fields, name)) is not None:
            return fault
    return None


def find_fault(kind: str, message: Fields) -> str | None:
    """What is wrong with a message of this type, in words, or None."""
    fault = _first_fault(SHAPES[kind], message)
    if fault is None and kind == "subscribe":
        fault = _first_fault(SUBSCRIBE_PAYLOAD, message["payload"])
    return None if fault is None else f"{kind}: {fault}"


BUILDERS: dict[str, Callable[[Fields], ClientMessage]] = {
    "connection_init": lambda message: ConnectionInit(message.get("payload")),
    "ping": lambda message: Ping(message.get("payload")),
    "pong": lambda message: Pong(),
    "subscribe": lambda message: Subscribe(message["id"], message["payload"]),
    "complete": lambda message: Complete(message["id"]),
}


# What the server sends. Results arrive encoded, so that one text can serve many receivers.


def connection_ack(payload: str | None = None) -> str:
    """The text of a ``connection_ack``; the payload is JSON text."""
    return _with_payload("connection_ack", payload)


def ping() -> str:
    """The text of a ``ping``."""
    return '{"type":"ping"}'


def pong(payload: Mapping[str, Any] | None) -> str:
    """The text of a ``pong``, with the payload of the ping if it had one."""
    return _with_payload("pong", None if payload is None else encode(payload))


# An operation encodes its id once: `operation_id` is JSON text here.


def next_result(operation_id: str, payload: str) -> str:
    """The text of a ``next``; the payload is JSON text."""
    return f'{{"id":{operation_id},"type":"next","payload":{payload}}}'


def error(operation_id: str, errors: str) -> str:
    """The text of an ``error``; the errors are a JSON array."""
    return f'{{"id":{operation_id},"type":"error","payload":{errors}}}'


def complete(operation_id: str) -> str:
    """The text of a ``complete``."""
    return f'{{"id":{operation_id},"type":"complete"}}'


def _with_payload(kind: str, payload: str | None) -> str:
    return f'{{"type":"{kind}"}}' if payload is None else f'{{"type":"{kind}","payload":{payload}}}'
