"""What a server may send, as a table: every frame that a test client receives is held against it."""

from __future__ import annotations

import json
from typing import Any, NoReturn

REQUIRED_KEYS = {
    "connection_ack": {"type"},
    "ping": {"type"},
    "pong": {"type"},
    "next": {"id", "type", "payload"},
    "error": {"id", "type", "payload"},
    "complete": {"id", "type"},
}
"""The messages of a server, and the keys that each must have."""

OPTIONAL_KEYS = {"connection_ack": {"payload"}, "ping": {"payload"}, "pong": {"payload"}}

RESULT_KEYS = {"data", "errors", "extensions"}
ERROR_KEYS = {"message", "locations", "path", "extensions"}


def read_server_message(frame: str | bytes) -> dict[str, Any]:
    """The message in a frame of a server. Raises AssertionError for a frame that no server may send."""
    assert isinstance(frame, str), f"a binary frame: {frame!r}"
    message = json.loads(frame, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
    assert isinstance(message, dict), f"not a JSON object: {frame}"
    kind = message.get("type")
    assert kind in REQUIRED_KEYS, f"not the type of a server's message: {frame}"
    assert message.keys() >= REQUIRED_KEYS[kind], f"keys are missing: {frame}"
    assert message.keys() <= REQUIRED_KEYS[kind] | OPTIONAL_KEYS.get(kind, set()), f"keys too many: {frame}"
    if "id" in message:
        assert isinstance(message["id"], str), f"the id is not text: {frame}"
    if "payload" in message:
        _check_payload(kind, message["payload"], frame)
    return message


def _check_payload(kind: str, payload: Any, frame: str) -> None:
    if kind == "error":
        _check_errors(payload, frame)
        return
    assert isinstance(payload, dict), f"the payload is not an object: {frame}"
    if kind == "next":
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
