"""The one message that travels over the channel layer, versioned: deploys overlap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

VERSION = 1
MESSAGE_TYPE = "gqlws.envelope"

_FIELD_TYPES = {"group": str, "sender": str, "sequence": int, "sent": float, "payload": bytes, "kind": str}


class Kind(StrEnum):
    """What the members of a group are to do."""

    EVENT = "event"
    """Deliver the payload."""
    BATCH = "batch"
    """Deliver each of several values as an event of its own. The payload: what they have in common, and their list."""
    UNSUBSCRIBE = "unsubscribe"
    """End the subscription; the client gets ``complete``."""
    DISCONNECT = "disconnect"
    """Close the socket; the payload is the close code and the reason."""
    CENSUS = "census"
    """Not for subscriptions: say how many there are. The payload names the groups and the channel for the answer."""
    INSTRUCTION = "instruction"
    """Not for subscriptions: what each process is to do with clients that it serves; see `monitoring.instructions`."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message to the members of a group, wherever they are."""

    kind: Kind
    group: str
    """The layer's name of the group."""
    sender: str
    sequence: int
    """Counts what this sender sent to this group: a gap is a lost message."""
    sent: float
    """Unix time of the sender, in seconds."""
    payload: bytes

    def to_message(self) -> dict[str, Any]:
        """The envelope as channel layers take it: plain types only."""
        return {
            "type": MESSAGE_TYPE,
            "version": VERSION,
            "kind": self.kind.value,
            "group": self.group,
            "sender": self.sender,
            "sequence": self.sequence,
            "sent": self.sent,
            "payload": self.payload,
        }

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Envelope:
        """Raises ValueError for a message of another version or shape."""
        if message.get("type") != MESSAGE_TYPE or message.get("version") != VERSION:
            raise ValueError(
                f"not an envelope of version {VERSION}: type {message.get('type')!r},"
                f" version {message.get('version')!r}"
            )
        for name, kind in _FIELD_TYPES.items():
            if not isinstance(message.get(name), kind):
                raise ValueError(f"an envelope whose {name} is not of the type {kind.__name__}")
        return cls(
            Kind(message["kind"]),
            message["group"],
            message["sender"],
            message["sequence"],
            message["sent"],
            message["payload"],
        )
