"""The methods of a `Subscription` in every form, its outputs of every type, its Meta options."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import graphene
import pytest

from django_gqlws import Subscription, on_loop
from tests.support.notes import Notes
from tests.support.tables import situations
from tests.unit.connection.peer import Peer, connect


class Query(graphene.ObjectType):
    value = graphene.String()


def schema_of(subscription: type[Subscription], **options: Any) -> graphene.Schema:
    root = type("Subscriptions", (graphene.ObjectType,), {"event": subscription.Field()})
    return graphene.Schema(query=Query, subscription=root, **options)


async def listen(peer: Peer, document: str) -> None:
    peer.subscribe("1", document)
    assert await peer.receive() == {"id": "1", "type": "next", "payload": {"data": None}}


# Forms of methods


def undecorated(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    """As most decorators are: a plain function, also around a coroutine function."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def decorated_async(function: Callable[..., Any]) -> Callable[..., Any]:
    """A coroutine function, also around a plain one."""

    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return await result if hasattr(result, "__await__") else result

    return wrapper


class Decorator:
    """An object that calls the function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)


BINDINGS: dict[str, Callable[..., Any]] = {"static": staticmethod, "class": classmethod, "plain": undecorated}
DECORATORS: dict[str, Callable[..., Any]] = {
    "as it is": undecorated,
    "decorated": decorated,
    "decorated by a coroutine function": decorated_async,
    "marked for the loop": on_loop,
    "behind functools.partial": functools.partial,
    "behind an object": Decorator,
}


def methods(binding: str, is_async: bool, notes: Notes[Any], loop: Any) -> dict[str, Callable[..., Any]]:
    """What each method does: it notes its name, its first argument and the others."""

    def method(name: str, result: Callable[[Any], Any]) -> Callable[..., Any]:
        def work(*args: Any, **arguments: Any) -> Any:
            if binding == "class":
                assert isinstance(args[0], type)
                assert issubclass(args[0], Subscription)
                args = args[1:]
            first, info = args
            loop.call_soon_threadsafe(notes.add, (name, first, arguments))
            assert info.context.graphql_operation_id == "1"
            return result(first)

        async def work_async(*args: Any, **arguments: Any) -> Any:
            return work(*args, **arguments)

        return work_async if is_async else work

    return {
        "subscribe": method("subscribe", lambda root: ["room"]),
        "initial": method("initial", lambda root: "initial"),
        "publish": method("publish", lambda payload: {"text": payload}),
        "unsubscribed": method("unsubscribed", lambda root: None),
    }


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
@pytest.mark.parametrize("decorator", DECORATORS)
@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_form_of_method(binding: str, decorator: str, is_async: bool) -> None:
    """Each is called once, with the root or the payload first, and the arguments by name."""
    notes: Notes[Any] = Notes()
    functions = methods(binding, is_async, notes, asyncio.get_running_loop())
    members = {name: BINDINGS[binding](DECORATORS[decorator](function)) for name, function in functions.items()}
    on_event = type(
        "OnEvent",
        (Subscription,),
        {
            "__module__": __name__,
            "Arguments": type("Arguments", (), {"n": graphene.Int()}),
            "text": graphene.String(),
            **members,
        },
    )
    async with connect(schema=schema_of(on_event), confirm_subscriptions=True) as peer:
        await listen(peer, "subscription { event(n: 1) { text } }")
        await peer.expect_next("1", event={"text": "initial"})
        await on_event.broadcast_async(group="room", payload="hello")
        await peer.expect_next("1", event={"text": "hello"})
        peer.complete("1")
        await notes.until(lambda notes: bool(notes) and notes[-1][0] == "unsubscribed")

    assert notes == [
        ("subscribe", None, {"n": 1}),
        ("initial", None, {"n": 1}),
        ("publish", "initial", {"n": 1}),
        ("publish", "hello", {"n": 1}),
        ("unsubscribed", None, {"n": 1}),
    ]


# Outputs


class Colour(graphene.Enum):
    RED = 1


class Named(graphene.Interface):
    name = graphene.String()

    @classmethod
    def resolve_type(cls, value: Any, info: Any) -> type:
        return Dog if value["barks"] else Cat


class Dog(graphene.ObjectType):
    class Meta:
        interfaces = (Named,)

    barks = graphene.Boolean()


class Cat(graphene.ObjectType):
    class Meta:
        interfaces = (Named,)


class Pet(graphene.Union):
    class Meta:
        types = (Dog, Cat)

    @classmethod
    def resolve_type(cls, value: Any, info: Any) -> type:
        return Dog if value["barks"] else Cat


DOG = {"name": "Rex", "barks": True}
OUTPUTS: dict[str, tuple[Any, str, Any, str, Any]] = {
    "a scalar": (graphene.Int, "Int", 5, "", 5),
    "a scalar with an argument": (graphene.Decimal, "Decimal", "1.50", "", "1.50"),
    "a type that cannot be null": (graphene.NonNull(graphene.String), "String!", "a", "", "a"),
    "a list": (graphene.List(graphene.Int), "[Int]", [1, None], "", [1, None]),
    "a list that cannot be null": (
        graphene.NonNull(graphene.List(graphene.NonNull(Dog))),
        "[Dog!]!",
        [DOG],
        "{ name }",
        [{"name": "Rex"}],
    ),
    "an enum": (Colour, "Colour", 1, "", "RED"),
    "an object": (Dog, "Dog", DOG, "{ name barks }", DOG),
    "an interface": (Named, "Named", DOG, "{ __typename name }", {"__typename": "Dog", "name": "Rex"}),
    "a union": (Pet, "Pet", DOG, "{ ... on Dog { name } }", {"name": "Rex"}),
    "a type by a function": (functools.partial(lambda: Dog), "Dog", DOG, "{ name }", {"name": "Rex"}),
    "a type by its path": (f"{__name__}.Dog", "Dog", DOG, "{ name }", {"name": "Rex"}),
}


@pytest.mark.parametrize("how", ["as an attribute", "in Meta"])
@pytest.mark.parametrize(("output", "sdl", "payload", "selection", "expected"), situations(OUTPUTS))
async def test_an_output(output: Any, sdl: str, payload: Any, selection: str, expected: Any, how: str) -> None:
    """It is the field's type, and what `publish` returns is resolved as such."""

    async def publish(payload: Any, info: Any) -> Any:
        return payload

    member = {"Output": output} if how == "as an attribute" else {"Meta": type("Meta", (), {"output": output})}
    on_event = type("OnEvent", (Subscription,), {"__module__": __name__, "publish": staticmethod(publish), **member})
    schema = schema_of(on_event, types=[Dog, Cat])

    assert f"event: {sdl}\n" in str(schema)
    async with connect(schema=schema, confirm_subscriptions=True) as peer:
        await listen(peer, f"subscription {{ event {selection} }}")
        await on_event.broadcast_async(payload=payload)
        await peer.expect_next("1", event=expected)


# Meta


async def meta_subscribe(root: Any, info: Any, n: int) -> list[str]:
    return [f"room {n}"]


def meta_publish(payload: Any, info: Any, n: int) -> Any:
    return {"name": payload, "n": n}


left: Notes[int] = Notes()


async def meta_unsubscribed(root: Any, info: Any, n: int) -> None:
    left.add(n)


class ByMeta(Subscription):
    """Everything in Meta."""

    class Meta:
        subscribe = meta_subscribe
        publish = meta_publish
        unsubscribed = meta_unsubscribed
        arguments = {"n": graphene.Int(required=True)}
        interfaces = (Named,)
        name = "OnNamed"
        description = "Says a name."

    n = graphene.Int()

    @classmethod
    def is_type_of(cls, root: Any, info: Any) -> bool:
        return True


async def test_meta() -> None:
    """Methods, arguments and what every type of graphene takes."""
    schema = schema_of(ByMeta)
    left.clear()

    async with connect(schema=schema, confirm_subscriptions=True) as peer:
        await listen(peer, "subscription { event(n: 7) { name n } }")
        await ByMeta.broadcast_async(group="room 7", payload="Ada")
        await peer.expect_next("1", event={"name": "Ada", "n": 7})
    await left.reached(1)

    assert left == [7]
    assert '"""Says a name."""\n  event(n: Int!): OnNamed' in str(schema)
    assert "type OnNamed implements Named" in str(schema)


async def test_the_error_of_a_wrong_return_of_subscribe() -> None:
    """Unmasked, it has the code that says what it is; masked, it says nothing."""

    class Wrong(Subscription):
        text = graphene.String()

        @staticmethod
        async def subscribe(root: Any, info: Any) -> Any:
            return "room"

        @staticmethod
        async def publish(payload: Any, info: Any) -> None: ...

    for masks, extensions in ((False, {"code": "AssertionError"}), (True, None)):
        async with connect(schema=schema_of(Wrong), mask_errors=masks) as peer:
            peer.subscribe("1", "subscription { event { text } }")
            answer = await peer.receive()

        assert answer["type"] == "error"
        assert answer["payload"][0].get("extensions") == extensions
