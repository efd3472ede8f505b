"""Mutations: they note that they were executed, open gates, and broadcast."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import graphene
from channels.layers import get_channel_layer

from .journal import Event, journal
from .subscriptions import OnMessage


class Mutation(graphene.ObjectType):
    """What the server is told to do."""

    record = graphene.Int(key=graphene.String(required=True), description="Notes that it was executed.")
    sync_record = graphene.Int(key=graphene.String(required=True), description="The same in a plain function.")
    slow_record = graphene.Int(key=graphene.String(required=True), description="The same, behind a gate.")
    open_gate = graphene.Int(key=graphene.String(required=True), description="Lets go what waits at this gate.")
    broadcast = graphene.Boolean(
        group=graphene.String(required=True),
        text=graphene.String(),
        error=graphene.String(description="What the `publish` of this broadcast raises."),
        gate=graphene.String(description="Where the `publish` of this broadcast waits."),
    )
    broadcast_numbers = graphene.Boolean(
        group=graphene.String(required=True),
        n=graphene.Int(required=True),
        description="Broadcasts the texts 1 to n, one after the other.",
    )
    unsubscribe = graphene.Boolean(group=graphene.String(required=True), description="Ends a group's subscriptions.")
    send_to_channel = graphene.Boolean(
        name=graphene.String(required=True),
        key=graphene.String(required=True),
        description="Sends a message over the channel layer that notes a key where it is handled.",
    )
    collect_garbage = graphene.Int(description="Runs the garbage collector of the server's process.")

    @staticmethod
    async def resolve_record(root: object, info: Any, key: str) -> int:
        return journal.note(Event.EXECUTED, key)

    @staticmethod
    def resolve_sync_record(root: object, info: Any, key: str) -> int:
        return journal.note(Event.EXECUTED, key)

    @staticmethod
    async def resolve_slow_record(root: object, info: Any, key: str) -> int:
        journal.note(Event.STARTED, key)
        try:
            await journal.reached(Event.OPENED, key)
        except asyncio.CancelledError:
            journal.note(Event.CANCELLED, key)
            raise
        return journal.note(Event.EXECUTED, key)

    @staticmethod
    async def resolve_open_gate(root: object, info: Any, key: str) -> int:
        return journal.note(Event.OPENED, key)

    @staticmethod
    async def resolve_broadcast(
        root: object,
        info: Any,
        group: str,
        text: str | None = None,
        error: str | None = None,
        gate: str | None = None,
    ) -> bool:
        await OnMessage.broadcast_async(group=group, payload={"text": text, "error": error, "gate": gate})
        return True

    @staticmethod
    async def resolve_broadcast_numbers(root: object, info: Any, group: str, n: int) -> bool:
        for number in range(1, n + 1):
            payload = {"text": str(number), "error": None, "gate": None}
            await OnMessage.broadcast_async(group=group, payload=payload)
        return True

    @staticmethod
    async def resolve_unsubscribe(root: object, info: Any, group: str) -> bool:
        await OnMessage.unsubscribe_async(group=group)
        return True

    @staticmethod
    async def resolve_send_to_channel(root: object, info: Any, name: str, key: str) -> bool:
        layer = get_channel_layer()
        assert layer is not None
        await layer.send(name, {"type": "note.received", "key": key})
        return True

    @staticmethod
    async def resolve_collect_garbage(root: object, info: Any) -> int:
        return gc.collect()
