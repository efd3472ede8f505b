"""Context variables cannot be noticed when they are read: those who share have the same in all of them."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest
from django.utils import timezone, translation
from django.utils.translation import gettext, gettext_lazy

from django_gqlws import on_loop
from tests.support.peers import Peer
from tests.support.sharing import ON_EVENT, Since, declare, join_room, say, serve, subscribed, texts
from tests.support.tables import situations

Publish = Callable[..., Any]


tenant: ContextVar[str] = ContextVar("tenant")


async def tell_tenant(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
    return {"text": tenant.get()}


def set_by_middleware(consumer: type) -> Any:
    application = consumer.as_asgi()  # type: ignore[attr-defined]

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        tenant.set(scope["tenant"])
        await application(scope, receive, send)

    return middleware


async def set_async(self: Any, *args: Any) -> None:
    tenant.set(self.scope["tenant"])


def set_plainly(self: Any, *args: Any) -> None:
    tenant.set(self.scope["tenant"])


async def subscribe_setting(root: object, info: Any, **arguments: Any) -> list[str]:
    tenant.set(info.context.channels_scope["tenant"])
    return ["room"]


def subscribe_setting_plainly(root: object, info: Any, **arguments: Any) -> list[str]:
    tenant.set(info.context.channels_scope["tenant"])
    return ["room"]


PLACES: dict[str, tuple[Publish, dict[str, Any], Callable[[Any], Any]]] = {
    "an ASGI middleware": (join_room, {}, set_by_middleware),
    "on_connect": (join_room, {"on_connect": set_async}, lambda consumer: consumer.as_asgi()),
    "a plain on_connect": (join_room, {"on_connect": set_plainly}, lambda consumer: consumer.as_asgi()),
    "on_operation": (join_room, {"on_operation": set_async}, lambda consumer: consumer.as_asgi()),
    "a plain on_operation": (join_room, {"on_operation": set_plainly}, lambda consumer: consumer.as_asgi()),
    "subscribe": (subscribe_setting, {}, lambda consumer: consumer.as_asgi()),
    "a plain subscribe": (subscribe_setting_plainly, {}, lambda consumer: consumer.as_asgi()),
}


@pytest.mark.parametrize(("subscribe", "hooks", "application_of"), situations(PLACES))
async def test_a_context_variable(subscribe: Publish, hooks: dict[str, Any], application_of: Any) -> None:
    """Those for whom it has the same value share, wherever it was set."""
    on_event = declare(tell_tenant, subscribe=subscribe)
    application = application_of(serve(on_event, **hooks))
    peers = []
    for name in ("x", "y", "x", "y"):
        peers.append(await Peer.connect(application, tenant=name))
        await peers[-1].subscribe("1", ON_EVENT)
    since = Since()

    for _ in range(2):
        await on_event.broadcast(group="room", payload=1)

    assert [await texts(peer, 2) for peer in peers] == [["x", "x"], ["y", "y"]] * 2
    assert since.executed == 4


async def test_a_context_variable_for_each_operation_of_a_socket() -> None:
    """Two equal subscriptions of one socket may differ in it."""

    async def on_operation(self: Any, op_id: str, payload: Any) -> None:
        tenant.set(op_id)

    on_event = declare(tell_tenant)
    peer = await subscribed(serve(on_event, on_operation=on_operation))
    await peer.subscribe("2", ON_EVENT)

    await on_event.broadcast(group="room", payload=1)

    assert (await texts(peer, 1, "1"), await texts(peer, 1, "2")) == (["1"], ["2"])


@pytest.mark.parametrize("kind", ["async", "in a worker"])
async def test_a_context_variable_set_by_an_earlier_event(kind: str) -> None:
    """Each execution begins with what the operation began with."""

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        before = tenant.get("nobody's")
        tenant.set(payload)
        return {"text": before}

    def publish_plainly(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        before = tenant.get("nobody's")
        tenant.set(payload)
        return {"text": before}

    on_event = declare(publish if kind == "async" else publish_plainly)
    consumer = serve(on_event)
    peers = [await subscribed(consumer) for _ in range(2)]

    for name in ("x", "y"):
        await on_event.broadcast(group="room", payload=name)

    assert [await texts(peer, 2) for peer in peers] == [["nobody's", "nobody's"]] * 2


async def test_a_value_that_cannot_be_compared() -> None:
    """Equal only to itself: an object of each connection's own is shared by its operations alone."""

    class Tenant:
        def __init__(self, name: str) -> None:
            self.name = name

        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    owner: ContextVar[Tenant] = ContextVar("owner")

    async def on_connect(self: Any, payload: Any) -> None:
        owner.set(Tenant(self.scope["user"]))

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        return {"text": owner.get().name}

    on_event = declare(publish)
    consumer = serve(on_event, on_connect=on_connect)
    peers = {name: await subscribed(consumer, user=name) for name in ("ann", "bob")}
    await peers["ann"].subscribe("2", ON_EVENT)
    since = Since()

    await on_event.broadcast(group="room", payload=1)

    assert {name: await texts(peer, 1) for name, peer in peers.items()} == {"ann": ["ann"], "bob": ["bob"]}
    assert await texts(peers["ann"], 1, "2") == ["ann"]
    assert since.executed == 2


@pytest.mark.parametrize("name", ["current_context", "current_context_tenant", "nr_customer"])
async def test_a_variable_of_the_application_with_a_name_like_tracing(name: str) -> None:
    """It counts like any other."""
    variable: ContextVar[str] = ContextVar(name)

    async def on_connect(self: Any, payload: Any) -> None:
        variable.set(self.scope["user"])

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        return {"text": variable.get()}

    on_event = declare(publish)
    consumer = serve(on_event, on_connect=on_connect)
    peers = {user: await subscribed(consumer, user=user) for user in ("ann", "bob")}

    await on_event.broadcast(group="room", payload=1)

    assert {user: await texts(peer, 1) for user, peer in peers.items()} == {"ann": ["ann"], "bob": ["bob"]}


async def test_a_tracing_variable_of_the_settings() -> None:
    """Those who differ in it alone share."""
    trace: ContextVar[str] = ContextVar("our_trace")

    async def on_connect(self: Any, payload: Any) -> None:
        trace.set(self.scope["user"])

    on_event = declare(say)
    consumer = serve(on_event, on_connect=on_connect, tracing_variables=["our_trace"])
    peers = [await subscribed(consumer, user=name) for name in ("ann", "bob")]
    since = Since()

    await on_event.broadcast(group="room", payload=1)

    assert [await texts(peer, 1) for peer in peers] == [[1], [1]]
    assert since.executed == 1


# Language and time zone


async def activate(self: Any, *args: Any) -> None:
    language, zone = self.scope["place"]
    translation.activate(language)
    timezone.activate(zone)


def activate_plainly(self: Any, *args: Any) -> None:
    language, zone = self.scope["place"]
    translation.activate(language)
    timezone.activate(zone)


PARIS, BERLIN, ZURICH = ("fr", "Europe/Paris"), ("de", "Europe/Berlin"), ("de", "Europe/Zurich")


@pytest.mark.parametrize("hook", [activate, activate_plainly])
@pytest.mark.parametrize("name", ["on_connect", "on_operation"])
async def test_language_and_time_zone(hook: Publish, name: str) -> None:
    """They are part of what must be equal."""

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        return {"text": [gettext("Monday"), timezone.get_current_timezone_name()]}

    on_event = declare(publish)
    consumer = serve(on_event, **{name: hook})
    peers = [await subscribed(consumer, place=place) for place in (PARIS, BERLIN, ZURICH) * 2]
    since = Since()

    await on_event.broadcast(group="room", payload=1)

    said = [(await texts(peer, 1))[0][0] for peer in peers]
    assert said == ["lundi", "Montag", "Montag"] * 2
    assert since.executed == 3


@pytest.mark.parametrize("kind", ["async", "in a worker", "on the loop"])
async def test_a_lazy_text(kind: str) -> None:
    """It is written in the language of those who get it."""

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        return {"text": gettext_lazy("Monday")}

    def publish_in_a_worker(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        return {"text": gettext_lazy("Monday")}

    @on_loop
    def publish_at_once(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        return {"text": gettext_lazy("Monday")}

    kinds = {"async": publish, "in a worker": publish_in_a_worker, "on the loop": publish_at_once}
    on_event = declare(kinds[kind])
    consumer = serve(on_event, on_connect=activate)
    peers = [await subscribed(consumer, place=place) for place in (PARIS, BERLIN) * 2]

    await on_event.broadcast(group="room", payload=1)

    assert [await texts(peer, 1) for peer in peers] == [["lundi"], ["Montag"]] * 2
