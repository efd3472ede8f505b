"""Initial values, and groups that are joined and left later, over real sockets and every channel layer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import graphene
import pytest

from django_gqlws import GraphqlWsConsumer, Subscription
from tests.integration.serving import serving
from tests.support.client import Client, connect

pytestmark = pytest.mark.usefixtures("layer")


class OnRoom(Subscription):
    """Begins with a greeting, and listens to no room at first."""

    text = graphene.String()

    @staticmethod
    def subscribe(root: Any, info: Any) -> None:
        info.context.channels_scope.setdefault("subscriptions", []).append(info.context)

    @staticmethod
    def initial(root: Any, info: Any) -> str:
        return "welcome"

    @staticmethod
    async def publish(payload: str, info: Any) -> OnRoom:
        return OnRoom(text=payload)


class Rooms(graphene.Mutation):
    """Changes the rooms of all subscriptions of the connection."""

    class Arguments:
        names = graphene.List(graphene.String, required=True)

    ok = graphene.Boolean()

    class Meta:
        abstract = True


class JoinRooms(Rooms):
    @staticmethod
    def mutate(root: Any, info: Any, names: list[str]) -> JoinRooms:
        for context in info.context.channels_scope["subscriptions"]:
            context.join(*names)
        return JoinRooms(ok=True)


class LeaveRooms(Rooms):
    @staticmethod
    async def mutate(root: Any, info: Any, names: list[str]) -> LeaveRooms:
        for context in info.context.channels_scope["subscriptions"]:
            await context.leave(*names)
        return LeaveRooms(ok=True)


class Query(graphene.ObjectType):
    value = graphene.String()


class Mutation(graphene.ObjectType):
    join_rooms = JoinRooms.Field()
    leave_rooms = LeaveRooms.Field()


class Subscriptions(graphene.ObjectType):
    on_room = OnRoom.Field()


class Consumer(GraphqlWsConsumer):
    schema = graphene.Schema(query=Query, mutation=Mutation, subscription=Subscriptions)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A socket with one subscription, `1`, that has been welcomed."""
    async with serving(Consumer.as_asgi()) as url, connect(url("")) as client:
        await client.init()
        await client.subscribe("1", "subscription { onRoom { text } }")
        assert await client.receive() == said("welcome")
        yield client


def said(text: str) -> dict[str, Any]:
    return {"id": "1", "type": "next", "payload": {"data": {"onRoom": {"text": text}}}}


async def change(client: Client, id: str, mutation: str, *names: str) -> None:
    query = f"mutation ($names: [String]!) {{ {mutation}(names: $names) {{ ok }} }}"
    assert await client.execute(id, query, {"names": names}) == {"data": {mutation: {"ok": True}}}


async def test_rooms_of_a_live_subscription(client: Client, key: str) -> None:
    """What is said behind the answer of the mutation is heard, or not any more."""
    await change(client, "2", "joinRooms", f"{key}-a", f"{key}-b")
    for room in ("a", "b"):
        await OnRoom.broadcast(group=f"{key}-{room}", payload=room)
    assert [await client.receive(), await client.receive()] == [said("a"), said("b")]

    await change(client, "3", "leaveRooms", f"{key}-a")
    for room in ("a", "b"):
        await OnRoom.broadcast(group=f"{key}-{room}", payload=room)
    assert await client.receive() == said("b")

    await OnRoom.unsubscribe(group=f"{key}-b")
    assert await client.receive() == {"id": "1", "type": "complete"}
    assert await client.barrier() == []
