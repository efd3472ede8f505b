"""Loaders are no look at the context: who uses them shares the result; who looks at anything else does not."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from graphene.utils.dataloader import DataLoader

from django_gqlws import on_loop
from django_gqlws.execution.context import OperationContext
from tests.support.notes import Notes
from tests.support.sharing import Since, declare, serve, subscribed, texts
from tests.support.tables import situations

from .test_context import WAYS as WAYS_OF_INFO
from .test_context import published, told

batches: list[list[Any]] = []


class Capitals(DataLoader):  # type: ignore[misc]
    async def batch_load_fn(self, keys: list[str]) -> list[str]:
        batches.append(keys)
        await asyncio.sleep(0)
        return [key.upper() for key in keys]


LOADERS = {"capitals": Capitals}


@pytest.fixture(autouse=True)
def nothing_loaded() -> None:
    batches.clear()


async def loads(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
    return {"text": await info.context.loaders.capitals.load(payload)}


def loads_plainly(payload: Any, info: Any, **arguments: Any) -> Any:
    loading = info.context["loaders"]["capitals"].load if payload == "item" else info.context.loaders.capitals.load

    async def text() -> dict[str, Any]:
        return {"text": await loaded}

    loaded = loading(payload)
    return text()


@pytest.mark.parametrize("publish", [loads, loads_plainly])
async def test_a_publish_that_loads(publish: Any) -> None:
    """Each notification is executed once for all, with loaders of its own."""
    on_event = declare(publish)
    consumer = serve(on_event, loaders=LOADERS)
    peers = [await subscribed(consumer, user=name) for name in ("ann", "bob", "cat")]
    since = Since()

    for payload in ("a", "a"):
        await on_event.broadcast(group="room", payload=payload)

    assert [await texts(peer, 2) for peer in peers] == [["A", "A"]] * 3
    assert (since.executed, since.shared, batches) == (2, 6, [["a"], ["a"]])


async def test_a_publish_that_loads_and_looks() -> None:
    """Everybody gets their own, over loaders of their own."""

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        context = info.context
        loaded = await context.loaders.capitals.load(payload)
        return {"text": f"{loaded} for {context.user}"}

    on_event = declare(publish)
    consumer = serve(on_event, loaders=LOADERS)
    peers = {name: await subscribed(consumer, user=name) for name in ("ann", "bob")}
    since = Since()

    await on_event.broadcast(group="room", payload="a")

    assert {name: await texts(peer, 1) for name, peer in peers.items()} == {name: [f"A for {name}"] for name in peers}
    assert (since.executed, batches) == (2, [["a"], ["a"]])


async def test_loaders_of_the_applications_own() -> None:
    """Nobody knows what they look at: to read them is to look at the context."""

    def subscribe(root: Any, info: Any, **arguments: Any) -> list[str]:
        info.context.loaders = {"name": info.context.user}
        return ["room"]

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        return {"text": info.context.loaders["name"]}

    on_event = declare(publish, subscribe=subscribe)
    consumer = serve(on_event, loaders=LOADERS)
    peers = {name: await subscribed(consumer, user=name) for name in ("ann", "bob")}

    await on_event.broadcast(group="room", payload="a")

    assert {name: await texts(peer, 1) for name, peer in peers.items()} == {name: [name] for name in peers}


@pytest.mark.parametrize("look", situations(WAYS_OF_INFO))
async def test_a_way_to_the_context_where_loaders_are_declared(look: Callable[..., Any]) -> None:
    """It is noticed as everywhere."""
    on_event = declare(published(look))
    consumer = serve(on_event, loaders=LOADERS)
    peers = {name: await subscribed(consumer, user=name) for name in ("ann", "bob")}

    for payload in ("personal", "public"):
        await on_event.broadcast(group="room", payload=payload)

    for name, peer in peers.items():
        assert [told(result) for result in await peer.results("1", 2)] == [name, "public"]


def assigned(context: Any) -> Any:
    context.own = context.graphql_operation_id
    return context["own"]


def deleted(context: Any) -> Any:
    context["own"] = 1
    del context["own"]
    context.own = 1
    del context.own
    return context.user


LOOKS: dict[str, Callable[[Any], Any]] = {
    "an attribute": lambda context: context.user,
    "an item": lambda context: context["user"],
    "membership": lambda context: "user" in context and context.user,
    "iteration": lambda context: next(context[name] for name in context if name == "user"),
    "_asdict()": lambda context: context._asdict()["user"],
    "vars()": lambda context: vars(context)["channels_scope"]["user"],
    "getattr() after dir()": lambda context: "user" in dir(context) and context.user,
    "equality": lambda context: context == 1 or context.user,
    "a hash": lambda context: hash(context) and context.user,
    "a representation": lambda context: repr(context) and str(context) and f"{context}" and context.user,
    "a class": lambda context: isinstance(context, OperationContext) and context.user,
    "a copy": lambda context: copy.copy(context).user,
    "the state of a copy": lambda context: context.__getstate__()[0]["channels_scope"]["user"],
    "a weak key": lambda context: WeakKeyDictionary({context: context})[context].user,
    "deletion": deleted,
}


@pytest.mark.parametrize("look", situations(LOOKS))
async def test_a_way_into_the_context(look: Callable[[Any], Any]) -> None:
    """All but the loaders is personal."""
    on_event = declare(on_loop(lambda payload, info, **arguments: {"text": look(info.context)}))
    consumer = serve(on_event, loaders=LOADERS)
    peers = {name: await subscribed(consumer, user=name) for name in ("ann", "bob")}
    since = Since()

    await on_event.broadcast(group="room", payload=1)

    assert {name: await texts(peer, 1) for name, peer in peers.items()} == {name: [name] for name in peers}
    assert (since.executed, since.shared) == (2, 0)


async def test_what_is_written_into_the_context() -> None:
    """It stays with the operation, and is personal."""
    on_event = declare(on_loop(lambda payload, info, **arguments: {"text": assigned(info.context)}))
    consumer = serve(on_event, loaders=LOADERS)
    peers = [await subscribed(consumer) for _ in range(2)]
    since = Since()

    await on_event.broadcast(group="room", payload=1)

    assert [await texts(peer, 1) for peer in peers] == [["1"], ["1"]]
    assert since.shared == 0


async def test_loaders_of_each_method() -> None:
    """`subscribe`, `initial`, each `publish` and `unsubscribed` have their own."""
    made: Notes[Any] = Notes()

    def note(first: Any, info: Any, **arguments: Any) -> list[str]:
        made.add(info.context.loaders.capitals)
        return ["room"]

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        note(payload, info)
        return {"text": 1}

    noting = on_loop(note)
    on_event = declare(publish, subscribe=noting, initial=noting, unsubscribed=noting)
    peer = await subscribed(serve(on_event, loaders=LOADERS))
    await on_event.broadcast(group="room", payload=1)
    await texts(peer, 2)
    peer.complete("1")
    await made.reached(5)

    assert len({id(loader) for loader in made}) == 5
