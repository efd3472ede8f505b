"""Subscriptions: broadcasts to groups, and native async generators."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import graphene
from graphql import GraphQLError

from django_gqlws import Subscription

from .journal import Event, journal


class OnMessage(Subscription):
    """The messages of a group. A payload may ask its `publish` to wait at a gate or to fail."""

    class Arguments:
        group = graphene.String(required=True)
        key = graphene.String(default_value="")

    text = graphene.String()

    @staticmethod
    async def subscribe(root: object, info: Any, group: str, key: str) -> list[str]:
        journal.note(Event.STARTED, key)
        return [group]

    @staticmethod
    async def publish(payload: dict[str, Any], info: Any, group: str, key: str) -> OnMessage | None:
        if payload["gate"]:
            journal.note(Event.STARTED, payload["gate"])
            await journal.reached(Event.OPENED, payload["gate"])
        if payload["error"]:
            raise GraphQLError(payload["error"])
        journal.note(Event.PUBLISHED, key)
        if payload["text"] is None:
            return None
        return OnMessage(text=payload["text"])

    @staticmethod
    async def unsubscribed(root: object, info: Any, group: str, key: str) -> None:
        journal.note(Event.UNSUBSCRIBED, key)


class OnSlowMessage(Subscription):
    """Its `subscribe` waits at a gate: a subscription that is still preparing."""

    class Arguments:
        key = graphene.String(required=True)

    text = graphene.String()

    @staticmethod
    async def subscribe(root: object, info: Any, key: str) -> list[str]:
        journal.note(Event.STARTED, key)
        try:
            await journal.reached(Event.OPENED, key)
        except asyncio.CancelledError:
            journal.note(Event.CANCELLED, key)
            raise
        return [key]

    @staticmethod
    async def publish(payload: str, info: Any, key: str) -> OnSlowMessage:
        return OnSlowMessage(text=payload)

    @staticmethod
    async def unsubscribed(root: object, info: Any, key: str) -> None:
        journal.note(Event.UNSUBSCRIBED, key)


class OnClumsyMessage(Subscription):
    """Its `unsubscribed` raises: a clean-up that fails must not keep the others."""

    class Arguments:
        key = graphene.String(required=True)

    text = graphene.String()

    @staticmethod
    async def subscribe(root: object, info: Any, key: str) -> list[str]:
        journal.note(Event.STARTED, key)
        return [key]

    @staticmethod
    async def publish(payload: str, info: Any, key: str) -> OnClumsyMessage:
        return OnClumsyMessage(text=payload)

    @staticmethod
    async def unsubscribed(root: object, info: Any, key: str) -> None:
        journal.note(Event.UNSUBSCRIBED, key)
        raise RuntimeError("clean-up failed")


class OnRefusedMessage(Subscription):
    """Its `subscribe` refuses with a message for the client."""

    text = graphene.String()

    @staticmethod
    async def subscribe(root: object, info: Any) -> list[str]:
        raise GraphQLError("not for you", extensions={"code": "REFUSED"})

    @staticmethod
    async def publish(payload: str, info: Any) -> OnRefusedMessage:
        return OnRefusedMessage(text=payload)


class OnBrokenMessage(Subscription):
    """Its `subscribe` raises an exception nobody foresaw."""

    text = graphene.String()

    @staticmethod
    async def subscribe(root: object, info: Any) -> list[str]:
        raise ValueError("a secret of the server")

    @staticmethod
    async def publish(payload: str, info: Any) -> OnBrokenMessage:
        return OnBrokenMessage(text=payload)


class OnMisdeclaredMessage(Subscription):
    """Its `subscribe` returns a bare string, which is not a list of groups."""

    text = graphene.String()

    @staticmethod
    async def subscribe(root: object, info: Any) -> str:
        return "a-group"

    @staticmethod
    async def publish(payload: str, info: Any) -> OnMisdeclaredMessage:
        return OnMisdeclaredMessage(text=payload)


@contextmanager
def source_stream(key: str) -> Iterator[None]:
    """Notes that a source stream lives, and that it has been released."""
    journal.note(Event.STARTED, key)
    try:
        yield
    finally:
        journal.note(Event.RELEASED, key)


@contextmanager
def trace(path: Path) -> Iterator[None]:
    """Writes a file when a source stream has been released: it outlives the process."""
    try:
        yield
    finally:
        path.write_text("released")


class Subscriptions(graphene.ObjectType):
    """What the server streams."""

    on_message = OnMessage.Field()
    on_slow_message = OnSlowMessage.Field()
    on_clumsy_message = OnClumsyMessage.Field()
    on_refused_message = OnRefusedMessage.Field()
    on_broken_message = OnBrokenMessage.Field()
    on_misdeclared_message = OnMisdeclaredMessage.Field()

    count_to = graphene.Int(n=graphene.Int(required=True), key=graphene.String(default_value=""))
    count_forever = graphene.Int(key=graphene.String(required=True))
    fails_after = graphene.Int(n=graphene.Int(required=True), key=graphene.String(default_value=""))
    stumbles_at = graphene.Int(n=graphene.Int(required=True), at=graphene.Int(required=True))
    silent = graphene.Int(key=graphene.String(required=True), description="Lives, and never has an event.")
    clumsy = graphene.Int(key=graphene.String(required=True), description="Silent, and raises when it is released.")
    gated = graphene.Int(key=graphene.String(required=True), description="One event, when its gate is opened.")
    leaves_trace = graphene.Int(path=graphene.String(required=True), description="Writes a file when it is released.")
    unavailable = graphene.Int(description="Raises before its first event.")

    @staticmethod
    async def subscribe_count_to(root: object, info: Any, n: int, key: str) -> AsyncIterator[int]:
        with source_stream(key):
            for number in range(1, n + 1):
                yield number

    @staticmethod
    async def subscribe_count_forever(root: object, info: Any, key: str) -> AsyncIterator[int]:
        with source_stream(key):
            number = 0
            while True:
                number += 1
                yield number
                # Without this the stream would never let the loop read the client's `complete`.
                await asyncio.sleep(0)

    @staticmethod
    async def subscribe_fails_after(root: object, info: Any, n: int, key: str) -> AsyncIterator[int]:
        with source_stream(key):
            for number in range(1, n + 1):
                yield number
            raise GraphQLError("the source failed")

    @staticmethod
    async def subscribe_stumbles_at(root: object, info: Any, n: int, at: int) -> AsyncIterator[int]:
        for number in range(1, n + 1):
            yield number

    @staticmethod
    async def resolve_stumbles_at(root: int, info: Any, n: int, at: int) -> int:
        if root == at:
            raise GraphQLError("stumbled")
        return root

    @staticmethod
    async def subscribe_silent(root: object, info: Any, key: str) -> AsyncIterator[int]:
        with source_stream(key):
            await asyncio.Event().wait()
            yield 0

    @staticmethod
    async def subscribe_clumsy(root: object, info: Any, key: str) -> AsyncIterator[int]:
        try:
            with source_stream(key):
                await asyncio.Event().wait()
                yield 0
        finally:
            raise RuntimeError("clean-up failed")

    @staticmethod
    async def subscribe_gated(root: object, info: Any, key: str) -> AsyncIterator[int]:
        with source_stream(key):
            await journal.reached(Event.OPENED, key)
            yield 1

    @staticmethod
    async def subscribe_leaves_trace(root: object, info: Any, path: str) -> AsyncIterator[int]:
        with trace(Path(path)):
            yield 0
            await asyncio.Event().wait()

    @staticmethod
    async def subscribe_unavailable(root: object, info: Any) -> AsyncIterator[int]:
        raise GraphQLError("unavailable")
        yield 0
