"""The consumer; tests derive from it what they need."""

import weakref
from typing import Any

from channels_graphql_ws import GraphqlWsConsumer

from .diary import diary
from .schema import schema


class Consumer(GraphqlWsConsumer):
    """All defaults but the confirmation, without which a test does not know when to broadcast."""

    schema = schema
    confirm_subscriptions = True


class Doorman(Consumer):
    """Its `on_connect` waits at a gate, and may refuse then."""

    async def on_connect(self, payload: Any) -> None:
        diary.note(("connect", payload))
        if not isinstance(payload, dict):
            return
        if gate := payload.get("gate"):
            await diary.wait(gate)
        if reason := payload.get("refuse"):
            raise RuntimeError(reason)


class ImpatientDoorman(Doorman):
    """Waits only a moment for connection_init."""

    connection_init_wait_timeout = 0.3


async def forbid(next_: Any, root: Any, info: Any, **arguments: Any) -> Any:
    """Middleware that lets nobody pass."""
    raise PermissionError("not for you")


class Guarded(Consumer):
    """Has such a guard."""

    middleware = [forbid]


class Mortal(Consumer):
    """Notes when it has left the memory."""

    async def on_connect(self, payload: Any) -> None:
        weakref.finalize(self, diary.note, "a consumer is gone")


class Discreet(Consumer):
    """Tells clients nothing about what went wrong inside; takes few operations and small messages."""

    mask_errors = True
    max_operations = 2
    max_message_bytes = 1000
