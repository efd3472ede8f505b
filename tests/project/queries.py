"""Queries: quick, slow, blocking, failing; and the ones that read the journal."""

from __future__ import annotations

import asyncio
from typing import Any

import graphene
from graphene.types.generic import GenericScalar
from graphql import GraphQLError

from .journal import Event, journal

JournalEvent = graphene.Enum.from_enum(Event, name="JournalEvent")


class Query(graphene.ObjectType):
    """What the server is asked."""

    value = graphene.String(description="Answers at once, on the loop.")
    sync_value = graphene.String(description="Answers at once, in a plain function.")
    slow_value = graphene.String(key=graphene.String(required=True), description="Waits on the loop for its gate.")
    blocking_value = graphene.String(key=graphene.String(required=True), description="Blocks its thread at its gate.")
    long_text = graphene.String(length=graphene.Int(required=True))

    echo_text = graphene.String(text=graphene.String())
    echo_int = graphene.Int(number=graphene.Int())
    echo_json = GenericScalar(value=GenericScalar())

    failing = graphene.String(description="Raises an exception nobody foresaw.")
    failing_required = graphene.String(required=True, description="The same, and takes the whole result with it.")
    sync_failing = graphene.String(description="The same in a plain function.")
    refused = graphene.String(description="Raises an error that is meant for the client.")

    of_context = graphene.String(
        name=graphene.String(required=True), description="An attribute of the operation's context."
    )

    count = graphene.Int(
        event=JournalEvent(required=True),
        key=graphene.String(required=True),
        required=True,
        description="How often this has happened so far.",
    )
    reached = graphene.Int(
        event=JournalEvent(required=True),
        key=graphene.String(required=True),
        count=graphene.Int(default_value=1),
        required=True,
        description="Answers as soon as this has happened `count` times.",
    )

    @staticmethod
    async def resolve_value(root: object, info: Any) -> str:
        return "value"

    @staticmethod
    def resolve_sync_value(root: object, info: Any) -> str:
        return "sync value"

    @staticmethod
    async def resolve_slow_value(root: object, info: Any, key: str) -> str:
        journal.note(Event.STARTED, key)
        try:
            await journal.reached(Event.OPENED, key)
        except asyncio.CancelledError:
            journal.note(Event.CANCELLED, key)
            raise
        return key

    @staticmethod
    def resolve_blocking_value(root: object, info: Any, key: str) -> str:
        journal.note(Event.STARTED, key)
        journal.wait(Event.OPENED, key)
        journal.note(Event.EXECUTED, key)
        return key

    @staticmethod
    async def resolve_long_text(root: object, info: Any, length: int) -> str:
        return "x" * length

    @staticmethod
    async def resolve_echo_text(root: object, info: Any, text: str | None = None) -> str | None:
        return text

    @staticmethod
    async def resolve_echo_int(root: object, info: Any, number: int | None = None) -> int | None:
        return number

    @staticmethod
    async def resolve_echo_json(root: object, info: Any, value: object = None) -> object:
        return value

    @staticmethod
    async def resolve_failing(root: object, info: Any) -> str:
        raise ValueError("a secret of the server")

    @staticmethod
    async def resolve_failing_required(root: object, info: Any) -> str:
        raise ValueError("a secret of the server")

    @staticmethod
    def resolve_sync_failing(root: object, info: Any) -> str:
        raise ValueError("a secret of the server")

    @staticmethod
    async def resolve_refused(root: object, info: Any) -> str:
        raise GraphQLError("not for you", extensions={"code": "REFUSED"})

    @staticmethod
    async def resolve_of_context(root: object, info: Any, name: str) -> str:
        return str(getattr(info.context, name))

    @staticmethod
    async def resolve_count(root: object, info: Any, event: Any, key: str) -> int:
        return journal.count(Event(event), key)

    @staticmethod
    async def resolve_reached(root: object, info: Any, event: Any, key: str, count: int) -> int:
        return await journal.reached(Event(event), key, count)
