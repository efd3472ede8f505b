"""strawberry's Channels consumer, notified through the channel layer as its documentation shows."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import strawberry
from channels.layers import get_channel_layer
from strawberry.channels import GraphQLWSConsumer

from benchmarks import documents
from benchmarks.servers.django_stack import asgi_application, graphql_url

subscribed = 0


@strawberry.type
class Message:
    """What everybody gets alike."""

    seq: int
    text: str


@strawberry.type
class PersonalMessage(Message):
    """What names its reader."""

    reader: str


async def _listen(info: strawberry.Info, field: str, room: str) -> AsyncGenerator[dict[str, Any]]:
    global subscribed
    subscribed += 1
    async with info.context["ws"].listen_to_channel(field, groups=[f"{field}.{room}"]) as messages:
        async for message in messages:
            yield message


def _personal(info: strawberry.Info, message: dict[str, Any]) -> PersonalMessage:
    reader = info.context["ws"].scope["query_string"].decode().removeprefix("reader=")
    return PersonalMessage(seq=message["seq"], text=message["text"], reader=reader)


@strawberry.type
class Query:
    """Queries."""

    @strawberry.field
    async def value(self) -> str:
        """An async resolver."""
        return documents.ANSWER

    @strawberry.field
    def sync_value(self) -> str:
        """A sync resolver."""
        return documents.ANSWER

    @strawberry.field
    async def subscribed(self) -> int:
        """How many subscriptions have begun."""
        return subscribed


@strawberry.type
class Mutation:
    """Mutations."""

    @strawberry.mutation
    async def send(self, to: str, room: str, seq: int) -> bool:
        """Broadcast."""
        message = {"type": to, "seq": seq, "text": documents.TEXT}
        layer = get_channel_layer()
        await layer.group_send(f"{to}.{room}", message)
        return True


@strawberry.type
class Subscription:
    """Subscriptions."""

    @strawberry.subscription
    async def on_message(self, info: strawberry.Info, room: str) -> AsyncGenerator[Message]:
        """The same for everybody."""
        async for message in _listen(info, "onMessage", room):
            yield Message(seq=message["seq"], text=message["text"])

    @strawberry.subscription
    async def on_personal(self, info: strawberry.Info, room: str) -> AsyncGenerator[PersonalMessage]:
        """For its reader."""
        async for message in _listen(info, "onPersonal", room):
            yield _personal(info, message)

    @strawberry.subscription
    async def on_personal_sync(self, info: strawberry.Info, room: str) -> AsyncGenerator[PersonalMessage]:
        """For its reader: there is no sync way here."""
        async for message in _listen(info, "onPersonalSync", room):
            yield _personal(info, message)


schema = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)
application = asgi_application(graphql_url(GraphQLWSConsumer.as_asgi(schema=schema)))
