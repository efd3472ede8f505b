"""Which subscriptions share one execution of an event, and which do not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_gqlws.execution import workers
from tests.support.sharing import ON_EVENT, Since, declare, say, serve, subscribed, texts
from tests.support.tables import situations
from tests.unit.execution.run import Hops

Publish = Callable[..., Any]


async def test_equal_subscriptions() -> None:
    """One execution serves them all."""
    on_event = declare(say)
    consumer = serve(on_event)
    peers = [await subscribed(consumer, user=str(number)) for number in range(10)]
    since = Since()

    for number in range(3):
        await on_event.broadcast(group="room", payload=number)

    for peer in peers:
        assert await texts(peer, 3) == [0, 1, 2]
    assert (since.executed, since.delivered, since.shared) == (3, 30, 30)


async def test_equal_subscriptions_on_one_socket() -> None:
    """Each gets the result under its own id, once."""
    on_event = declare(say)
    peer = await subscribed(serve(on_event))
    await peer.subscribe("2", ON_EVENT)
    since = Since()

    for number in range(3):
        await on_event.broadcast(group="room", payload=number)

    assert await texts(peer, 3, "1") == await texts(peer, 3, "2") == [0, 1, 2]
    assert since.executed == 3


async def test_a_sync_publish(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cohort costs one thread hop."""

    def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        return {"text": payload}

    on_event = declare(publish)
    consumer = serve(on_event)
    peers = [await subscribed(consumer) for _ in range(10)]
    hops = Hops(workers.run)
    monkeypatch.setattr(workers, "run", hops.run)

    await on_event.broadcast(group="room", payload=1)

    for peer in peers:
        assert await texts(peer, 1) == [1]
    assert hops.count == 1


async def test_members_of_different_groups() -> None:
    """They share what comes to the group that they have in common."""

    async def subscribe(root: object, info: Any, **arguments: Any) -> list[str]:
        return ["room", info.context.user]

    on_event = declare(say, subscribe=subscribe)
    consumer = serve(on_event)
    ann, bob = [await subscribed(consumer, user=name) for name in ("ann", "bob")]
    since = Since()

    await on_event.broadcast(group="ann", payload="for ann")
    await on_event.broadcast(group="room", payload="for both")
    await on_event.broadcast(payload="for all")

    assert await texts(ann, 3) == ["for ann", "for both", "for all"]
    assert await texts(bob, 2) == ["for both", "for all"]
    assert since.executed == 3


HOOKS: dict[str, dict[str, Any]] = {
    "none": {},
    "plain hooks": {"on_connect": lambda self, payload: None, "on_operation": lambda self, *args: None},
}


@pytest.mark.parametrize("hooks", situations(HOOKS))
async def test_hooks_that_set_nothing(hooks: dict[str, Any]) -> None:
    """They, and the thread hops that they cost, make nobody different."""

    def subscribe(root: object, info: Any, room: str) -> list[str]:
        return [room]

    on_event = declare(say, subscribe=subscribe)
    consumer = serve(on_event, **hooks)
    peers = [await subscribed(consumer) for _ in range(2)]
    since = Since()

    await on_event.broadcast(group="room", payload=1)

    assert [await texts(peer, 1) for peer in peers] == [[1], [1]]
    assert since.executed == 1


async def count_users_on_the_loop(root: object, info: Any, **arguments: Any) -> list[str]:
    await User.objects.acount()
    return ["room"]


async def iterate_users_on_the_loop(root: object, info: Any, **arguments: Any) -> list[str]:
    async for _ in User.objects.all():
        pass
    return ["room"]


def count_users_in_a_thread(root: object, info: Any, **arguments: Any) -> list[str]:
    User.objects.count()
    return ["room"]


QUERIES: dict[str, Publish] = {
    "on the loop": count_users_on_the_loop,
    "iterating on the loop": iterate_users_on_the_loop,
    "in a thread": count_users_in_a_thread,
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("subscribe", situations(QUERIES))
async def test_a_subscribe_that_uses_the_database(subscribe: Publish) -> None:
    """It makes nobody different."""
    on_event = declare(say, subscribe=subscribe)
    consumer = serve(on_event)
    peers = [await subscribed(consumer) for _ in range(2)]
    since = Since()

    await on_event.broadcast(group="room", payload=1)

    assert [await texts(peer, 1) for peer in peers] == [[1], [1]]
    assert since.executed == 1


# What differs is executed for each


VALUES: list[Any] = [
    {},
    {"given": None},
    {"given": 1},
    {"given": True},
    {"given": 1.0},
    {"given": "1"},
    {"given": 0},
    {"given": False},
    {"given": 0.0},
    {"given": -0.0},
    {"given": ""},
    {"given": []},
    {"given": {}},
    {"given": 2**70},
    {"given": 2**70 + 1},
    {"given": "\ud800"},
    {"given": "\\ud800"},
    {"given": [1, [2]]},
    {"given": [[1], 2]},
    {"given": 1, "unknown": 2},
]


async def test_variables() -> None:
    """They are equal if their JSON is: 1, true, 1.0, null and none at all are five different things."""

    async def publish(payload: Any, info: Any, room: str, **arguments: Any) -> dict[str, Any]:
        return {"text": repr(arguments)}

    on_event = declare(publish)
    consumer = serve(on_event)
    peers = [(values, await subscribed(consumer, ON_EVENT, values)) for values in VALUES * 2]
    since = Since()

    await on_event.broadcast(group="room", payload=None)

    for values, peer in peers:
        declared = {name: value for name, value in values.items() if name == "given"}
        assert await texts(peer, 1) == [repr(declared)]
    assert since.executed == len(VALUES)


async def test_the_order_of_keys_in_variables() -> None:
    """It makes no difference."""
    on_event = declare(say)
    consumer = serve(on_event)
    peers = [await subscribed(consumer, ON_EVENT, {"given": given}) for given in ({"a": 1, "b": 2}, {"b": 2, "a": 1})]
    since = Since()

    await on_event.broadcast(group="room", payload=1)

    assert [await texts(peer, 1) for peer in peers] == [[1], [1]]
    assert since.executed == 1


async def test_documents_and_operation_names() -> None:
    """Subscriptions share within one operation of one document."""
    both = "subscription A { onEvent { text } } subscription B { onEvent { said: text } }"
    asked: list[tuple[str, str | None]] = [
        ("subscription { onEvent { text } }", None),
        ("subscription { onEvent { said: text } }", None),
        (both, "A"),
        (both, "B"),
    ]
    on_event = declare(say)
    consumer = serve(on_event)
    peers = [await subscribed(consumer, query, operation=name) for query, name in asked * 2]
    since = Since()

    await on_event.broadcast(group="room", payload=1)

    keys = [list((await peer.data("1", 1))[0]["onEvent"]) for peer in peers]
    assert keys == [["text"], ["said"], ["text"], ["said"]] * 2
    assert since.executed == len(asked)


async def test_consumers_that_mask_errors_and_others() -> None:
    """The words of an unexpected exception stay with those who may read them."""

    async def publish(payload: Any, info: Any, **arguments: Any) -> None:
        raise ValueError("a secret of the server")

    on_event = declare(publish)
    consumer = serve(on_event, mask_errors=True)
    frank = type("Frank", (consumer,), {"mask_errors": False})
    masked = [await subscribed(consumer) for _ in range(2)]
    told = [await subscribed(frank) for _ in range(2)]
    consumer.mask_errors = False
    told.append(await subscribed(consumer))

    await on_event.broadcast(group="room", payload=1)

    for peers, message in ((masked, "Internal server error"), (told, "a secret of the server")):
        for peer in peers:
            [result] = await peer.results("1", 1)
            assert [error["message"] for error in result["errors"]] == [message]


async def test_consumers_with_different_middleware() -> None:
    """Each sees its own."""

    async def shout(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
        result = resolve(root, info, **arguments)
        result = await result if asyncio.iscoroutine(result) else result
        return f"{result}!" if info.field_name == "text" else result

    on_event = declare(say)
    consumer = serve(on_event)
    loud = type("Loud", (consumer,), {"middleware": [shout]})
    peers = [await subscribed(one) for one in (consumer, loud) * 2]
    since = Since()

    await on_event.broadcast(group="room", payload="hello")

    assert [await texts(peer, 1) for peer in peers] == [["hello"], ["hello!"]] * 2
    assert since.executed == 2


async def test_a_class_that_shares_nothing() -> None:
    """`shared = False`: publish is called for each subscriber."""
    calls: list[int] = []

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        calls.append(len(calls))
        return {"text": calls[-1]}

    on_event = declare(publish, shared=False)
    consumer = serve(on_event)
    peers = [await subscribed(consumer) for _ in range(5)]
    since = Since()

    await on_event.broadcast(group="room", payload=1)

    assert sorted([(await texts(peer, 1))[0] for peer in peers]) == [0, 1, 2, 3, 4]
    assert (since.executed, since.shared) == (5, 0)


async def share_by_tenant(root: object, info: Any, **arguments: Any) -> Any:
    return info.context.channels_scope["tenant"]


def share_by_tenant_in_a_thread(root: object, info: Any, **arguments: Any) -> Any:
    return info.context.channels_scope["tenant"]


@pytest.mark.parametrize("share_key", [share_by_tenant, share_by_tenant_in_a_thread])
async def test_a_share_key(share_key: Publish) -> None:
    """Those with an equal one share although the context is read; those without one do not."""

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        scope = info.context.channels_scope
        return {"text": scope["tenant"] or scope["user"]}

    on_event = declare(publish, share_key=share_key)
    consumer = serve(on_event)
    people = [("ann", "x"), ("bob", "y"), ("cat", None), ("dan", "x"), ("eve", None), ("fay", "y")]
    peers = [await subscribed(consumer, user=user, tenant=tenant) for user, tenant in people]
    since = Since()

    await on_event.broadcast(group="room", payload=1)

    assert [await texts(peer, 1) for peer in peers] == [["x"], ["y"], ["cat"], ["x"], ["eve"], ["y"]]
    assert (since.executed, since.shared) == (4, 4)


@pytest.mark.parametrize("first", [None, 1])
async def test_debug(first: int | None, settings: Any) -> None:
    """`extensions` say whether a result was shared."""
    settings.DEBUG = True

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        return {"text": payload or info.context.user}

    on_event = declare(publish)
    consumer = serve(on_event)
    peers = [await subscribed(consumer, user=name) for name in ("ann", "bob")]

    await on_event.broadcast(group="room", payload=first)

    for peer in peers:
        [result] = await peer.results("1", 1)
        assert result["extensions"] == {"gqlws": {"shared": first is not None}}
