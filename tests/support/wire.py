"""What a server may send, as a table: every frame that a test client receives is held against it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn


@dataclass(frozen=True)
class Messages:
    """The messages of a server in one dialect: the keys that each must have, and those that it may have."""

    required: dict[str, set[str]]
    optional: dict[str, set[str]]


TRANSPORT_WS = Messages(
    required={
        "connection_ack": {"type"},
        "ping": {"type"},
        "pong": {"type"},
        "next": {"id", "type", "payload"},
        "error": {"id", "type", "payload"},
        "complete": {"id", "type"},
    },
    optional={"connection_ack": {"payload"}, "ping": {"payload"}, "pong": {"payload"}},
)

LEGACY = Messages(
    required={
        "connection_ack": {"type"},
        "connection_error": {"type", "payload"},
        "ka": {"type"},
        "data": {"id", "type", "payload"},
        "error": {"id", "type", "payload"},
        "complete": {"id", "type"},
    },
    optional={"connection_ack": {"payload"}},
)

MESSAGES = {"graphql-transport-ws": TRANSPORT_WS, "graphql-ws": LEGACY}
"""By subprotocol."""

RESULT_KEYS = {"data", "errors", "extensions"}
ERROR_KEYS = {"message", "locations", "path", "extensions"}


def read_server_message(frame: str | bytes, messages: Messages = TRANSPORT_WS) -> dict[str, Any]:
    """The message in a frame of a server. Raises AssertionError for a frame that no server may send."""
    assert isinstance(frame, str), f"a binary frame: {frame!r}"
    message = json.loads(frame, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
    assert isinstance(message, dict), f"not a JSON object: {frame}"
    kind = message.get("type")
    assert kind in messages.required, f"not the type of a server's message: {frame}"
    assert message.keys() >= messages.required[kind], f"keys are missing: {frame}"
    allowed = messages.required[kind] | messages.optional.get(kind, set())
    assert message.keys() <= allowed, f"keys too many: {frame}"
    if "id" in message:
        # The legacy dialect has no other place for what is wrong with a message that names no operation.
        is_nobodys = messages is LEGACY and kind == "error" and message["id"] is None
        assert isinstance(message["id"], str) or is_nobodys, f"the id is not text: {frame}"
    if "payload" in message:
        _check_payload(kind, message["payload"], frame)
    return message


def _check_payload(kind: str, payload: Any, frame: str) -> None:
    if kind == "error" and isinstance(payload, list):
        _check_errors(payload, frame)
        return
    assert isinstance(payload, dict), f"the payload is not an object: {frame}"
    if kind == "error":
        assert payload.keys() == {"errors"}, f"unknown keys in an error: {frame}"
        _check_errors(payload["errors"], frame)
    if kind in ("next", "data"):
        assert "data" in payload, f"a result without data: {frame}"
        assert payload.keys() <= RESULT_KEYS, f"unknown keys in the result: {frame}"
        if "errors" in payload:
            _check_errors(payload["errors"], frame)


def _check_errors(errors: Any, frame: str) -> None:
    assert isinstance(errors, list), f"the errors are not an array: {frame}"
    assert errors, f"an empty array of errors: {frame}"
    for error in errors:
        assert isinstance(error, dict), f"an error that is not an object: {frame}"
        assert isinstance(error.get("message"), str), f"an error without a message: {frame}"
        assert error.keys() <= ERROR_KEYS, f"unknown keys in an error: {frame}"


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    assert len(value) == len(pairs), f"a key occurs twice: {pairs!r:.200}"
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise AssertionError(f"{name} is not strict JSON")
