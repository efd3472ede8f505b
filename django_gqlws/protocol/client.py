"""The client's side of the wire, without I/O: what it says in each dialect, and what an answer means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

Message = Mapping[str, Any]


class Kind(Enum):
    """What a message of the server means to a client."""

    ACK = auto()
    """The connection may be used."""
    REFUSED = auto()
    """The connection may not be used."""
    RESULT = auto()
    """One result of an operation; more may follow."""
    ERROR = auto()
    """An operation was refused; nothing more comes of it."""
    COMPLETE = auto()
    """Nothing more comes of an operation."""
    PING = auto()
    """It has to be answered."""
    ALIVE = auto()
    """It says only that the server is there."""
    OTHER = auto()
    """No message of this dialect."""


LAST = {Kind.ERROR, Kind.COMPLETE}
"""After these nothing more comes of an operation."""


@dataclass(frozen=True, slots=True)
class ClientDialect:
    """The names of one subprotocol."""

    subprotocol: str
    start: str
    stop: str
    result: str
    kinds: Mapping[str, Kind]

    def kind(self, message: Message) -> Kind:
        """What a message of the server means."""
        name = message.get("type")
        return self.kinds.get(name, Kind.OTHER) if isinstance(name, str) else Kind.OTHER

    def start_message(
        self, id: str, query: str, variables: Mapping[str, Any] | None = None, operation_name: str | None = None
    ) -> dict[str, Any]:
        """Asks for an operation of any kind."""
        payload = {"query": query, "variables": variables or {}, "operationName": operation_name}
        return {"id": id, "type": self.start, "payload": payload}

    def stop_message(self, id: str) -> dict[str, Any]:
        """Wants nothing more of an operation."""
        return {"id": id, "type": self.stop}


def init_message(payload: Mapping[str, Any] | None) -> dict[str, Any]:
    """The first message of a client."""
    return {"type": "connection_init"} if payload is None else {"type": "connection_init", "payload": payload}


def pong_message(ping: Message) -> dict[str, Any]:
    """The answer to a ping: it has the same payload."""
    return {"type": "pong"} if ping.get("payload") is None else {"type": "pong", "payload": ping["payload"]}


TRANSPORT_WS = ClientDialect(
    subprotocol="graphql-transport-ws",
    start="subscribe",
    stop="complete",
    result="next",
    kinds={
        "connection_ack": Kind.ACK,
        "next": Kind.RESULT,
        "error": Kind.ERROR,
        "complete": Kind.COMPLETE,
        "ping": Kind.PING,
        "pong": Kind.ALIVE,
    },
)

LEGACY = ClientDialect(
    subprotocol="graphql-ws",
    start="start",
    stop="stop",
    result="data",
    kinds={
        "connection_ack": Kind.ACK,
        "connection_error": Kind.REFUSED,
        "data": Kind.RESULT,
        "error": Kind.ERROR,
        "complete": Kind.COMPLETE,
        "ka": Kind.ALIVE,
    },
)

DIALECTS = {dialect.subprotocol: dialect for dialect in (TRANSPORT_WS, LEGACY)}

PASSING_CODES = {1000, 1001, 1005, 1006, 1012, 1013, 1014}
"""Of the codes of RFC 6455: the server or the network went away, and may be back in a moment."""

FINAL_CODES = {4004, 4005, 4400, 4401, 4406, 4409, 4429, 4500}
"""The next connection would end in the same way. 4403 and 4408 are not among them: the reason may pass."""


def is_final(code: int | None) -> bool:
    """Whether it is useless to connect again after a close with this code, as the npm package graphql-ws judges it."""
    if code is None:
        return False
    return code in FINAL_CODES or (1000 <= code < 2000 and code not in PASSING_CODES)
