"""WebSocket frames of a client, as far as a load generator needs them (RFC 6455)."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from typing import Any

SUBPROTOCOL = "graphql-transport-ws"

TEXT = 0x81
DEFLATED_TEXT = 0xC1
CLOSE = 0x88
PING = 0x89
PONG = 0x8A

_MASKED = 0x80
_ZERO_MASK = bytes(4)
"""Masking with zeros leaves the payload as it is, so a frame can be prepared once and patched."""

_END_OF_DEFLATED = b"\x00\x00\xff\xff"
"""What the sender cuts off each compressed message (RFC 7692)."""

_KEY = base64.b64encode(b"one key for all!")
_ACCEPT = base64.b64encode(hashlib.sha1(_KEY + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


def handshake(port: int, path: str, *, deflate: bool = False) -> bytes:
    """The opening request for ``path`` on the loopback interface, with an Origin of the same host.

    ``deflate`` offers compression in the words of today's browsers.
    """
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Origin: http://127.0.0.1:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {_KEY.decode()}",
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}",
        *(["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"] if deflate else []),
    )
    return "\r\n".join((*lines, "", "")).encode()


def is_accepted(head: bytes) -> bool:
    """Whether a response's head completes the handshake with the subprotocol."""
    return head.startswith(b"HTTP/1.1 101 ") and _ACCEPT in head and SUBPROTOCOL.encode() in head


def is_deflated(head: bytes) -> bool:
    """Whether a response's head accepts compression."""
    return b"permessage-deflate" in head


def inflated(payloads: list[bytes]) -> list[bytes]:
    """The messages of a connection with compression; each of them may refer to what came before."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    return [stream.decompress(payload + _END_OF_DEFLATED) for payload in payloads]


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """One final frame from a client."""
    length = len(payload)
    if length < 126:
        return bytes((opcode, _MASKED | length)) + _ZERO_MASK + payload
    return bytes((opcode, _MASKED | 126)) + length.to_bytes(2) + _ZERO_MASK + payload


def message(**fields: Any) -> bytes:
    """The frame of one protocol message."""
    return frame(json.dumps(fields).encode())


def close(code: int = 1000) -> bytes:
    """A close frame."""
    return frame(code.to_bytes(2), CLOSE)


class Template:
    """A frame prepared once, of which only an eight-digit number differs.

    ::

        query = Template(type="subscribe", id=NUMBER, payload={"query": "{ value }"})
        socket.send(query(7))
    """

    __slots__ = ("_parts",)

    NUMBER = "NNNNNNNN"
    """Stands for the number wherever it is to appear in the message, at most twice."""

    def __init__(self, **fields: Any) -> None:
        self._parts = message(**fields).split(self.NUMBER.encode())

    def __call__(self, number: int) -> bytes:
        return (b"%08d" % number).join(self._parts)


def number(text: int) -> str:
    """The text which a template puts in place of ``NUMBER``."""
    return f"{text:08d}"
