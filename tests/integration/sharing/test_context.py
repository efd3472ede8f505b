"""Whoever looks at `info.context` gets what is their own, and nobody else gets it."""

from __future__ import annotations

import asyncio
import copy
import operator
import threading
from collections.abc import Callable, Mapping
from typing import Any

import graphene
import pytest
from django.utils.functional import lazy
from graphene.utils.dataloader import DataLoader
from graphql import GraphQLError, GraphQLResolveInfo

from django_gqlws import on_loop
from tests.support.sharing import Since, declare, say, serve, subscribed, texts
from tests.support.tables import situations

Publish = Callable[..., Any]

CONTEXT = GraphQLResolveInfo._fields.index("context")
DEEP = "subscription { onEvent { text inner { viewer kind { __typename viewer } } } }"


async def after_an_await(payload: Any, info: Any) -> Any:
    await asyncio.sleep(0)
    return info.context.user


async def in_a_task(payload: Any, info: Any) -> Any:
    return await asyncio.create_task(after_an_await(payload, info))


async def in_an_executor(payload: Any, info: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, lambda: info.context.user)


async def in_to_thread(payload: Any, info: Any) -> Any:
    return await asyncio.to_thread(lambda: info.context.user)


def in_a_worker(payload: Any, info: Any) -> Any:
    return info.context.user


def in_a_thread_of_its_own(payload: Any, info: Any) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(info.context.user))
    thread.start()
    thread.join()
    return found[0]


def on_a_loop_of_its_own(payload: Any, info: Any) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(after_an_await(payload, info))))
    thread.start()
    thread.join()
    return found[0]


async def through_a_loader(payload: Any, info: Any) -> Any:
    async def load(keys: list[Any]) -> list[Any]:
        return [info.context.user for _ in keys]

    return await DataLoader(batch_load_fn=load).load(payload)


def through_a_loader_from_a_thread(payload: Any, info: Any) -> Any:
    async def load(keys: list[Any]) -> list[Any]:
        return [info.context.user for _ in keys]

    return DataLoader(batch_load_fn=load).load(payload)


async def through_a_loader_kept_in_the_context(payload: Any, info: Any) -> Any:
    async def load(keys: list[Any]) -> list[Any]:
        return [info.context["user"] for _ in keys]

    if "loader" not in info.context:
        info.context.loader = DataLoader(batch_load_fn=load, cache=False)
    return await info.context.loader.load(payload)


async def unpacked(payload: Any, info: Any) -> Any:
    *_, context, _ = info
    return context.user


async def as_arguments(payload: Any, info: Any) -> Any:
    return (lambda *values: values[CONTEXT])(*info).user


async def in_an_error(payload: Any, info: Any) -> Any:
    raise GraphQLError(info.context.user)


async def lazily(payload: Any, info: Any) -> Any:
    """Evaluated when the result is encoded."""
    return lazy(lambda: info.context.user, str)()


async def lazily_in_an_error(payload: Any, info: Any) -> Any:
    raise GraphQLError("nothing", extensions={"user": lazy(lambda: info.context.user, str)()})


def way(look: Callable[[Any], Any]) -> Publish:
    """Quick sync code on the loop."""
    return on_loop(lambda payload, info: look(info).user)


WAYS: dict[str, Publish] = {
    "on the loop": on_loop(lambda payload, info: info.context.user),
    "in a worker thread": in_a_worker,
    "after an await": after_an_await,
    "in a task": in_a_task,
    "in an executor": in_an_executor,
    "in to_thread()": in_to_thread,
    "in a thread of its own": in_a_thread_of_its_own,
    "on a loop of its own": on_a_loop_of_its_own,
    "through a data loader": through_a_loader,
    "through a data loader from a thread": through_a_loader_from_a_thread,
    "through a data loader in the context": through_a_loader_kept_in_the_context,
    "by unpacking": unpacked,
    "as arguments": as_arguments,
    "in an error": in_an_error,
    "lazily": lazily,
    "lazily in an error": lazily_in_an_error,
    "by index": way(lambda info: info[CONTEXT]),
    "by negative index": way(lambda info: info[-2]),
    "by slice": way(lambda info: info[-2:][0]),
    "by itemgetter": way(operator.itemgetter(CONTEXT)),
    "by attrgetter": way(operator.attrgetter("context")),
    "by _asdict()": way(lambda info: info._asdict()["context"]),
    "by _replace()": way(lambda info: info._replace(field_name="other").context),
    "by _replace() of the context": way(lambda info: info._replace(context=info.context).context),
    "by copy()": way(lambda info: copy.copy(info).context),
    "by pickling": way(lambda info: info.__reduce_ex__(4)[1][CONTEXT + 1]),
    "by addition": way(lambda info: (info + ())[CONTEXT]),  # noqa: RUF005
    "by repetition": way(lambda info: (info * 2)[CONTEXT]),
    "by the method of tuple": way(lambda info: tuple.__getitem__(info, CONTEXT)),
    "by the iterator of tuple": way(lambda info: list(tuple.__iter__(info))[CONTEXT]),
    "by another info": way(lambda info: GraphQLResolveInfo(*info).context),
    "by map()": way(lambda info: list(map(lambda value: value, info))[CONTEXT]),  # noqa: C417
    "by sorting": way(lambda info: sorted(enumerate(info), key=operator.itemgetter(0))[CONTEXT][1]),
}


def told(result: Mapping[str, Any]) -> Any:
    """Whose name a result tells, wherever."""
    for error in result.get("errors", ()):
        return error.get("extensions", {}).get("user", error["message"])
    return result["data"]["onEvent"]["text"]


def published(look: Publish) -> Publish:
    """A `publish` that looks only for payloads that ask it to."""
    if asyncio.iscoroutinefunction(look):

        async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
            return {"text": await look(payload, info) if payload == "personal" else payload}

        return publish

    def publish_plainly(payload: Any, info: Any, **arguments: Any) -> Any:
        if payload != "personal":
            return {"text": payload}
        found = look(payload, info)
        return wrapped(found) if isinstance(found, asyncio.Future) else {"text": found}

    async def wrapped(found: asyncio.Future[Any]) -> dict[str, Any]:
        return {"text": await found}

    return on_loop(publish_plainly) if getattr(look, "gqlws_on_loop", False) else publish_plainly


@pytest.mark.parametrize("look", situations(WAYS))
async def test_a_publish_that_looks_at_the_user(look: Publish) -> None:
    """Everybody gets their own, whoever comes first; the payloads for which it does not look are shared."""
    on_event = declare(published(look))
    consumer = serve(on_event)
    peers = {name: await subscribed(consumer, user=name) for name in ("ann", "bob", "cat")}
    since = Since()

    for payload in ("personal", "public", "personal"):
        await on_event.broadcast(group="room", payload=payload)
    first = {name: [told(result) for result in await peer.results("1", 3)] for name, peer in peers.items()}

    assert first == {name: [name, "public", name] for name in peers}
    assert (since.executed, since.shared) == (7, 3)

    await peers.pop("ann").leave()
    await on_event.broadcast(group="room", payload="personal")
    for name, peer in peers.items():
        assert told((await peer.results("1", 4))[3]) == name


def look_below(info: Any) -> str:
    return str(info.context.user)


class Kind(graphene.Interface):
    """Whose concrete type, or field, depends on the user."""

    viewer = graphene.String()

    @classmethod
    def resolve_type(cls, value: Any, info: Any) -> type:
        return Ann if value["by type"] and info.context.user == "ann" else Other

    @staticmethod
    def resolve_viewer(root: Any, info: Any) -> str:
        return "nobody"


class Ann(graphene.ObjectType):
    class Meta:
        interfaces = (Kind,)


class Other(graphene.ObjectType):
    class Meta:
        interfaces = (Kind,)


class Inner(graphene.ObjectType):
    """A level below, with resolvers that look or do not."""

    viewer = graphene.String()
    kind = graphene.Field(Kind)

    @staticmethod
    async def resolve_viewer(root: Any, info: Any) -> str:
        return look_below(info) if root["by field"] else "nobody"

    @staticmethod
    def resolve_kind(root: Any, info: Any) -> Any:
        return root


@pytest.mark.parametrize("where", ["by field", "by type", "not at all"])
async def test_a_nested_field_that_looks_at_the_user(where: str) -> None:
    """The whole result is personal, for those documents that select it and those payloads for which it looks."""

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        return {"text": payload, "inner": {"by field": payload == "by field", "by type": payload == "by type"}}

    on_event = declare(publish, inner=graphene.Field(Inner))
    consumer = serve(on_event)
    consumer.schema = graphene.Schema(
        query=type("Query", (graphene.ObjectType,), {"nothing": graphene.String()}),
        subscription=type("Subscriptions", (graphene.ObjectType,), {"on_event": on_event.Field()}),
        types=[Ann, Other],
    )
    deep = {name: await subscribed(consumer, DEEP, user=name) for name in ("ann", "bob")}
    flat = [await subscribed(consumer, user=name) for name in ("ann", "bob")]
    since = Since()

    await on_event.broadcast(group="room", payload=where)

    for name, peer in deep.items():
        [data] = await peer.data("1", 1)
        assert data["onEvent"]["inner"] == {
            "viewer": name if where == "by field" else "nobody",
            "kind": {"__typename": "Ann" if where == "by type" and name == "ann" else "Other", "viewer": "nobody"},
        }
    assert [await texts(peer, 1) for peer in flat] == [[where], [where]]
    assert since.executed == (2 if where == "not at all" else 3)


async def look_on_the_loop(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
    result = resolve(root, info, **arguments)
    result = await result if asyncio.iscoroutine(result) else result
    return info.context.user if info.field_name == "text" and result == "personal" else result


def look_in_a_thread(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
    result = resolve(root, info, **arguments)
    return info.context.user if info.field_name == "text" and result == "personal" else result


class LookingMiddleware:
    """Middleware as an object that keeps what it sees."""

    def __init__(self) -> None:
        self.seen: Any = None

    async def resolve(self, resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
        self.seen = info
        result = resolve(root, info, **arguments)
        result = await result if asyncio.iscoroutine(result) else result
        return self.seen.context.user if info.field_name == "text" and result == "personal" else result


@pytest.mark.parametrize("middleware", [look_on_the_loop, look_in_a_thread, LookingMiddleware()])
async def test_a_middleware_that_looks_at_the_user(middleware: Any) -> None:
    """What it looks at belongs to one, what it passes on to all."""
    on_event = declare(say)
    consumer = serve(on_event, middleware=[middleware])
    peers = {name: await subscribed(consumer, user=name) for name in ("ann", "bob")}
    since = Since()

    for payload in ("public", "personal", "public"):
        await on_event.broadcast(group="room", payload=payload)

    assert {name: await texts(peer, 3) for name, peer in peers.items()} == {
        name: ["public", name, "public"] for name in peers
    }
    assert since.executed == 4


async def wrap_context(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
    result = resolve(root, info._replace(context=info.context), **arguments)
    return await result if asyncio.iscoroutine(result) else result


async def rebuild_info(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
    result = resolve(root, type(info)(*info), **arguments)
    return await result if asyncio.iscoroutine(result) else result


async def rebuild_from_dict(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
    result = resolve(root, type(info)(**info._asdict()), **arguments)
    return await result if asyncio.iscoroutine(result) else result


@pytest.mark.parametrize("middleware", [wrap_context, rebuild_info, rebuild_from_dict])
async def test_a_middleware_that_passes_on_another_info(middleware: Any) -> None:
    """Resolvers find the context in it."""
    on_event = declare(lambda payload, info, **arguments: {"text": info.context.user})
    consumer = serve(on_event, middleware=[middleware])
    peers = {name: await subscribed(consumer, user=name) for name in ("ann", "bob")}

    for payload in (1, 2):
        await on_event.broadcast(group="room", payload=payload)

    assert {name: await texts(peer, 2) for name, peer in peers.items()} == {name: [name, name] for name in peers}


async def test_a_middleware_that_passes_on_another_context() -> None:
    """A `publish` that returns None sends nothing all the same."""
    on_event = declare(lambda payload, info, **arguments: {"text": info.context.user} if payload else None)
    peer = await subscribed(serve(on_event, middleware=[wrap_context]), user="ann")

    for payload in (1, None, 1):
        await on_event.broadcast(group="room", payload=payload)

    assert await texts(peer, 2) == ["ann", "ann"]


async def test_nothing_for_the_sender() -> None:
    """A `publish` that returns None for one of them sends the others theirs."""

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any] | None:
        return None if info.context.user == payload else {"text": payload}

    on_event = declare(publish)
    consumer = serve(on_event)
    peers = {name: await subscribed(consumer, user=name) for name in ("ann", "bob", "cat")}

    for name in peers:
        await on_event.broadcast(group="room", payload=name)

    for name, peer in peers.items():
        assert await texts(peer, 2) == [other for other in peers if other != name]


async def test_nothing_for_anybody() -> None:
    """A shared None sends nothing, and costs one execution."""

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any] | None:
        return {"text": payload} if payload else None

    on_event = declare(publish)
    consumer = serve(on_event)
    peers = [await subscribed(consumer) for _ in range(3)]
    since = Since()

    for payload in (0, 1):
        await on_event.broadcast(group="room", payload=payload)

    assert [await texts(peer, 1) for peer in peers] == [[1], [1], [1]]
    assert (since.executed, since.delivered) == (2, 3)


async def test_a_payload_that_is_changed() -> None:
    """A personal execution has a copy of its own."""

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        payload.append(info.context.user)
        await asyncio.sleep(0)
        return {"text": payload}

    on_event = declare(publish)
    consumer = serve(on_event)
    peers = {name: await subscribed(consumer, user=name) for name in ("ann", "bob")}

    await on_event.broadcast(group="room", payload=[])

    assert {name: await texts(peer, 1) for name, peer in peers.items()} == {name: [[name]] for name in peers}


class Filter(graphene.InputObjectType):
    """An argument that user code may complete."""

    owner = graphene.String()


@pytest.mark.parametrize("where", ["argument", "variables"])
async def test_a_subscribe_that_writes_into_its_arguments(where: str) -> None:
    """What it writes there reaches nobody else."""

    async def subscribe(root: object, info: Any, filter: Any) -> list[str]:
        if where == "argument":
            filter["owner"] = info.context.user
        else:
            info.variable_values["owner"] = info.context.user
        return ["room"]

    async def publish(payload: Any, info: Any, filter: Any) -> dict[str, Any]:
        return {"text": filter.get("owner") if where == "argument" else info.variable_values.get("owner")}

    arguments = type("Arguments", (), {"filter": Filter(required=True)})
    on_event = declare(publish, subscribe=subscribe, Arguments=arguments)
    consumer = serve(on_event)
    query = "subscription ($filter: Filter!) { onEvent(filter: $filter) { text } }"
    peers = {name: await subscribed(consumer, query, {"filter": {}}, user=name) for name in ("ann", "bob")}

    await on_event.broadcast(group="room", payload=1)

    for name, peer in peers.items():
        assert (await texts(peer, 1))[0] in (name, None)
