"""`Subscription`: how it is declared, and how it is sent to."""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import graphene
import pytest
from asgiref.sync import async_to_sync
from channels.layers import channel_layers
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.test import override_settings

from django_gqlws import Subscription
from django_gqlws.broker import process
from django_gqlws.broker.envelope import Envelope, Kind
from django_gqlws.exceptions import BroadcastError, PayloadError, RunningLoopError
from django_gqlws.serialization import unpack
from tests.support.notes import LIMIT
from tests.support.tables import situations
from tests.unit.broker.layer import FakeLayer
from tests.unit.connection.peer import Peer, connect


class Query(graphene.ObjectType):
    value = graphene.String()


def schema_of(subscription: type[Subscription], **options: Any) -> graphene.Schema:
    root = type("Subscriptions", (graphene.ObjectType,), {"event": subscription.Field(**options)})
    return graphene.Schema(query=Query, subscription=root)


async def listen(peer: Peer, document: str = "subscription { event { text } }") -> dict[str, Any]:
    """Subscribe; returns the confirmation, or what came in its place."""
    peer.subscribe("1", document)
    return await peer.receive()


CONFIRMED = {"id": "1", "type": "next", "payload": {"data": None}}


# Declarations


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


class Text(Subscription):
    """What the subscriptions below have in common."""

    class Meta:
        abstract = True

    text = graphene.String()


class StaticAsync(Text):
    @staticmethod
    async def subscribe(root: Any, info: Any) -> list[str]:
        return ["room"]

    @staticmethod
    async def publish(payload: Any, info: Any) -> Any:
        return {"text": payload}


class StaticSync(Text):
    @staticmethod
    def subscribe(root: Any, info: Any) -> tuple[str, ...]:
        return ("room",)

    @staticmethod
    def publish(payload: Any, info: Any) -> Any:
        return {"text": payload}


class PlainAsync(Text):
    async def subscribe(root: Any, info: Any) -> list[str]:  # noqa: N805
        return ["room"]

    async def publish(payload: Any, info: Any) -> Any:  # noqa: N805
        return {"text": payload}


class PlainSync(Text):
    def subscribe(root: Any, info: Any) -> list[str]:  # noqa: N805
        return ["room"]

    def publish(payload: Any, info: Any) -> Any:  # noqa: N805
        return {"text": payload}


class ClassMethods(Text):
    @classmethod
    async def subscribe(cls, root: Any, info: Any) -> list[str]:
        assert cls is ClassMethods
        return ["room"]

    @classmethod
    def publish(cls, payload: Any, info: Any) -> Any:
        return cls(text=payload)


class Decorated(Text):
    @staticmethod
    @decorated
    async def subscribe(root: Any, info: Any) -> list[str]:
        return ["room"]

    @staticmethod
    @decorated
    def publish(payload: Any, info: Any) -> Any:
        return {"text": payload}


class Inherited(StaticAsync):
    pass


class AnotherPublish(StaticSync):
    @staticmethod
    async def publish(payload: Any, info: Any) -> Any:
        return {"text": payload}


async def subscribe_function(root: Any, info: Any) -> list[str]:
    return ["room"]


def publish_function(payload: Any, info: Any) -> Any:
    return {"text": payload}


class ByMeta(Text):
    class Meta:
        subscribe = subscribe_function
        publish = publish_function


class PublishOnly(Text):
    @staticmethod
    async def publish(payload: Any, info: Any) -> Any:
        return {"text": payload}


KINDS = (
    *(StaticAsync, StaticSync, PlainAsync, PlainSync, ClassMethods),
    *(Decorated, Inherited, AnotherPublish, ByMeta, PublishOnly),
)


@pytest.mark.parametrize("subscription", KINDS, ids=lambda kind: kind.__name__)
async def test_a_kind_of_declaration(subscription: type[Subscription]) -> None:
    """It subscribes and delivers."""
    group = None if subscription is PublishOnly else "room"
    async with connect(schema=schema_of(subscription), confirm_subscriptions=True) as peer:
        assert await listen(peer) == CONFIRMED

        await subscription.broadcast_async(group=group, payload="hello")

        await peer.expect_next("1", event={"text": "hello"})


class WithArguments(Text):
    class Arguments:
        room = graphene.String(required=True)
        times = graphene.Int(default_value=2)

    unsubscribed_with: list[Any] = []

    @staticmethod
    async def subscribe(root: Any, info: Any, room: str, times: int) -> list[str]:
        assert root is None
        return [room]

    @staticmethod
    async def publish(payload: Any, info: Any, room: str, times: int) -> WithArguments:
        return WithArguments(text=f"{room}: {payload * times}")

    @staticmethod
    def unsubscribed(root: Any, info: Any, room: str, times: int) -> None:
        assert root is None
        WithArguments.unsubscribed_with.append((room, times))


async def test_arguments() -> None:
    """All three methods get them, defaults included."""
    async with connect(schema=schema_of(WithArguments), confirm_subscriptions=True) as peer:
        assert await listen(peer, 'subscription { event(room: "lobby") { text } }') == CONFIRMED
        await WithArguments.broadcast_async(group="lobby", payload="ha")
        await peer.expect_next("1", event={"text": "lobby: haha"})

    assert WithArguments.unsubscribed_with == [("lobby", 2)]


class OfOutput(Subscription):
    Output = graphene.List(graphene.Int)

    @staticmethod
    async def publish(payload: Any, info: Any) -> Any:
        return payload


class OfMetaOutput(Subscription):
    class Meta:
        output = graphene.List(graphene.Int)
        arguments = {"unused": graphene.Int()}
        name = "Renamed"
        description = "Numbers."

    @staticmethod
    async def publish(payload: Any, info: Any, unused: int | None = None) -> Any:
        return payload


@pytest.mark.parametrize("subscription", [OfOutput, OfMetaOutput])
async def test_another_output(subscription: type[Subscription]) -> None:
    """Any type of graphene may stand for the class."""
    async with connect(schema=schema_of(subscription), confirm_subscriptions=True) as peer:
        assert await listen(peer, "subscription { event }") == CONFIRMED
        await subscription.broadcast_async(payload=[1, 2])

        await peer.expect_next("1", event=[1, 2])


FIELDS: dict[str, tuple[type[Subscription], dict[str, Any], str]] = {
    "as it is": (StaticAsync, {}, "event: StaticAsync"),
    "another name": (StaticAsync, {"name": "other"}, "other: StaticAsync"),
    "required": (StaticAsync, {"required": True}, "event: StaticAsync!"),
    "deprecated": (StaticAsync, {"deprecation_reason": "old"}, 'event: StaticAsync @deprecated(reason: "old")'),
    "described": (StaticAsync, {"description": "Words."}, '"""Words."""\n  event: StaticAsync'),
    "arguments": (WithArguments, {}, "event(room: String!, times: Int = 2): WithArguments"),
    "output": (OfOutput, {}, "event: [Int]"),
    "meta": (OfMetaOutput, {}, '"""Numbers."""\n  event(unused: Int): [Int]'),
}


@pytest.mark.parametrize(("subscription", "options", "sdl"), situations(FIELDS))
def test_a_field(subscription: type[Subscription], options: dict[str, Any], sdl: str) -> None:
    """It stands in the schema as it was asked for."""
    assert sdl in str(schema_of(subscription, **options))


async def test_a_required_field() -> None:
    """It is served like any other, and None still sends nothing."""

    class Required(Text):
        @staticmethod
        async def publish(payload: Any, info: Any) -> Any:
            return payload and {"text": payload}

    async with connect(schema=schema_of(Required, required=True), confirm_subscriptions=True) as peer:
        assert await listen(peer) == CONFIRMED
        await Required.broadcast_async(payload=None)
        await Required.broadcast_async(payload="hello")

        await peer.expect_next("1", event={"text": "hello"})


def test_a_class_without_publish() -> None:
    """It is an error when the class is made, and says what is missing."""
    with pytest.raises(AssertionError, match=r"Silent needs a method publish\(payload, info, \*\*arguments\)"):

        class Silent(Text):
            pass


WRONG_OPTIONS: dict[str, tuple[str, Any, str]] = {
    "an unknown policy": (
        "notification_queue_policy",
        "drop_newest",
        """notification_queue_policy is 'drop_newest': write "drop_oldest" or "close".""",
    ),
    "no policy": ("notification_queue_policy", None, "notification_queue_policy is None: write"),
    "a list of policies": ("notification_queue_policy", ["close"], r"notification_queue_policy is \['close'\]: write"),
    "a limit of text": ("notification_queue_limit", "64", "notification_queue_limit is '64': write a number, or None"),
    "a limit with a fraction": ("notification_queue_limit", 1.5, "notification_queue_limit is 1.5: write a number"),
}


@pytest.mark.parametrize(("option", "value", "message"), situations(WRONG_OPTIONS))
def test_a_wrong_option(option: str, value: Any, message: str) -> None:
    """It is an error when the class is made, and says what to write."""
    with pytest.raises(AssertionError, match=f"^Wrong\\.{message}"):
        type("Wrong", (StaticAsync,), {option: value})


OPTIONS: dict[str, tuple[str, Any]] = {
    "drop the oldest": ("notification_queue_policy", "drop_oldest"),
    "close": ("notification_queue_policy", "close"),
    "a limit": ("notification_queue_limit", 64),
    "the limit of the settings": ("notification_queue_limit", None),
    "a limit of 0": ("notification_queue_limit", 0),
    "a negative limit": ("notification_queue_limit", -1),
}


@pytest.mark.parametrize(("option", "value"), situations(OPTIONS))
async def test_an_option(option: str, value: Any) -> None:
    """The subscription works with it."""
    subscription = type("Right", (StaticAsync,), {option: value})
    async with connect(schema=schema_of(subscription), confirm_subscriptions=True) as peer:
        assert await listen(peer) == CONFIRMED
        await subscription.broadcast_async(payload="hello")

        await peer.expect_next("1", event={"text": "hello"})


WRONG_RETURNS: dict[str, tuple[Any, str]] = {
    "a bare text": ("room", "returned 'room': return a list of group names"),
    "a set": ({"room"}, "returned {'room'}: return a list of group names"),
    "a dict": ({"room": 1}, "return a list of group names"),
    "a number": (5, "return a list of group names"),
    "False": (False, "return a list of group names"),
    "None in a list": ([None], "the group is None; it is named by a str, an int or a UUID"),
    "a list in a list": ([["room"]], "the group is ['room']; it is named by"),
    "bytes in a list": ([b"room"], "the group is b'room'; it is named by"),
    "a bool in a list": ([True], "the group is True; it is named by"),
    "a float in a list": ([1.0], "the group is 1.0; it is named by"),
}


@pytest.mark.parametrize(("returned", "message"), situations(WRONG_RETURNS))
async def test_a_wrong_return_of_subscribe(returned: Any, message: str) -> None:
    """The client gets an error that says what to return instead."""

    class Wrong(Text):
        @staticmethod
        async def subscribe(root: Any, info: Any) -> Any:
            return returned

        @staticmethod
        async def publish(payload: Any, info: Any) -> None: ...

    async with connect(schema=schema_of(Wrong), confirm_subscriptions=True, mask_errors=False) as peer:
        answer = await listen(peer)

    assert answer["type"] == "error"
    assert message in answer["payload"][0]["message"]


ID = uuid.UUID(int=7)
RETURNS: dict[str, tuple[Any, list[Any]]] = {
    "None": (None, []),
    "nothing": ([], []),
    "a list": (["a", "b"], ["a", "b"]),
    "a tuple": (("a",), ["a"]),
    "a number": ([42], [42]),
    "a number as text": (["42"], [42]),
    "a UUID": ([ID], [ID]),
    "a UUID as text": ([str(ID)], [ID]),
    "duplicates": (["a", "a", 42, "42"], ["a", 42]),
    "an empty text": ([""], [""]),
}


@pytest.mark.parametrize(("returned", "groups"), situations(RETURNS))
def test_the_groups_of_a_subscription(returned: Any, groups: list[Any]) -> None:
    """The class's own, and what was returned: by its text, each once."""
    assert StaticAsync._group_names(returned) == [StaticAsync._group_name(group) for group in (None, *groups)]


def test_groups_of_different_classes() -> None:
    """They are different, also those of a subclass, and follow the prefix of the settings."""
    names = {kind._group_name("room") for kind in KINDS} | {kind._group_name(None) for kind in KINDS}
    with override_settings(GQLWS={"GROUP_NAME_PREFIX": "other"}):
        names.add(StaticAsync._group_name("room"))
        assert StaticAsync._group_name("room").startswith("other-")

    assert len(names) == 2 * len(KINDS) + 1


# Sending


@pytest.fixture
async def layer() -> FakeLayer:
    """The project's channel layer, on the loop of the test."""
    layer = FakeLayer()
    channel_layers.set("default", layer)
    return layer


@pytest.fixture
def sync_layer() -> Iterator[FakeLayer]:
    """The project's channel layer, for a test without a loop; what sends in the background ends with the test."""
    layer = FakeLayer()
    channel_layers.set("default", layer)
    yield layer
    process._background.stop()


def sent(layer: FakeLayer) -> list[tuple[Kind, Any]]:
    envelopes = [Envelope.from_message(message) for message in layer.sent]
    return [(one.kind, unpack(one.payload) if one.payload else None) for one in envelopes]


def test_a_broadcast_without_a_loop(sync_layer: FakeLayer) -> None:
    """It has been sent when the call returns, to the group or to the whole class."""
    assert StaticAsync.broadcast(group="room", payload="a") is None
    StaticAsync.broadcast_sync(payload="b")
    StaticAsync.unsubscribe(group="room")
    StaticAsync.unsubscribe_sync()

    assert sent(sync_layer) == [
        (Kind.EVENT, "a"),
        (Kind.EVENT, "b"),
        (Kind.UNSUBSCRIBE, None),
        (Kind.UNSUBSCRIBE, None),
    ]
    groups = [message["group"] for message in sync_layer.sent]
    assert groups == [StaticAsync._group_name("room"), StaticAsync._group_name(None)] * 2


async def test_a_broadcast_on_a_loop(layer: FakeLayer) -> None:
    """It gives a task that may be awaited."""
    task = StaticAsync.broadcast(group="room", payload="a")
    assert isinstance(task, asyncio.Task)
    await task
    await StaticAsync.broadcast_async(payload="b")
    unsubscribing = StaticAsync.unsubscribe()
    assert unsubscribing is not None
    await unsubscribing
    await StaticAsync.unsubscribe_async(group="room")

    assert sent(layer) == [
        (Kind.EVENT, "a"),
        (Kind.EVENT, "b"),
        (Kind.UNSUBSCRIBE, None),
        (Kind.UNSUBSCRIBE, None),
    ]


async def test_a_broadcast_that_nobody_awaits(layer: FakeLayer) -> None:
    """It is sent all the same, in the order of the calls."""
    for number in range(100):
        StaticAsync.broadcast(payload=number)

    await layer.calls.reached(100)
    assert [payload for _, payload in sent(layer)] == list(range(100))


async def test_an_awaited_call_behind_one_that_is_not(layer: FakeLayer) -> None:
    """They are sent in the order of the calls, and what was awaited has been sent."""
    StaticAsync.broadcast(payload="a")
    await StaticAsync.broadcast_async(payload="b")
    assert sent(layer) == [(Kind.EVENT, "a"), (Kind.EVENT, "b")]

    StaticAsync.broadcast(payload="c")
    await StaticAsync.unsubscribe_async()
    StaticAsync.unsubscribe()
    await StaticAsync.broadcast_async(payload="d")

    assert sent(layer)[2:] == [
        (Kind.EVENT, "c"),
        (Kind.UNSUBSCRIBE, None),
        (Kind.UNSUBSCRIBE, None),
        (Kind.EVENT, "d"),
    ]


async def test_a_broadcast_whose_task_is_cancelled(layer: FakeLayer) -> None:
    """It is sent all the same: the task only waits for it."""
    task = StaticAsync.broadcast(payload="a")
    assert task is not None
    task.cancel()

    await StaticAsync.broadcast_async(payload="b")

    assert [payload for _, payload in sent(layer)] == ["a", "b"]


def short(view: Callable[[], Any]) -> None:
    """What a loop of a view's own is: it ends as soon as the view returns."""
    asyncio.run(view())


def in_thread(view: Callable[[], Any]) -> None:
    with ThreadPoolExecutor() as pool:
        pool.submit(short, view).result(LIMIT)


SHORT_LOOPS: dict[str, Callable[[Callable[[], Any]], None]] = {
    "asyncio.run": short,
    "asyncio.run in a thread": in_thread,
    "async_to_sync": lambda view: async_to_sync(view)(),
}


@pytest.mark.parametrize("run", situations(SHORT_LOOPS))
def test_a_loop_that_ends_before_its_broadcasts_are_sent(
    run: Callable[[Callable[[], Any]], None], sync_layer: FakeLayer
) -> None:
    """They are sent all the same, in the order of the calls and before those that come later."""

    async def view() -> None:
        sync_layer.stick()
        for number in range(10):
            StaticAsync.broadcast(payload=number)
        StaticAsync.unsubscribe()

    run(view)
    StaticAsync.broadcast(payload="later")

    events = [(Kind.EVENT, number) for number in range(10)]
    assert sent(sync_layer) == [*events, (Kind.UNSUBSCRIBE, None), (Kind.EVENT, "later")]


def test_a_thread_that_broadcasts_while_loops_come_and_go(sync_layer: FakeLayer) -> None:
    """None of its broadcasts fails or waits for them, and neither does one of theirs."""

    async def view(number: int) -> None:
        if number % 2:
            await StaticAsync.broadcast_async(payload=f"view {number}")
        else:
            StaticAsync.broadcast(payload=f"view {number}")

    def serve_views() -> None:
        for number in range(50):
            asyncio.run(view(number))

    with ThreadPoolExecutor() as pool:
        views = [pool.submit(serve_views) for _ in range(2)]
        for number in range(50):
            StaticAsync.broadcast(payload=f"thread {number}")
        for served in views:
            served.result(LIMIT)

    payloads = [payload for _, payload in sent(sync_layer)]
    assert [payload for payload in payloads if payload.startswith("thread")] == [f"thread {n}" for n in range(50)]
    assert sorted(payload for payload in payloads if payload.startswith("view")) == sorted(
        f"view {number}" for number in range(50) for _ in range(2)
    )


WRONG_GROUPS: dict[str, Any] = {
    "a list": ["room"],
    "a bool": True,
    "a number with a fraction": 1.5,
    "bytes": b"room",
}


@pytest.mark.parametrize("method", ["broadcast", "broadcast_async", "unsubscribe", "unsubscribe_async"])
@pytest.mark.parametrize("group", situations(WRONG_GROUPS))
async def test_a_wrong_group_on_a_loop(layer: FakeLayer, group: Any, method: str) -> None:
    """The call raises, and says what names a group; nothing is sent."""
    with pytest.raises(
        TypeError, match=f"StaticAsync: the group is {re.escape(repr(group))}; .* a str, an int or a UUID"
    ):
        await getattr(StaticAsync, method)(group=group)

    assert layer.sent == []


@pytest.mark.parametrize("method", ["broadcast", "broadcast_sync", "unsubscribe", "unsubscribe_sync"])
@pytest.mark.parametrize("group", situations(WRONG_GROUPS))
def test_a_wrong_group_without_a_loop(sync_layer: FakeLayer, group: Any, method: str) -> None:
    """It is the same."""
    with pytest.raises(TypeError, match="named by a str, an int or a UUID"):
        getattr(StaticAsync, method)(group=group)

    assert sync_layer.sent == []


async def test_a_payload_that_changes_after_the_call(layer: FakeLayer) -> None:
    """What was there at the call is sent."""
    payload = {"text": "before"}
    task = StaticAsync.broadcast(payload=payload)
    payload["text"] = "after"
    assert task is not None
    await task

    assert sent(layer) == [(Kind.EVENT, {"text": "before"})]


@pytest.mark.parametrize("method", ["broadcast", "broadcast_sync", "broadcast_async"])
async def test_a_payload_that_cannot_be_packed(layer: FakeLayer, method: str) -> None:
    """The call raises, with the path to what is wrong; nothing is sent."""
    with pytest.raises(PayloadError, match=r'payload\["a"\]: object cannot be packed'):
        await getattr(StaticAsync, method)(payload={"a": object()})

    assert layer.sent == []


@pytest.mark.parametrize("method", ["broadcast_sync", "unsubscribe_sync"])
async def test_a_sync_call_on_a_loop(layer: FakeLayer, method: str) -> None:
    """It is refused, and says what to call instead."""
    with pytest.raises(RunningLoopError, match=r"await the \.\.\._async method"):
        getattr(StaticAsync, method)()


async def test_a_layer_that_fails(layer: FakeLayer) -> None:
    """Who awaits the task gets the error."""
    layer.failures["send"] = 2

    with pytest.raises(BroadcastError):
        await StaticAsync.broadcast_async()
    task = StaticAsync.broadcast()
    assert task is not None
    with pytest.raises(BroadcastError):
        await task


async def test_a_layer_that_fails_and_nobody_awaits(layer: FakeLayer) -> None:
    """The error is logged."""
    logged: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: logged.append(context))
    layer.failures["send"] = 1

    StaticAsync.broadcast()
    await layer.calls.reached(1)
    await asyncio.sleep(0)

    assert [type(context["exception"]) for context in logged] == [BroadcastError]


@override_settings(CHANNEL_LAYERS={})
async def test_no_channel_layer() -> None:
    """The error says what to write into the settings."""
    channel_layers.backends.clear()

    with pytest.raises(ImproperlyConfigured, match="add CHANNEL_LAYERS"):
        await StaticAsync.broadcast_async()


# Transactions


@pytest.mark.django_db(transaction=True)
class TestTransactions:
    """A broadcast without a loop, while the database of this thread is in `atomic()`."""

    def test_a_commit(self, sync_layer: FakeLayer) -> None:
        """It is sent behind it, packed at the call."""
        payload = {"text": "before"}
        with transaction.atomic():
            assert StaticAsync.broadcast(payload=payload) is None
            StaticAsync.broadcast_sync(payload="b")
            StaticAsync.unsubscribe()
            payload["text"] = "after"
            assert sync_layer.sent == []

        assert sent(sync_layer) == [(Kind.EVENT, {"text": "before"}), (Kind.EVENT, "b"), (Kind.UNSUBSCRIBE, None)]

    def test_a_rollback(self, sync_layer: FakeLayer) -> None:
        """It is never sent."""
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            StaticAsync.broadcast(payload="a")
            raise ZeroDivisionError

        assert sync_layer.sent == []

    def test_a_rollback_to_a_savepoint(self, sync_layer: FakeLayer) -> None:
        """What was broadcast inside is not sent, what was broadcast around it is."""
        with transaction.atomic():
            StaticAsync.broadcast(payload="before")
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                StaticAsync.broadcast(payload="inside")
                raise ZeroDivisionError
            StaticAsync.broadcast(payload="behind")

        assert [payload for _, payload in sent(sync_layer)] == ["before", "behind"]

    def test_not_waiting_for_the_commit(self, sync_layer: FakeLayer) -> None:
        """It is sent at once."""
        with transaction.atomic():
            StaticAsync.broadcast(payload="a", on_commit=False)
            StaticAsync.unsubscribe(on_commit=False)
            assert len(sync_layer.sent) == 2

    def test_the_default_database_by_name(self, sync_layer: FakeLayer) -> None:
        """It is the same."""
        with transaction.atomic():
            StaticAsync.broadcast(payload="a", using="default")
            assert sync_layer.sent == []

        assert len(sync_layer.sent) == 1

    def test_a_failure_behind_the_commit(self, sync_layer: FakeLayer, caplog: pytest.LogCaptureFixture) -> None:
        """It is logged; the request, which is committed, goes on, and so do the other broadcasts."""
        sync_layer.failures["send"] = 1
        with transaction.atomic():
            StaticAsync.broadcast(payload="lost")
            StaticAsync.broadcast(payload="a")

        assert [payload for _, payload in sent(sync_layer)] == ["a"]
        [record] = caplog.records
        assert record.levelno == logging.ERROR
        assert "StaticAsync: the event after the commit was not sent" in record.getMessage()
