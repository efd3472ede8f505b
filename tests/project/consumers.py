"""One consumer for each configuration that a test needs; `routing.py` gives each a path of its own."""

from __future__ import annotations

import weakref
from typing import Any

from django.core.exceptions import PermissionDenied
from graphql import GraphQLError

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
