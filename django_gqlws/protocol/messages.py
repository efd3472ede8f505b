"""The messages of both dialects: what clients send as frozen events, what servers send as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

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


class Subscribe(NamedTuple):
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


Fields = Mapping[str, Any]


class Rule(NamedTuple):
    """What the value of a field may be."""

    type: type[Any]
    """As JSON is decoded."""
    words: str
    may_be_empty: bool = True
    may_be_missing: bool = False
    """Or null."""
    shape: Mapping[str, Rule] | None = None
    """Of an object: what its fields may be."""


TEXT = Rule(str, "a non-empty string", may_be_empty=False)
STRING = Rule(str, "a string")
STRING_OR_NULL = Rule(str, "a string or null", may_be_missing=True)
OBJECT_OR_NULL = Rule(dict, "an object or null", may_be_missing=True)
GRAPHQL_REQUEST = Rule(
    dict,
    "an object",
    shape={
        "query": STRING,
        "operationName": STRING_OR_NULL,
        "variables": OBJECT_OR_NULL,
        "extensions": OBJECT_OR_NULL,
    },
)


@dataclass(frozen=True, slots=True)
class Form:
    """One type of a client's message: what its fields must be, and the event that it is."""

    shape: Mapping[str, Rule]
    build: Callable[[Fields], ClientMessage | Close]


INIT = Form({"payload": OBJECT_OR_NULL}, lambda message: ConnectionInit(message.get("payload")))
PING = Form({"payload": OBJECT_OR_NULL}, lambda message: Ping(message.get("payload")))
PONG = Form({"payload": OBJECT_OR_NULL}, lambda message: Pong())
SUBSCRIBE = Form({"id": TEXT, "payload": GRAPHQL_REQUEST}, lambda message: Subscribe(message["id"], message["payload"]))
COMPLETE = Form({"id": TEXT}, lambda message: Complete(message["id"]))


def find_fault(shape: Mapping[str, Rule], fields: Fields) -> str | None:
    """What is wrong with the fields of a message, in words, or None."""
    for name, rule in shape.items():
        value: Any = fields.get(name)
        if value is None and rule.may_be_missing:
            continue
        kind = type(value)
        if kind is not rule.type or not (value or rule.may_be_empty):
            return f"'{name}' must be {rule.words}"
        if rule.shape is not None and (fault := find_fault(rule.shape, value)) is not None:
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
