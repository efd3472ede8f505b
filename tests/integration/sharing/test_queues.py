"""A member that cannot keep up, or that the channel layer fails, loses its own notifications and is told so."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from channels.layers import get_channel_layer

from django_gqlws.subscription import declaration
from tests.support.notes import Notes
from tests.support.peers import Peer
from tests.support.sharing import ON_EVENT, Since, Stage, declare, say, serve, subscribed, texts


def said(text: Any, *, dropped: int = 0) -> dict[str, Any]:
    """A result, and what it tells of those before it."""
    result: dict[str, Any] = {"data": {"onEvent": {"text": text}}}
    return {**result, "extensions": {"gqlws": {"dropped": dropped}}} if dropped else result


async def test_a_publish_that_is_too_slow(caplog: pytest.LogCaptureFixture) -> None:
    """The whole cohort keeps the newest, and each member is told once how many are missing."""
    stage = Stage()
    on_event = declare(stage, notification_queue_limit=2)
    consumer = serve(on_event)
    peers = [await subscribed(consumer) for _ in range(3)]
    since = Since()
    await on_event.broadcast(group="room", payload=1)
    await stage.began.reached(1)

    for number in range(2, 7):
        await on_event.broadcast(group="room", payload=number)
    behind = await subscribed(consumer, ON_EVENT, {"given": "another cohort"})
    stage.open()

    for peer in peers:
        assert await peer.results("1", 3) == [said(1, dropped=3), said(5), said(6)]
    assert (since.executed, since.dropped) == (3, 9)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3
    assert behind.payloads("1") == [{"data": None}]


async def test_a_client_that_does_not_read() -> None:
    """It costs its own notifications, and delays nobody: not even as the one who would lead."""
    on_event = declare(say, notification_queue_limit=2)
    consumer = serve(on_event)
    slow, *others = [await subscribed(consumer) for _ in range(3)]
    slow.hold()

    for number in range(10):
        await on_event.broadcast(group="room", payload=number)
        for peer in others:
            await peer.results("1", number + 1)
    slow.release()

    for peer in others:
        assert await texts(peer, 10) == list(range(10))
    # The first was on its way when the client stopped to read.
    assert await slow.results("1", 3) == [said(0), said(8, dropped=7), said(9)]


async def test_a_queue_that_is_full_of_bytes() -> None:
    """The oldest make room."""
    stage = Stage()
    on_event = declare(stage)
    peer = await subscribed(serve(on_event, subscription_notification_queue_bytes=1_000))
    await on_event.broadcast(group="room", payload=1)
    await stage.began.reached(1)

    for letter in "abcd":
        await on_event.broadcast(group="room", payload=letter * 400)
    await on_event.broadcast(group="room", payload="end")
    await (other := await subscribed(serve(on_event))).barrier()
    stage.open()

    assert await peer.results("1", 4) == [said(1, dropped=2), said("c" * 400), said("d" * 400), said("end")]
    assert other.payloads("1") == [{"data": None}]


@pytest.mark.parametrize("slow", ["the client", "publish"])
async def test_a_subscription_that_is_closed_when_it_is_full(slow: str) -> None:
    """`notification_queue_policy = "close"`: one `error`, `unsubscribed` runs, and the others get everything."""
    gone: Notes[str] = Notes()

    async def unsubscribed(root: object, info: Any, **arguments: Any) -> None:
        gone.add(info.context.user)

    stage = Stage()
    if slow == "the client":
        stage.open()
    on_event = declare(stage, unsubscribed=unsubscribed, notification_queue_policy="close", notification_queue_limit=2)
    consumer = serve(on_event)
    ann, bob = [await subscribed(consumer, user=name) for name in ("ann", "bob")]
    if slow == "the client":
        ann.hold()

    for number in range(4):
        await on_event.broadcast(group="room", payload=number)
        if slow == "the client":
            await bob.results("1", number + 1)
    await gone.reached(1, "ann")
    stage.open()
    ann.release()

    await ann.until(lambda messages: messages[-1]["type"] == "error")
    [error] = ann.messages[-1]["payload"]
    assert error["message"] == "This subscription was ended: its notifications were not read fast enough."
    if slow == "the client":
        assert await texts(bob, 4) == [0, 1, 2, 3]
        assert gone == ["ann"]


async def test_a_leader_who_is_closed_because_it_is_full() -> None:
    """The next one leads."""
    stage = Stage()
    on_event = declare(stage, notification_queue_policy="close", notification_queue_limit=2)
    consumer = serve(on_event)
    ann = await subscribed(consumer, user="ann")
    await on_event.broadcast(group="room", payload=1)
    await stage.began.reached(1)
    await on_event.broadcast(group="room", payload=2)
    bob = await subscribed(consumer, user="bob")

    await on_event.broadcast(group="room", payload=3)
    await on_event.broadcast(group="room", payload=4)
    await ann.until(lambda messages: messages[-1]["type"] == "error")
    stage.open()

    assert await texts(bob, 2) == [3, 4]


async def test_messages_that_the_layer_loses(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Every subscriber of the group is told of the gap with the next message, which is shared all the same."""
    on_event = declare(say)
    consumer = serve(on_event)
    peers = [await subscribed(consumer) for _ in range(3)]
    layer = get_channel_layer()
    since = Since()
    await on_event.broadcast(group="room", payload=1)
    with monkeypatch.context() as loses:

        async def lose(group: str, message: dict[str, Any]) -> None:
            pass

        loses.setattr(layer, "group_send", lose)
        for number in (2, 3):
            await on_event.broadcast(group="room", payload=number)

    for number in (4, 5):
        await on_event.broadcast(group="room", payload=number)

    for peer in peers:
        assert await peer.results("1", 3) == [said(1), said(4, dropped=2), said(5)]
    assert (since.lost, since.executed) == (2, 3)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize("shared", [True, False])
async def test_a_payload_that_cannot_be_unpacked(
    shared: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It costs that one notification, and is logged once for all of them."""
    on_event = declare(say, shared=shared)
    consumer = serve(on_event)
    peers = [await subscribed(consumer) for _ in range(3)]
    since = Since()

    await on_event.broadcast(group="room", payload=1)
    with monkeypatch.context() as poisoned:
        poisoned.setattr(declaration, "pack", lambda payload: b"\xc1")
        await on_event.broadcast(group="room", payload=2)
    await on_event.broadcast(group="room", payload=3)

    assert [await texts(peer, 2) for peer in peers] == [[1, 3]] * 3
    assert since.unreadable == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_what_is_dropped_in_debug(settings: Any) -> None:
    """Both things are told in one place."""
    settings.DEBUG = True
    stage = Stage()
    on_event = declare(stage, notification_queue_limit=1)
    peer = await subscribed(serve(on_event))
    await on_event.broadcast(group="room", payload=1)
    await stage.began.reached(1)
    for number in (2, 3):
        await on_event.broadcast(group="room", payload=number)
    await Peer.connect(serve(on_event).as_asgi())

    stage.open()

    first, last = await peer.results("1", 2)
    assert first["extensions"] == {"gqlws": {"dropped": 1, "shared": True}}
    assert last["extensions"] == {"gqlws": {"shared": True}}
