"""A subscription whose `publish` a test writes, a consumer that serves it, and a look at the counters.

OnEvent = declare(publish)
consumer = serve(OnEvent)
ann = await subscribed(consumer, user="ann")
await OnEvent.broadcast(group="room", payload="hello")
assert await texts(ann, 1) == ["hello"]
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import Any

import graphene
from graphene.types.generic import GenericScalar

from django_gqlws import GraphqlWsConsumer, Subscription
from django_gqlws.counters import counters
from tests.support.notes import Notes
from tests.support.peers import Peer

ON_EVENT = "subscription ($given: GenericScalar) { onEvent(given: $given) { text } }"


class Arguments:
    """The arguments of `onEvent`: the group to listen to, and whatever a test wants to give."""

    room = graphene.String(default_value="room")
    given = GenericScalar()


async def join_room(root: object, info: Any, room: str, **_: Any) -> list[str]:
    """Listens to the room."""
    return [room]


async def say(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
    """A `publish` that looks at nobody."""
    return {"text": payload}


def declare(publish: Callable[..., Any], **members: Any) -> type[Subscription]:
    """A subscription with the field `text`; functions among the members are its static methods."""
    functions = {"publish": publish, "subscribe": join_room}
    for name, member in tuple(members.items()):
        if callable(member) and not isinstance(member, type):
            functions[name] = members.pop(name)
    return type(
        "OnEvent",
        (Subscription,),
        {
            "__module__": __name__,
            "Arguments": Arguments,
            "text": GenericScalar(),
            **members,
            **{name: staticmethod(function) for name, function in functions.items()},
        },
    )


def serve(subscription: type[Subscription], **members: Any) -> type[GraphqlWsConsumer]:
    """A consumer class that serves a subscription, and says when one can miss nothing any more."""
    query = type("Query", (graphene.ObjectType,), {"nothing": graphene.String()})
    streams = type("Subscriptions", (graphene.ObjectType,), {"on_event": subscription.Field()})
    schema = graphene.Schema(query=query, subscription=streams)
    return type("Consumer", (GraphqlWsConsumer,), {"schema": schema, "confirm_subscriptions": True, **members})


async def subscribed(
    consumer: type[GraphqlWsConsumer],
    query: str = ON_EVENT,
    variables: Mapping[str, Any] | None = None,
    *,
    operation: str | None = None,
    context: Context | None = None,
    **scope: Any,
) -> Peer:
    """A client with one subscription, `1`."""
    peer = await Peer.connect(consumer.as_asgi(), context=context, **scope)
    await peer.subscribe("1", query, variables, operation)
    return peer


async def texts(peer: Peer, count: int, id: str = "1") -> list[Any]:
    """What so many notifications say."""
    return [data["onEvent"]["text"] for data in await peer.data(id, count)]


class Since:
    """The process's counters from here on: `since.executed`."""

    def __init__(self) -> None:
        self._before = dataclasses.replace(counters)

    def __getattr__(self, name: str) -> int:
        difference: int = getattr(counters, name) - getattr(self._before, name)
        return difference


class Stage:
    """A `publish` that says when it begins, and waits until it may go on."""

    def __init__(self) -> None:
        self.began: Notes[Any] = Notes()
        """The payloads of the executions that began."""
        self._curtain = asyncio.Event()

    def open(self) -> None:
        """Let all go on, those to come too."""
        self._curtain.set()

    async def __call__(self, payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        self.began.add(payload)
        await self._curtain.wait()
        return {"text": payload}
