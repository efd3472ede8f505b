"""The server's side of ``graphql-transport-ws`` as a state machine: text in, events out, no I/O."""

from __future__ import annotations

from collections.abc import Container
from enum import IntEnum, auto

from . import close
from .close import Close
from .codec import decode
from .messages import BUILDERS, SHAPES, ClientMessage, Subscribe, find_fault

SUBPROTOCOL = "graphql-transport-ws"


class State(IntEnum):
    """How far a connection has come."""

    CONNECTED = auto()
    """Nothing arrived that counts; the init timeout runs."""
    INITIALISING = auto()
    """``connection_init`` is here, the application is deciding."""
    READY = auto()
    """Acknowledged: operations may run."""
    CLOSED = auto()
    """Nothing is accepted any more."""


TRANSITIONS: dict[tuple[State, str], State | Close] = {
    (State.CONNECTED, "connection_init"): State.INITIALISING,
    (State.INITIALISING, "connection_init"): close.TOO_MANY_INITS,
    (State.READY, "connection_init"): close.TOO_MANY_INITS,
    (State.CONNECTED, "subscribe"): close.UNAUTHORIZED,
    (State.INITIALISING, "subscribe"): close.UNAUTHORIZED,
}
"""Where a message leads. What is not in the table leaves the state as it is."""


class ServerProtocol:
    """One connection's state.

    ``live`` holds the ids of the running operations; its owner adds and removes them.
    Messages over ``max_message_bytes`` (UTF-8) are refused.
    """

    __slots__ = ("_live", "_max_message_bytes", "state")

    def __init__(self, live: Container[str], max_message_bytes: int) -> None:
        self.state = State.CONNECTED
        self._live = live
        self._max_message_bytes = max_message_bytes

    def receive_text(self, text: str | None) -> ClientMessage | Close | None:
        """What a text frame means (None: the frame was binary). A `Close` is final: after it nothing means anything."""
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

    def _read(self, text: str | None) -> ClientMessage | Close:
        if text is None:
            return close.BAD_REQUEST.because("Binary frames are not part of the protocol")
        if self._is_too_long(text):
            return close.BAD_REQUEST.because(f"The message is larger than {self._max_message_bytes} bytes")
        try:
            message = decode(text)
        except ValueError:
            return close.BAD_REQUEST.because("The message is not valid JSON")
        if not isinstance(message, dict):
            return close.BAD_REQUEST.because("The message must be a JSON object")
        kind = message.get("type")
        if not isinstance(kind, str) or kind not in SHAPES:
            return close.BAD_REQUEST.because("Unknown message type, or none")

        outcome = TRANSITIONS.get((self.state, kind), self.state)
        if outcome is close.TOO_MANY_INITS:
            return close.TOO_MANY_INITS
        if (fault := find_fault(kind, message)) is not None:
            return close.BAD_REQUEST.because(fault)
        if isinstance(outcome, Close):
            return outcome
        event = BUILDERS[kind](message)
        if isinstance(event, Subscribe) and event.id in self._live:
            return close.subscriber_exists(event.id)
        self.state = outcome
        return event

    def _is_too_long(self, text: str) -> bool:
        # Counting bytes means encoding: only where the number of characters leaves a doubt.
        limit = self._max_message_bytes
        return len(text) * 4 > limit and (len(text) > limit or len(text.encode("utf-8", "surrogatepass")) > limit)
