"""Subscriptions: every way in which one can be declared."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable
from typing import Any

import graphene
from channels_graphql_ws import Subscription
from graphql import GraphQLError

from .diary import diary


class OnMessage(Subscription):
    """The messages of a room: static methods, coroutines."""

    class Arguments:
        room = graphene.String(required=True)

    text = graphene.String()

    @staticmethod
    async def subscribe(root: Any, info: Any, room: str) -> list[str]:
        info.context.subscribed_to = room
        return [room]

    @staticmethod
    async def publish(payload: dict[str, Any], info: Any, room: str) -> "OnMessage | None":
        if gate := payload.get("gate"):
            await diary.wait(gate)
        if payload.get("skip"):
            return None
        if error := payload.get("error"):
            raise ValueError(error)
        assert info.context.subscribed_to == room
        return OnMessage(text=payload["text"])

    @staticmethod
    async def unsubscribed(root: Any, info: Any, room: str) -> None:
        diary.note(f"unsubscribed {info.context.subscribed_to}")


class OnAnything(Subscription):
    """No groups, no arguments, a plain method: the payload is its first argument."""

    text = graphene.String()

    def publish(self: Any, info: Any) -> "OnAnything":
        return OnAnything(text=self)


class OnCall(Subscription):
    """Class methods, plain functions; its groups are a tuple."""

    class Arguments:
        number = graphene.Int(required=True)

    text = graphene.String()

    @classmethod
    def subscribe(cls, root: Any, info: Any, number: int) -> tuple[str, str]:
        return (f"number-{number}", "numbers")

    @classmethod
    def publish(cls, payload: str, info: Any, number: int) -> "OnCall":
        return cls(text=payload)

    @classmethod
    def unsubscribed(cls, root: Any, info: Any, number: int) -> None:
        diary.note(f"hung up {number}")


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    """What applications put around their methods."""

    @functools.wraps(function)
    async def logging(*args: Any, **kwds: Any) -> Any:
        diary.note(f"called {function.__name__}")
        return await function(*args, **kwds)

    return logging


class OnDecorated(Subscription):
    """Plain methods, coroutines, decorated."""

    text = graphene.String()

    @logged
    async def subscribe(self: Any, info: Any) -> None:
        return None

    @logged
    async def publish(self: Any, info: Any) -> "OnDecorated":
        return OnDecorated(text=self)

    @logged
    async def unsubscribed(self: Any, info: Any) -> None:
        return None


class Weather(graphene.ObjectType):
    """A type that more than one field has."""

    degrees = graphene.Int()


class OnWeather(Subscription):
    """Its result is another type."""

    Output = Weather

    @staticmethod
    async def publish(payload: int, info: Any) -> Weather:
        return Weather(degrees=payload)


async def _publish(payload: str, info: Any, suffix: str) -> dict[str, str]:
    return {"text": payload + suffix}


async def _subscribe(root: Any, info: Any, suffix: str) -> list[str]:
    return ["of the meta"]


async def _unsubscribed(root: Any, info: Any, suffix: str) -> None:
    diary.note("unsubscribed by the meta")


class OnMeta(Subscription):
    """Everything is an option of its Meta."""

    text = graphene.String()

    class Meta:
        publish = _publish
        subscribe = _subscribe
        unsubscribed = _unsubscribed
        arguments = {"suffix": graphene.String(required=True)}


class OnPayload(Subscription):
    """Keeps the payload as it arrived, for the test."""

    ok = graphene.Boolean()

    @staticmethod
    async def publish(payload: Any, info: Any) -> "OnPayload":
        diary.note(("payload", payload))
        return OnPayload(ok=True)


class OnLatest(Subscription):
    """Only the newest waits."""

    notification_queue_limit = 1
    text = graphene.String()

    @staticmethod
    async def publish(payload: dict[str, Any], info: Any) -> "OnLatest":
        if gate := payload.get("gate"):
            await diary.wait(gate)
        return OnLatest(text=payload["text"])


class OnGroups(Subscription):
    """Its groups are what the client says."""

    class Arguments:
        groups = graphene.List(graphene.String)
        number = graphene.Int()
        bare = graphene.String()

    text = graphene.String()

    @staticmethod
    async def subscribe(root: Any, info: Any, groups: Any = None, number: Any = None, bare: Any = None) -> Any:
        return bare or groups or ([number] if number is not None else None)

    @staticmethod
    async def publish(payload: str, info: Any, **kwds: Any) -> "OnGroups":
        return OnGroups(text=payload)


class OnSlow(Subscription):
    """Its `subscribe` waits at a gate, and may refuse then."""

    class Arguments:
        key = graphene.String(required=True)
        refuse = graphene.Boolean(default_value=False)

    text = graphene.String()

    @staticmethod
    async def subscribe(root: Any, info: Any, key: str, refuse: bool) -> list[str]:
        await diary.wait(key)
        if refuse:
            raise GraphQLError("not for you")
        return [key]

    @staticmethod
    async def publish(payload: str, info: Any, key: str, refuse: bool) -> "OnSlow":
        return OnSlow(text=payload)

    @staticmethod
    async def unsubscribed(root: Any, info: Any, key: str, refuse: bool) -> None:
        diary.note(f"unsubscribed {key}")


class Subscriptions(graphene.ObjectType):
    on_message = OnMessage.Field()
    on_anything = OnAnything.Field()
    on_call = OnCall.Field()
    on_decorated = OnDecorated.Field()
    on_weather = OnWeather.Field()
    on_meta = OnMeta.Field()
    on_payload = OnPayload.Field()
    on_latest = OnLatest.Field()
    on_groups = OnGroups.Field()
    on_slow = OnSlow.Field()
    renamed = OnAnything.Field(
        name="anythingElse", description="Under another name.", deprecation_reason="Too vague.", required=True
    )
    count = graphene.Int(to=graphene.Int(required=True), fail=graphene.Boolean(default_value=False))
    endless = graphene.Int(description="A native stream that never has an event.")

    @staticmethod
    async def subscribe_count(root: Any, info: Any, to: int, fail: bool) -> AsyncIterator[int]:
        for number in range(1, to + 1):
            yield number
        if fail:
            raise GraphQLError("the source failed")

    @staticmethod
    async def subscribe_endless(root: Any, info: Any) -> AsyncIterator[int]:
        try:
            diary.note("started endless")
            await asyncio.Event().wait()
            yield 0
        finally:
            diary.note("released endless")
