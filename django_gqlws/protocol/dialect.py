"""What the dialects of GraphQL over WebSocket differ in, as values: the state machine and the connection ask these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, auto

from .close import Close
from .messages import Form, Replace, Subscribe


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


@dataclass(frozen=True, slots=True)
class Fault:
    """A message that breaks a rule."""

    reason: str
    id: str | None = None
    """The operation that it names."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a message that came to nothing."""

    text: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """The application does not let a client in."""

    frames: tuple[str, ...]
    close: Close


@dataclass(frozen=True, slots=True)
class Dialect:
    """One subprotocol: the names of its messages, its rules as tables, and what it says when.

    Ids, payloads and errors are JSON text in what follows.
    """

    subprotocol: str

    # What a client may say

    forms: Mapping[str, Form]
    """Its messages, by their type."""
    transitions: Mapping[tuple[State, str], State | Close | str]
    """Where a message leads: to a state, a close, or a fault in words. What is not here leaves the state as it is."""
    unknown: Callable[[object], str]
    """What is wrong with a message of this type, which is not in ``forms``."""
    refuse: Callable[[Fault], Reply | Close]
    """What a message leads to that breaks a rule."""
    take_over: Callable[[Subscribe], Replace | Close]
    """What becomes of a request whose id is in use."""
    has_init_timeout: bool
    """Whether a client has to say ``connection_init`` in time."""

    # What the server says

    result: str
    """The type of a result."""
    fail: Callable[[str, str], tuple[str, ...]]
    """The last frames of an operation that GraphQL could not run, or could not go on with: by its id and the errors."""
    decline: Callable[[str, str], tuple[str, ...]]
    """The same for an operation that the application did not let run."""
    reject: Callable[[str, str], Rejection]
    """What a client gets that is not let in: by an error, and a reason in words."""
    keep_alive: str
    """The frame that the server sends in intervals."""
    begins_with_keep_alive: bool
    """Whether the first one comes right behind the ack."""
    echoes_complete: bool
    """Whether the server answers a client who wants nothing more of an operation."""
