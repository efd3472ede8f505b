"""One consumer for each configuration that a test needs; `routing.py` gives each a path of its own."""

from __future__ import annotations

import weakref
from typing import Any

from django.core.exceptions import PermissionDenied
from graphql import GraphQLError, MiddlewareManager
from graphql.pyutils import is_awaitable

from django_gqlws import GraphqlWsConsumer

from .journal import Event, journal
from .schema import schema

REFUSALS: dict[str, type[Exception]] = {
    "GraphQLError": GraphQLError,
    "PermissionDenied": PermissionDenied,
    "ValueError": ValueError,
}


class ProjectConsumer(GraphqlWsConsumer):
    """All defaults."""

    schema = schema


class ConfirmingConsumer(ProjectConsumer):
    """Says when a subscription is active, so that a test knows when to broadcast."""

    confirm_subscriptions = True


class DoormanConsumer(ProjectConsumer):
    """Does what the payload of `connection_init` says: waits at a gate, refuses, answers."""

    async def on_connect(self, payload: Any) -> Any:
        wishes = payload or {}
        if gate := wishes.get("gate"):
            journal.note(Event.STARTED, gate)
            try:
                await journal.reached(Event.OPENED, gate)
            finally:
                journal.note(Event.RELEASED, gate)
        if refusal := wishes.get("refuse"):
            raise REFUSALS[refusal](wishes["reason"])
        return wishes.get("ack")


class BlockingDoormanConsumer(ProjectConsumer):
    """Its plain `on_connect` blocks its thread at a gate and may then refuse."""

    def on_connect(self, payload: Any) -> None:
        journal.note(Event.STARTED, payload["gate"])
        journal.wait(Event.OPENED, payload["gate"])
        if payload.get("refuse"):
            raise PermissionDenied(payload["reason"])


class ImpatientConsumer(DoormanConsumer):
    """Waits for `connection_init` only a moment."""

    connection_init_wait_timeout = 0.3


class NarrowConsumer(ProjectConsumer):
    """Takes small messages and few operations."""

    max_message_bytes = 1024
    max_operations = 3


class FrankConsumer(DoormanConsumer):
    """Tells clients what went wrong inside."""

    mask_errors = False


class DiscreetConsumer(DoormanConsumer):
    """Tells clients nothing about what went wrong inside."""

    mask_errors = True


class EchoingConsumer(ProjectConsumer):
    """Answers a client's `complete` with one."""

    echo_complete = True


class PingingConsumer(ProjectConsumer):
    """Sends pings by itself."""

    send_ping_every = 0.05


class PartnerConsumer(ProjectConsumer):
    """Serves the pages of one other site."""

    allowed_origins = ["https://partner.example"]


class PublicConsumer(ProjectConsumer):
    """Serves the pages of every site."""

    allowed_origins = ["*"]


class MortalConsumer(ProjectConsumer):
    """Notes when it has left the memory."""

    async def on_connect(self, payload: Any) -> None:
        weakref.finalize(self, journal.note, Event.RELEASED, f"{payload['key']} consumer")


class OrderedConsumer(ProjectConsumer):
    """Runs the operations of a connection one after the other."""

    strict_ordering = True


class LegacyConsumer(DoormanConsumer):
    """Speaks the legacy dialect, too."""

    subprotocols = ("graphql-transport-ws", "graphql-ws")


class LegacyOnlyConsumer(DoormanConsumer):
    """Speaks nothing but the legacy dialect."""

    subprotocols = ("graphql-ws",)


class LegacyFrankConsumer(LegacyConsumer):
    """Tells old clients what went wrong inside."""

    mask_errors = False


class LegacyPingingConsumer(LegacyConsumer):
    """Says that it is alive."""

    send_ping_every = 0.05


class LegacyConfirmingConsumer(LegacyConsumer):
    """Says when a subscription is active, in either dialect."""

    confirm_subscriptions = True


class LegacyOrderedConsumer(LegacyConsumer):
    """Runs the operations of an old client one after the other."""

    strict_ordering = True
    connection_init_wait_timeout = 0.3


class HookedConsumer(ProjectConsumer):
    """Has every hook; the payload of `connection_init` names the key of its notes."""

    async def on_connect(self, payload: Any) -> None:
        self.key = payload["key"]

    async def on_operation(self, op_id: str, payload: Any) -> None:
        if "forbidden" in payload["query"]:
            raise GraphQLError("not that one")

    async def get_context(self, op_id: str, payload: Any) -> dict[str, Any]:
        return {"tenant": f"{self.key} {op_id}"}

    async def on_disconnect(self, code: int) -> None:
        journal.note(Event.RELEASED, f"{self.key} {code}")


class PlainlyHookedConsumer(HookedConsumer):
    """The same in plain functions."""

    def on_connect(self, payload: Any) -> None:  # type: ignore[override]
        self.key = payload["key"]

    def on_operation(self, op_id: str, payload: Any) -> None:  # type: ignore[override]
        if "forbidden" in payload["query"]:
            raise GraphQLError("not that one")

    def get_context(self, op_id: str, payload: Any) -> dict[str, Any]:  # type: ignore[override]
        return {"tenant": f"{self.key} {op_id}"}

    def on_disconnect(self, code: int) -> None:  # type: ignore[override]
        journal.note(Event.RELEASED, f"{self.key} {code}")


class ChannelConsumer(ProjectConsumer):
    """Has a channel of its own, and says its name in the ack."""

    own_channel = True

    async def on_connect(self, payload: Any) -> dict[str, str]:
        return {"channel": self.channel_name}

    async def note_received(self, message: dict[str, Any]) -> None:
        journal.note(Event.PUBLISHED, message["key"])


class TalkativeConsumer(ProjectConsumer):
    """Confirms subscriptions in words of its own."""

    confirm_subscriptions = True
    subscription_confirmation_message = {"data": {"ready": True}, "errors": [GraphQLError("hello")]}


class BriefConsumer(ConfirmingConsumer):
    """Keeps two notifications for a subscription that is slow."""

    subscription_notification_queue_limit = 2


async def shout(resolve: Any, root: object, info: Any, **arguments: Any) -> Any:
    value = resolve(root, info, **arguments)
    value = await value if is_awaitable(value) else value
    return value.upper() if isinstance(value, str) else value


async def wrap(resolve: Any, root: object, info: Any, **arguments: Any) -> Any:
    value = resolve(root, info, **arguments)
    value = await value if is_awaitable(value) else value
    return f"<wrapped {value}>" if isinstance(value, str) else value


def mark(resolve: Any, root: object, info: Any, **arguments: Any) -> Any:
    async def mark_later(awaitable: Any) -> Any:
        return marked(await awaitable)

    def marked(value: Any) -> Any:
        return f"{value}!" if isinstance(value, str) else value

    value = resolve(root, info, **arguments)
    return mark_later(value) if is_awaitable(value) else marked(value)


class MiddlewareConsumer(ConfirmingConsumer):
    """A list: the first is the closest to the resolver."""

    middleware = (shout, wrap)


class PlainMiddlewareConsumer(ConfirmingConsumer):
    """A plain function as middleware."""

    middleware = (mark,)


class ManagedMiddlewareConsumer(ConfirmingConsumer):
    """A manager of graphql-core's."""

    middleware = MiddlewareManager(shout, wrap)


class WatchfulConsumer(ProjectConsumer):
    """Warns of operations that take a moment."""

    warn_operation_timeout = 0.05
