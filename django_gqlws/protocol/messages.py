"""The messages of both dialects: what clients send as frozen events, what servers send as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .close import Close
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


@dataclass(frozen=True, slots=True)
class Replace:
    """The client asks for an operation in the place of the one that has its id."""

    request: Subscribe


ClientMessage = ConnectionInit | Ping | Pong | Subscribe | Replace | Complete


# Shapes: what each field of a message must be. A rule returns what is wrong, or None.

Fields = Mapping[str, Any]
Rule = Callable[[Fields, str], str | None]


def text(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    if isinstance(value, str) and value:
        return None
    return f"'{name}' must be a non-empty string"


def string(fields: Fields, name: str) -> str | None:
    return None if isinstance(fields.get(name), str) else f"'{name}' must be a string"


def string_or_null(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    return None if value is None or isinstance(value, str) else f"'{name}' must be a string or null"


def object_or_null(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    return None if value is None or isinstance(value, dict) else f"'{name}' must be an object or null"


def graphql_request(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    return find_fault(REQUEST, value) if isinstance(value, dict) else f"'{name}' must be an object"


REQUEST: dict[str, Rule] = {
    "query": string,
    "operationName": string_or_null,
    "variables": object_or_null,
    "extensions": object_or_null,
}


@dataclass(frozen=True, slots=True)
class Form:
    """One type of a client's message: what its fields must be, and the event that it is."""

    shape: Mapping[str, Rule]
    build: Callable[[Fields], ClientMessage | Close]


INIT = Form({"payload": object_or_null}, lambda message: ConnectionInit(message.get("payload")))
PING = Form({"payload": object_or_null}, lambda message: Ping(message.get("payload")))
PONG = Form({"payload": object_or_null}, lambda message: Pong())
SUBSCRIBE = Form({"id": text, "payload": graphql_request}, lambda message: Subscribe(message["id"], message["payload"]))
COMPLETE = Form({"id": text}, lambda message: Complete(message["id"]))


def find_fault(shape: Mapping[str, Rule], fields: Fields) -> str | None:
    """What is wrong with the fields of a message, in words, or None."""
    for name, rule in shape.items():
        if (fault := rule(fields, name)) is not None:
            return fault
    return None


# What the server sends. Results arrive encoded, so that one text can serve many receivers.


def connection_ack(payload: str | None = None) -> str:
    """The text of a ``connection_ack``; the payload is JSON text."""
    return _with_payload("connection_ack", payload)


def pong(payload: Mapping[str, Any] | None) -> str:
    """The text of a ``pong``, with the payload of the ping if it had one."""
    return _with_payload("pong", None if payload is None else encode(payload))


# An operation encodes its id once: `operation_id` is JSON text here.


def head(operation_id: str, kind: str) -> str:
    """What the messages of this type to an operation begin with; the payload, as JSON text, and ``}`` follow."""
    return f'{{"id":{operation_id},"type":"{kind}","payload":'


def complete(operation_id: str) -> str:
    """The text of a ``complete``."""
    return f'{{"id":{operation_id},"type":"complete"}}'


def _with_payload(kind: str, payload: str | None) -> str:
    return f'{{"type":"{kind}"}}' if payload is None else f'{{"type":"{kind}","payload":{payload}}}'
