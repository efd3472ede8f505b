"""Close codes and reasons, as values."""

from __future__ import annotations

from dataclasses import dataclass, replace

MAX_REASON_BYTES = 123
"""RFC 6455, 5.5: a control frame carries 125 bytes, two of them the code."""


def fit_reason(text: str) -> str:
    """The text, cut to what a close frame can carry and still valid UTF-8."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= MAX_REASON_BYTES:
        return raw.decode()
    return raw[:MAX_REASON_BYTES].decode("utf-8", "ignore")


@dataclass(frozen=True, slots=True)
class Close:
    """The socket must be closed with this code; the reason tells a developer why."""

    code: int
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", fit_reason(self.reason))

    def because(self, reason: str) -> Close:
        """The same code with another reason."""
        return replace(self, reason=reason)


NORMAL = Close(1000, "")
REJECTED = Close(4000, "Forbidden")
BAD_REQUEST = Close(4400, "Bad request")
UNAUTHORIZED = Close(4401, "Unauthorized")
FORBIDDEN = Close(4403, "Forbidden")
SUBPROTOCOL_NOT_ACCEPTABLE = Close(4406, "Subprotocol not acceptable")
INIT_TIMEOUT = Close(4408, "Connection initialisation timeout")
SUBSCRIBER_EXISTS = Close(4409, "Subscriber already exists")
TOO_MANY_INITS = Close(4429, "Too many initialisation requests")
TERMINATED = Close(4499, "Terminated")
INTERNAL_ERROR = Close(4500, "Internal server error")


def subscriber_exists(operation_id: str) -> Close:
    """4409 with the id in its reason, as the reference server words it."""
    return SUBSCRIBER_EXISTS.because(f"Subscriber for {operation_id} already exists")
