"""The server's side of a connection as a state machine: text in, events out, no I/O."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from . import close
from .close import Close
from .codec import decode
from .dialect import Dialect, Fault, Reply, State
from .messages import ClientMessage, Subscribe, find_fault


class ServerProtocol:
    """One connection's state, by the rules of its dialect.

    ``live`` holds the ids of the running operations; its owner adds and removes them.
    Messages over ``max_message_bytes`` (UTF-8) are refused.
    """

    __slots__ = ("_dialect", "_live", "_max_message_bytes", "state")

    def __init__(self, dialect: Dialect, live: Container[str], max_message_bytes: int) -> None:
        self.state = State.CONNECTED
        self._dialect = dialect
        self._live = live
        self._max_message_bytes = max_message_bytes

    def receive_text(self, text: str | None) -> ClientMessage | Reply | Close | None:
        """What a text frame means (None: the frame was binary).

        A `Reply` is to be sent and changes nothing. A `Close` is final: after it nothing means anything.
        """
        if self.state is State.CLOSED:
            return None
        outcome = self._read(text)
        if isinstance(outcome, Close):
            self.state = State.CLOSED
        return outcome

    def acknowledge(self) -> None:
        """The application accepted the client: operations may come. Call it before the ``connection_ack`` is sent."""
        if self.state is State.INITIALISING:
            self.state = State.READY

    def close(self) -> None:
        """The socket is closing, whoever began."""
        self.state = State.CLOSED

    def _read(self, text: str | None) -> ClientMessage | Reply | Close:
        dialect = self._dialect
        if text is None:
            return dialect.refuse(Fault("Binary frames are not part of the protocol"))
        if self._is_too_long(text):
            return close.BAD_REQUEST.because(f"The message is larger than {self._max_message_bytes} bytes")
        try:
            message = decode(text)
        except ValueError:
            return dialect.refuse(Fault("The message is not valid JSON"))
        if not isinstance(message, dict):
            return dialect.refuse(Fault("The message must be a JSON object"))
        kind = message.get("type")
        if not isinstance(kind, str) or (form := dialect.forms.get(kind)) is None:
            return dialect.refuse(Fault(dialect.unknown(kind), _id_of(message)))

        outcome = dialect.transitions.get((self.state, kind), self.state)
        if outcome is close.TOO_MANY_INITS:
            return close.TOO_MANY_INITS
        if (fault := find_fault(form.shape, message)) is not None:
            return dialect.refuse(Fault(f"{kind}: {fault}", _id_of(message)))
        if isinstance(outcome, Close):
            return outcome
        if isinstance(outcome, str):
            return dialect.refuse(Fault(outcome, _id_of(message)))
        event = form.build(message)
        if isinstance(event, Subscribe) and event.id in self._live:
            return dialect.take_over(event)
        self.state = outcome
        return event

    def _is_too_long(self, text: str) -> bool:
        # Counting bytes means encoding: only where the number of characters leaves a doubt.
        limit = self._max_message_bytes
        return len(text) * 4 > limit and (len(text) > limit or len(text.encode("utf-8", "surrogatepass")) > limit)


def _id_of(message: Mapping[str, Any]) -> str | None:
    id = message.get("id")
    return id if isinstance(id, str) else None
