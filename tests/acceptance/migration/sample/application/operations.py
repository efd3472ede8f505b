"""Queries and mutations."""

import asyncio
import gc
import time
from pathlib import Path
from typing import Any

import graphene
from django.db import transaction
from graphql import GraphQLError

from .diary import diary
from .models import Author, Contents, Parcel
from .subscriptions import OnMessage, OnPayload, OnSlow


class Node(graphene.ObjectType):
    """Something with a field of its own, for middleware to see."""

    name = graphene.String()

    @staticmethod
    async def resolve_name(root: Any, info: Any) -> str:
        return "node"


class Query(graphene.ObjectType):
    value = graphene.String()
    echo = graphene.Int(number=graphene.Int(required=True))
    node = graphene.Field(Node)
    held = graphene.String(key=graphene.String(required=True), description="Waits at a gate.")
    took = graphene.Float(seconds=graphene.Float(required=True))
    failing = graphene.String()
    refused = graphene.String()
    authors = graphene.Int(description="Asks the database from a plain function.")
    operation = graphene.List(graphene.String, description="What the context knows of the operation.")
    attribute_and_item = graphene.Boolean()
    remember = graphene.String(text=graphene.String(), description="What an earlier operation wrote into the scope.")
    fresh = graphene.Boolean(description="Whether nobody has marked this context before.")
    channel = graphene.Boolean(description="Whether the connection has a channel of its own.")
    handshake = graphene.List(graphene.String, description="A header and the cookies of the handshake.")
    noted = graphene.Int(
        what=graphene.String(required=True),
        count=graphene.Int(default_value=1),
        description="Answers as soon as this was noted so often.",
    )
    times_noted = graphene.Int(what=graphene.String(required=True), description="How often this was noted so far.")
    stall = graphene.Boolean(
        folder=graphene.String(required=True),
        description="Blocks the event loop: makes a file `stalled`, and waits for a file `go`.",
    )
    blocking = graphene.String(key=graphene.String(required=True), description="Blocks its thread until noted.")

    @staticmethod
    async def resolve_value(root: Any, info: Any) -> str:
        diary.note("value")
        return "value"

    @staticmethod
    async def resolve_echo(root: Any, info: Any, number: int) -> int:
        return number

    @staticmethod
    async def resolve_node(root: Any, info: Any) -> Node:
        return Node()

    @staticmethod
    async def resolve_held(root: Any, info: Any, key: str) -> str:
        await diary.wait(key)
        diary.note(f"finished {key}")
        return key

    @staticmethod
    async def resolve_took(root: Any, info: Any, seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    @staticmethod
    async def resolve_failing(root: Any, info: Any) -> str:
        raise ValueError("the cat is out")

    @staticmethod
    async def resolve_refused(root: Any, info: Any) -> str:
        raise GraphQLError("not for you", extensions={"code": "REFUSED"})

    @staticmethod
    def resolve_authors(root: Any, info: Any) -> int:
        return Author.objects.count()

    @staticmethod
    async def resolve_operation(root: Any, info: Any) -> list[str]:
        return [info.context.graphql_operation_name, info.context.graphql_operation_id]

    @staticmethod
    async def resolve_attribute_and_item(root: Any, info: Any) -> bool:
        context = info.context
        context.zen = 42
        context["other"] = 43
        assert "zen" in context
        assert "nothing" not in context
        assert not hasattr(context, "nothing")
        return (context["zen"], context.other, context._asdict()["zen"]) == (42, 43, 42)

    @staticmethod
    async def resolve_remember(root: Any, info: Any, text: str | None = None) -> str | None:
        scope = info.context.channels_scope
        before = scope.get("remembered")
        scope["remembered"] = text
        return before

    @staticmethod
    async def resolve_fresh(root: Any, info: Any) -> bool:
        fresh = "marked" not in info.context
        info.context.marked = True
        return fresh

    @staticmethod
    async def resolve_channel(root: Any, info: Any) -> bool:
        return isinstance(info.context.channel_name, str)

    @staticmethod
    async def resolve_handshake(root: Any, info: Any) -> list[str]:
        headers = dict(info.context.channels_scope["headers"])
        return [headers[name].decode() for name in (b"x-me", b"cookie")]

    @staticmethod
    async def resolve_noted(root: Any, info: Any, what: str, count: int) -> int:
        await diary.until(what, count)
        return diary.notes.count(what)

    @staticmethod
    async def resolve_times_noted(root: Any, info: Any, what: str) -> int:
        return diary.notes.count(what)

    @staticmethod
    async def resolve_stall(root: Any, info: Any, folder: str) -> bool:
        block(Path(folder))
        return True

    @staticmethod
    def resolve_blocking(root: Any, info: Any, key: str) -> str:
        diary.note(f"blocks {key}")
        diary.block(key)
        return key


def block(folder: Path) -> None:
    """Keep the thread, whatever else it has to do."""
    (folder / "stalled").touch()
    while not (folder / "go").exists():
        time.sleep(0.01)


class Say(graphene.Mutation):
    """Broadcasts a message to a room."""

    class Arguments:
        room = graphene.String(required=True)
        text = graphene.String(required=True)

    ok = graphene.Boolean(required=True)

    @staticmethod
    async def mutate(root: Any, info: Any, room: str, text: str) -> "Say":
        await OnMessage.broadcast(group=room, payload={"text": text})
        return Say(ok=True)


class Hold(graphene.Mutation):
    """Waits at a gate: a mutation in flight."""

    class Arguments:
        key = graphene.String(required=True)

    ok = graphene.Boolean(required=True)

    @staticmethod
    async def mutate(root: Any, info: Any, key: str) -> "Hold":
        await diary.wait(key)
        diary.note(f"finished {key}")
        return Hold(ok=True)


class Burst(graphene.Mutation):
    """Broadcasts the numbers below `count` to a room, as fast as it can."""

    class Arguments:
        room = graphene.String(required=True)
        count = graphene.Int(required=True)
        how = graphene.String(required=True)

    ok = graphene.Boolean(required=True)

    @staticmethod
    async def mutate(root: Any, info: Any, room: str, count: int, how: str) -> "Burst":
        payloads = [{"text": str(number)} for number in range(count)]
        if how == "awaited":
            for payload in payloads:
                await OnMessage.broadcast(group=room, payload=payload)
        elif how == "concurrent":
            await asyncio.gather(*[OnMessage.broadcast(group=room, payload=payload) for payload in payloads])
        else:
            await asyncio.gather(*[asyncio.to_thread(say_all, room, payloads[start::4]) for start in range(4)])
        return Burst(ok=True)


def say_all(room: str, payloads: list[dict[str, str]]) -> None:
    """What a thread of its own does: a worker, a management command."""
    for payload in payloads:
        OnMessage.broadcast(group=room, payload=payload)


class Transact(graphene.Mutation):
    """Broadcasts in a transaction that waits at a gate before it ends."""

    class Arguments:
        room = graphene.String(required=True)
        key = graphene.String(required=True)
        fail = graphene.Boolean(default_value=False)

    ok = graphene.Boolean(required=True)

    @staticmethod
    async def mutate(root: Any, info: Any, room: str, key: str, fail: bool) -> "Transact":
        await asyncio.to_thread(transact, room, key, fail)
        return Transact(ok=True)


def transact(room: str, key: str, fail: bool) -> None:
    """What a view does."""
    with transaction.atomic():
        OnMessage.broadcast(group=room, payload={"text": key})
        diary.note(f"broadcast {key}")
        diary.block(key)
        if fail:
            raise ValueError("rolled back")


class Mutation(graphene.ObjectType):
    say = Say.Field()
    hold = Hold.Field()
    burst = Burst.Field()
    transact = Transact.Field()
    knock = graphene.Boolean(key=graphene.String(required=True), description="Broadcasts to an OnSlow.")
    poison = graphene.Boolean(description="Broadcasts a payload that can be packed and not be unpacked.")
    send = graphene.Boolean(description="Broadcasts a payload that is all right.")
    collect_garbage = graphene.Int()
    open = graphene.Boolean(key=graphene.String(required=True), description="Lets go what waits at this gate.")

    @staticmethod
    async def resolve_knock(root: Any, info: Any, key: str) -> bool:
        await OnSlow.broadcast(group=key, payload="knock")
        return True

    @staticmethod
    async def resolve_poison(root: Any, info: Any) -> bool:
        await OnPayload.broadcast(payload=Parcel(contents=Contents("poison")))
        return True

    @staticmethod
    async def resolve_send(root: Any, info: Any) -> bool:
        await OnPayload.broadcast(payload="hello")
        return True

    @staticmethod
    async def resolve_collect_garbage(root: Any, info: Any) -> int:
        return gc.collect()

    @staticmethod
    async def resolve_open(root: Any, info: Any, key: str) -> bool:
        diary.open(key)
        return True
