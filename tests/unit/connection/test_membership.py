"""Groups that a subscription joins and leaves while it lives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import graphene
import pytest
from channels.layers import channel_layers

from django_gqlws import Subscription
from django_gqlws.exceptions import BroadcastError, NotSubscribedError
from django_gqlws.execution.context import OperationContext
from tests.support.notes import Notes
from tests.support.tables import situations
from tests.unit.broker.layer import FakeLayer
from tests.unit.connection.peer import Peer, connect


class Stage:
    def __init__(self) -> None:
        self.contexts: list[OperationContext] = []
        self.began: Notes[Any] = Notes()
        self.gate = asyncio.Event()
        self.unsubscribed: Notes[str] = Notes()


stage: Stage


@pytest.fixture(autouse=True)
async def own_stage() -> None:
    global stage
    stage = Stage()


class OnEvent(Subscription):
    """Listens to `home`. The payloads of `publish` are (text, what else it does)."""

    class Arguments:
        too_early = graphene.Boolean(default_value=False)

    text = graphene.String()

    @staticmethod
    async def subscribe(root: Any, info: Any, too_early: bool) -> list[str]:
        stage.contexts.append(info.context)
        if too_early:
            await info.context.join("too early")
        return ["home"]

    @staticmethod
    async def publish(payload: tuple[str, str], info: Any, too_early: bool) -> OnEvent:
        text, deed = payload
        stage.began.add(text)
        if deed == "waits":
            await stage.gate.wait()
        elif deed == "joins":
            await info.context.join("later")
        elif deed == "leaves":
            await asyncio.create_task(leave_home(info.context))
        return OnEvent(text=text)

    @staticmethod
    async def unsubscribed(root: Any, info: Any, too_early: bool) -> None:
        await info.context.join("too late")
        stage.unsubscribed.add(info.context.graphql_operation_id)


class OnSyncEvent(Subscription):
    """Sync throughout."""

    text = graphene.String()

    @staticmethod
    def subscribe(root: Any, info: Any) -> list[str]:
        return ["home"]

    @staticmethod
    def publish(payload: tuple[str, str], info: Any) -> OnSyncEvent:
        text, deed = payload
        if deed == "joins":
            assert info.context.join("later") is None
        elif deed == "leaves":
            assert info.context.leave("home") is None
        return OnSyncEvent(text=text)


async def leave_home(context: OperationContext) -> None:
    left = context.leave("home")
    assert left is not None
    await left


class Query(graphene.ObjectType):
    join = graphene.String()

    @staticmethod
    async def resolve_join(root: Any, info: Any) -> None:
        await info.context.join("room")


class Subscriptions(graphene.ObjectType):
    on_event = OnEvent.Field()
    on_sync_event = OnSyncEvent.Field()


SCHEMA = graphene.Schema(query=Query, subscription=Subscriptions)
EVENT = "subscription { onEvent { text } }"
FIELDS: dict[str, tuple[type[Subscription], str]] = {
    "async": (OnEvent, "onEvent"),
    "sync": (OnSyncEvent, "onSyncEvent"),
}


def connect_here(**settings: Any) -> Any:
    return connect(schema=SCHEMA, confirm_subscriptions=True, mask_errors=False, **settings)


async def listen(peer: Peer, id: str = "1", field: str = "onEvent") -> OperationContext | None:
    """Subscribe, and return its context when no broadcast can be missed."""
    peer.subscribe(id, f"subscription {{ {field} {{ text }} }}")
    assert await peer.receive() == {"id": id, "type": "next", "payload": {"data": None}}
    return stage.contexts[-1] if stage.contexts else None


async def awaited(change: Awaitable[None] | None) -> None:
    assert change is not None
    await change


async def send(group: Any, text: str, deed: str = "", subscription: type[Subscription] = OnEvent) -> None:
    await subscription.broadcast_async(group=group, payload=(text, deed))


async def expect(peer: Peer, *texts: str, field: str = "onEvent") -> None:
    for text in texts:
        await peer.expect_next("1", **{field: {"text": text}})


async def on_the_loop(change: Callable[[], Awaitable[None] | None]) -> None:
    await awaited(change())


async def in_a_thread(change: Callable[[], Awaitable[None] | None]) -> None:
    await asyncio.to_thread(lambda: _assert_none(change()))


async def on_another_loop(change: Callable[[], Awaitable[None] | None]) -> None:
    async def call() -> None:
        await awaited(change())

    await asyncio.to_thread(asyncio.run, call())


def _assert_none(value: object) -> None:
    assert value is None


FROM = {"the loop": on_the_loop, "a thread": in_a_thread, "another loop": on_another_loop}
Caller = Callable[[Callable[[], Awaitable[None] | None]], Awaitable[None]]


@pytest.mark.parametrize("call", situations(FROM))
async def test_joining_and_leaving(call: Caller) -> None:
    """When the call is done, no broadcast is missed, or none comes any more; the other groups are as they were."""
    async with connect_here() as peer:
        context = await listen(peer)
        assert context is not None

        await call(lambda: context.join("a", "b"))
        await send("a", "in a")
        await send("b", "in b")
        await expect(peer, "in a", "in b")

        await call(lambda: context.leave("a"))
        await send("a", "not heard")
        await send("b", "in b")
        await send("home", "at home")
        await expect(peer, "in b", "at home")


@pytest.mark.parametrize(("subscription", "field"), situations(FIELDS))
async def test_a_publish_that_joins(subscription: type[Subscription], field: str) -> None:
    """It is this subscription alone that joins: the result is personal."""
    async with connect_here() as peer, connect_here() as other:
        await listen(peer, field=field)
        await listen(other, field=field)

        await send("home", "joining", "joins", subscription)
        await expect(peer, "joining", field=field)
        await expect(other, "joining", field=field)
        await send("later", "later", "", subscription)

        await expect(peer, "later", field=field)
        await expect(other, "later", field=field)


@pytest.mark.parametrize(("subscription", "field"), situations(FIELDS))
async def test_a_publish_that_leaves_its_own_group(subscription: type[Subscription], field: str) -> None:
    """Its result is delivered, and nothing behind it."""
    async with connect_here() as peer:
        await listen(peer, field=field)
        await awaited(subscription.broadcast(group="home", payload=("goodbye", "leaves")))
        await send("home", "not heard", "", subscription)
        await expect(peer, "goodbye", field=field)

        await send(None, "to all", "", subscription)

        await expect(peer, "to all", field=field)


@pytest.mark.parametrize("shared", [True, False])
async def test_leaving_while_events_wait(shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its publish is busy with and what waits behind it is dropped; the events of other groups are delivered."""
    monkeypatch.setattr(OnEvent, "shared", shared)
    async with connect_here() as peer:
        context = await listen(peer)
        assert context is not None
        await send("home", "is executed", "waits")
        await send("home", "waits")
        await send(None, "to all")
        await stage.began.reached(1, "is executed")

        await awaited(context.leave("home"))

        await expect(peer, "to all")
        assert stage.began == ["is executed", "to all"]
        await send(None, "more")
        await expect(peer, "more")


async def test_leaving_while_a_turn_waits() -> None:
    """Nothing is left to be done in that turn; the subscription goes on."""
    async with connect_here(strict_ordering=True) as peer:
        await listen(peer, "1")
        context = await listen(peer, "2")
        assert context is not None
        await send("home", "one", "waits")
        await stage.began.reached(1)

        await awaited(context.leave("home"))
        stage.gate.set()
        await expect(peer, "one")
        await send(None, "to all")

        await expect(peer, "to all")
        await peer.expect_next("2", onEvent={"text": "to all"})


async def test_leaving_while_another_executes_for_all() -> None:
    """The leader's client gets its result; who has left gets nothing of it, and goes on."""
    async with connect_here() as leader, connect_here() as leaver:
        await listen(leader)
        context = await listen(leaver)
        assert context is not None
        await send("home", "one", "waits")
        await stage.began.reached(1)

        await awaited(context.leave("home"))
        stage.gate.set()
        await expect(leader, "one")
        await send(None, "to all")

        await expect(leader, "to all")
        await expect(leaver, "to all")


async def test_the_leader_leaves() -> None:
    """Another one executes the event."""
    async with connect_here() as leaver, connect_here() as other:
        context = await listen(leaver)
        assert context is not None
        await listen(other)
        await send("home", "one", "waits")
        await stage.began.reached(1)

        await awaited(context.leave("home"))
        await stage.began.reached(2, "one")
        stage.gate.set()

        await expect(other, "one")
        leaver.assert_silence()


async def test_an_unsubscribe_from_a_group_that_was_joined_later() -> None:
    """It ends the subscription; from one that was left it does not."""
    async with connect_here() as peer:
        context = await listen(peer)
        assert context is not None
        await awaited(context.join("later", "left"))
        await awaited(context.leave("left"))

        await OnEvent.unsubscribe_async(group="left")
        await OnEvent.unsubscribe_async(group="later")

        assert await peer.receive() == {"id": "1", "type": "complete"}
        await stage.unsubscribed.reached(1)


SAME: dict[str, tuple[Any, Any]] = {
    "a number and its text": (42, "42"),
    "a UUID and its text": (UUID(int=5), str(UUID(int=5))),
}


@pytest.mark.parametrize(("joined", "left"), situations(SAME))
async def test_names_of_groups(joined: Any, left: Any) -> None:
    """They are compared by their text, as everywhere; a group is joined once, however often."""
    async with connect_here() as peer:
        context = await listen(peer)
        assert context is not None

        await awaited(context.join(joined, left))
        await awaited(context.join(joined))
        await send(left, "once")
        await awaited(context.leave(left))
        await send(joined, "not heard")
        await send("home", "at home")

        await expect(peer, "once", "at home")


@pytest.mark.parametrize("method", ["join", "leave"])
@pytest.mark.parametrize("group", [None, ["a"], 1.5, True])
async def test_what_names_no_group(method: str, group: Any) -> None:
    """The call raises, and says what does."""
    async with connect_here() as peer:
        context = await listen(peer)

        with pytest.raises(TypeError, match="named by a str, an int or a UUID"):
            getattr(context, method)(group)


@pytest.mark.parametrize("method", ["join", "leave"])
async def test_a_subscription_that_is_over(method: str) -> None:
    """Nothing happens: who calls cannot know."""
    async with connect_here() as peer:
        context = await listen(peer)
        assert context is not None
        peer.complete("1")
        await stage.unsubscribed.reached(1)

        await awaited(getattr(context, method)("room"))
        await asyncio.to_thread(getattr(context, method), "room")

        assert await peer.execute("{ __typename }") == {"data": {"__typename": "Query"}}


async def test_an_operation_that_is_no_subscription() -> None:
    """The error says who joins groups."""
    async with connect_here() as peer:
        result = await peer.execute("{ join }")
        assert result["errors"][0]["message"].startswith("Groups are joined and left by a live `Subscription`")

        peer.subscribe("1", "subscription { onEvent(tooEarly: true) { text } }")
        [error] = (await peer.receive())["payload"]
        assert "``subscribe``, which returns its groups" in error["message"]

    with pytest.raises(NotSubscribedError):
        stage.contexts[0].leave("room")


class TestTheLayer:
    """What the channel layer has to do with it."""

    @pytest.fixture
    def layer(self, monkeypatch: pytest.MonkeyPatch) -> FakeLayer:
        layer = FakeLayer()
        monkeypatch.setitem(channel_layers.backends, "default", layer)
        return layer

    async def test_a_join_that_takes_its_time(self, layer: FakeLayer) -> None:
        """Who has stopped waiting has joined all the same; nothing of the event loop waits."""
        async with connect_here() as peer:
            context = await listen(peer)
            assert context is not None
            layer.hold()
            joining = asyncio.ensure_future(context.join("a") or asyncio.sleep(0))
            await layer.calls.until(lambda calls: len([call for call in calls if call.startswith("add")]) == 3)
            joining.cancel()
            also = context.join("a")
            layer.release()
            await awaited(also)

            await send("a", "in a")

            await expect(peer, "in a")

    async def test_a_join_that_fails(self, layer: FakeLayer) -> None:
        """Who waits gets the error; the other groups are as they were, and it may be tried again."""
        async with connect_here() as peer:
            context = await listen(peer)
            assert context is not None
            layer.failures["add"] = 1
            with pytest.raises(BroadcastError):
                await awaited(context.join("a"))
            await awaited(context.join("a"))

            await send("home", "at home")
            await send("a", "in a")

            await expect(peer, "at home", "in a")

    async def test_leaving_while_a_join_waits(self, layer: FakeLayer) -> None:
        """The subscription is not a member; nobody waits for good."""
        async with connect_here() as peer:
            context = await listen(peer)
            assert context is not None
            layer.hold()
            joining = context.join("a")
            await layer.calls.until(lambda calls: len([call for call in calls if call.startswith("add")]) == 3)

            await awaited(context.leave("a"))
            await awaited(joining)
            layer.release()
            await send("a", "not heard")
            await send("home", "at home")

            await expect(peer, "at home")

    async def test_leaving_at_once(self, layer: FakeLayer) -> None:
        """A join that nobody has awaited is taken back."""
        async with connect_here() as peer:
            context = await listen(peer)
            assert context is not None
            context.join("a")
            context.leave("a")

            await send("a", "not heard")
            await send("home", "at home")

            await expect(peer, "at home")

    async def test_the_end_while_a_join_waits(self, layer: FakeLayer) -> None:
        """The connection ends, and who waits goes on."""
        async with connect_here() as peer:
            context = await listen(peer)
            assert context is not None
            layer.hold()
            joining = context.join("a")
            await layer.calls.until(lambda calls: len([call for call in calls if call.startswith("add")]) == 3)

            peer.complete("1")

            await awaited(joining)
            layer.release()
