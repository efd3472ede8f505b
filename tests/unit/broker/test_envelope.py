"""The message that travels over the channel layer."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from django_gqlws.broker.envelope import Envelope, Kind
from tests.support.tables import situations

ENVELOPE = Envelope(Kind.EVENT, "room", "me", 7, 1.5, b"payload")


@pytest.mark.parametrize("kind", Kind)
def test_there_and_back(kind: Kind) -> None:
    """A message holds plain types only, which any layer can carry."""
    envelope = Envelope(kind, "room", "me", 7, 1.5, b"payload")

    message = msgpack.unpackb(msgpack.packb(envelope.to_message(), strict_types=True))

    assert message["version"] == 1
    assert Envelope.from_message(message) == envelope


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in ENVELOPE.to_message().items() if name != key}


TYPES = {"kind": "str", "group": "str", "sender": "str", "sequence": "int", "sent": "float", "payload": "bytes"}
FOREIGN: dict[str, tuple[dict[str, Any], str]] = {
    "another version": ({**ENVELOPE.to_message(), "version": 2}, "not an envelope of version 1"),
    "no version": (without("version"), "version None"),
    "another type": ({**ENVELOPE.to_message(), "type": "chat.message"}, "type 'chat.message'"),
    "nothing": ({}, "type None"),
    "an unknown kind": ({**ENVELOPE.to_message(), "kind": "dance"}, "'dance' is not a valid Kind"),
    **{
        f"no {key}": (without(key), f"an envelope whose {key} is not of the type {kind}") for key, kind in TYPES.items()
    },
    **{
        f"{key} of another type": (
            {**ENVELOPE.to_message(), key: [1]},
            f"an envelope whose {key} is not of the type {kind}",
        )
        for key, kind in TYPES.items()
    },
    "a payload of text": ({**ENVELOPE.to_message(), "payload": "text"}, "payload is not of the type bytes"),
    "a sequence of text": ({**ENVELOPE.to_message(), "sequence": "1"}, "sequence is not of the type int"),
}


@pytest.mark.parametrize(("message", "reason"), situations(FOREIGN))
def test_a_foreign_message(message: dict[str, Any], reason: str) -> None:
    """It is a ValueError that says what is foreign about it."""
    with pytest.raises(ValueError, match=reason):
        Envelope.from_message(message)
