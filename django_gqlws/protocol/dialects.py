"""The two dialects, side by side: ``graphql-transport-ws``, and ``graphql-ws``, the legacy one.

``docs/protocols.md`` has their differences in words.
"""

from __future__ import annotations

from collections.abc import Collection

from . import close
from .codec import encode
from .dialect import Dialect, Fault, Rejection, Reply, State
from .messages import COMPLETE, INIT, PING, PONG, SUBSCRIBE, Form, Replace, complete, head

# graphql-transport-ws


def _error(operation_id: str, errors: str) -> tuple[str, ...]:
    return (head(operation_id, "error") + errors + "}",)


TRANSPORT_WS = Dialect(
    subprotocol="graphql-transport-ws",
    forms={
        "connection_init": INIT,
        "ping": PING,
        "pong": PONG,
        "subscribe": SUBSCRIBE,
        "complete": COMPLETE,
    },
    transitions={
        (State.CONNECTED, "connection_init"): State.INITIALISING,
        (State.INITIALISING, "connection_init"): close.TOO_MANY_INITS,
        (State.READY, "connection_init"): close.TOO_MANY_INITS,
        (State.CONNECTED, "subscribe"): close.UNAUTHORIZED,
        (State.INITIALISING, "subscribe"): close.UNAUTHORIZED,
    },
    unknown=lambda kind: "Unknown message type, or none",
    refuse=lambda fault: close.BAD_REQUEST.because(fault.reason),
    take_over=lambda request: close.subscriber_exists(request.id),
    has_init_timeout=True,
    result="next",
    fail=_error,
    decline=_error,
    reject=lambda error, reason: Rejection((), close.FORBIDDEN.because(reason)),
    keep_alive='{"type":"ping"}',
    begins_with_keep_alive=False,
    echoes_complete=False,
)


# graphql-ws. Its clients send `start` right behind `connection_init`, without waiting for the ack.


def _legacy_unknown(kind: object) -> str:
    return f"Wrong message type '{kind.upper()}'!" if isinstance(kind, str) else "The message has no type"


def _legacy_refuse(fault: Fault) -> Reply:
    error = {"message": f"Exception: {fault.reason}", "extensions": {"code": "Exception"}}
    return Reply(*_legacy_error(encode(fault.id), encode([error])))


def _legacy_error(operation_id: str, errors: str) -> tuple[str, ...]:
    return (f'{head(operation_id, "error")}{{"errors":{errors}}}}}',)


def _legacy_fail(operation_id: str, errors: str) -> tuple[str, ...]:
    return f'{head(operation_id, "data")}{{"data":null,"errors":{errors}}}}}', complete(operation_id)


def _legacy_reject(error: str, reason: str) -> Rejection:
    return Rejection((f'{{"type":"connection_error","payload":{error}}}',), close.REJECTED.because(reason))


_AGAIN = "There was a connection_init before"

LEGACY = Dialect(
    subprotocol="graphql-ws",
    forms={
        "connection_init": INIT,
        "start": SUBSCRIBE,
        "stop": COMPLETE,
        "connection_terminate": Form({}, lambda message: close.NORMAL),
    },
    transitions={
        (State.CONNECTED, "connection_init"): State.INITIALISING,
        (State.INITIALISING, "connection_init"): _AGAIN,
        (State.READY, "connection_init"): _AGAIN,
        (State.CONNECTED, "start"): "A connection_init must come first",
    },
    unknown=_legacy_unknown,
    refuse=_legacy_refuse,
    take_over=Replace,
    has_init_timeout=False,
    result="data",
    fail=_legacy_fail,
    decline=_legacy_error,
    reject=_legacy_reject,
    keep_alive='{"type":"ka"}',
    begins_with_keep_alive=True,
    echoes_complete=True,
)


DIALECTS = (TRANSPORT_WS, LEGACY)
"""The best one first."""


def choose(offered: Collection[str], enabled: Collection[str]) -> Dialect | None:
    """The best dialect that is offered and enabled, in whatever order they are named."""
    for dialect in DIALECTS:
        if dialect.subprotocol in offered and dialect.subprotocol in enabled:
            return dialect
    return None
