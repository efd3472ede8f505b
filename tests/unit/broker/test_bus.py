"""The sending side: in order, bounded, counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

import pytest
from channels.layers import channel_layers
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_gqlws.broker import bus as bus_module
from django_gqlws.broker.bus import Bus, Message
from django_gqlws.broker.envelope import Envelope, Kind
from django_gqlws.counters import counters
from django_gqlws.exceptions import BacklogError, BroadcastError
from tests.support.notes import LIMIT
from tests.unit.broker.layer import FakeLayer, LayerError, RoomyLayer, SwallowingLayer


def new_bus() -> Bus:
    return Bus(list[Message]().extend)


def message(payload: str = "", group: str = "room") -> Message:
    return Message(Kind.EVENT, group, payload.encode())


def payloads(messages: Iterable[Message]) -> list[str]:
    return [message.payload.decode() for message in messages]


def sent(layer: FakeLayer) -> list[str]:
    return [message["payload"].decode() for message in layer.sent]


async def test_the_order_of_sends(layer: FakeLayer) -> None:
    """It is that of the calls, however many are under way, each group with a sequence of its own."""
    bus = new_bus()

    await asyncio.gather(*(bus.post(message(str(number), "ab"[number % 2])) for number in range(100)))

    envelopes = [Envelope.from_message(message) for message in layer.sent]
    assert [envelope.payload for envelope in envelopes] == [str(number).encode() for number in range(100)]
    for group in "ab":
        assert [envelope.sequence for envelope in envelopes if envelope.group == group] == list(range(1, 51))


async def test_what_is_sent(layer: FakeLayer) -> None:
    """An envelope for each message, of whatever kind."""
    bus = new_bus()

    for kind in Kind:
        await bus.post(Message(kind, "room", b"payload"))

    envelopes = [Envelope.from_message(message) for message in layer.sent]
    assert [envelope.kind for envelope in envelopes] == list(Kind)
    assert {(envelope.group, envelope.payload) for envelope in envelopes} == {("room", b"payload")}


async def test_a_message_that_nobody_awaits(layer: FakeLayer) -> None:
    """It is sent in its place all the same."""
    bus = new_bus()

    bus.post(message("first"))
    await bus.post(message("second"))

    assert sent(layer) == ["first", "second"]


async def test_one_send_at_a_time(layer: FakeLayer) -> None:
    """A layer that is slow gets no second call before it has answered the first."""
    bus = new_bus()
    layer.hold()
    posted = [bus.post(message()) for _ in range(3)]
    await layer.calls.reached(1)
    await asyncio.sleep(0)
    assert len(layer.calls) == 1

    layer.release()
    await asyncio.gather(*posted)

    assert len(layer.calls) == 3


async def test_a_layer_that_takes_several(roomy_layer: RoomyLayer) -> None:
    """What comes while it is busy goes in one call, in the order of the posts, whatever the groups."""
    bus = new_bus()
    roomy_layer.hold()
    posted = [bus.post(message("0", "a"))]
    await roomy_layer.calls.reached(1)

    posted += [bus.post(message(str(number), "abc"[number % 3])) for number in range(1, 6)]
    roomy_layer.release()
    await asyncio.gather(*posted)

    assert list(roomy_layer.calls) == ["send a", "send b c a b c"]
    assert sent(roomy_layer) == ["0", "1", "2", "3", "4", "5"]


async def test_a_layer_that_takes_several_but_one(roomy_layer: RoomyLayer) -> None:
    """Its sender alone is told, with the reason."""
    bus, failures, count = new_bus(), counters.send_failures, counters.sent
    roomy_layer.refused = {"b"}

    first, second, third = await asyncio.gather(
        *(bus.post(message(group, group)) for group in "abc"), return_exceptions=True
    )

    assert (first, third) == (None, None)
    assert isinstance(second, BroadcastError)
    assert str(second) == "The channel layer did not take the message: LayerError: b"
    assert isinstance(second.__cause__, LayerError)
    assert sent(roomy_layer) == ["a", "c"]
    assert (counters.send_failures - failures, counters.sent - count) == (1, 2)


async def test_more_than_a_layer_gets_in_one_call(roomy_layer: RoomyLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest goes in the next one."""
    monkeypatch.setattr(bus_module, "MAX_TOGETHER", 2)
    bus = new_bus()

    await asyncio.gather(*(bus.post(message(group, group)) for group in "abcde"))

    assert list(roomy_layer.calls) == ["send a b", "send c d", "send e"]


async def test_more_bytes_than_a_layer_gets_in_one_call(
    roomy_layer: RoomyLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message that is too much is the last one of its call; a large one goes alone."""
    monkeypatch.setattr(bus_module, "MAX_TOGETHER_BYTES", 10)
    bus = new_bus()

    await asyncio.gather(
        *(bus.post(message(size * "x", group)) for group, size in zip("abcd", (4, 6, 20, 1), strict=True))
    )

    assert list(roomy_layer.calls) == ["send a b", "send c", "send d"]


async def test_two_senders(layer: FakeLayer) -> None:
    """Each is known by a name of its own."""
    await new_bus().post(message())
    await new_bus().post(message())

    first, second = (Envelope.from_message(message) for message in layer.sent)
    assert first.sender != second.sender
    assert first.sequence == second.sequence == 1


async def test_a_layer_that_fails(layer: FakeLayer) -> None:
    """The sender is told, with the reason, and what waits behind goes through."""
    bus, failures, count = new_bus(), counters.send_failures, counters.sent
    layer.failures["send"] = 1

    first, second = bus.post(message()), bus.post(message())
    with pytest.raises(BroadcastError, match="did not take the message: LayerError: send"):
        await first
    await second

    assert (counters.send_failures - failures, counters.sent - count) == (1, 1)


@override_settings(CHANNEL_LAYERS={})
async def test_no_channel_layer() -> None:
    """The error says what to write into the settings, and the next message is tried again."""
    channel_layers.backends.clear()
    bus = new_bus()

    with pytest.raises(ImproperlyConfigured, match="add CHANNEL_LAYERS"):
        await bus.post(message())
    channel_layers.set("default", layer := FakeLayer())
    await bus.post(message("hello"))

    assert sent(layer) == ["hello"]


async def test_the_backlog_is_bounded(layer: FakeLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One message too many is an error at once; what waits is sent."""
    monkeypatch.setattr(bus_module, "MAX_WAITING", 3)
    bus, failures = new_bus(), counters.send_failures
    layer.hold()
    posted = [bus.post(message("waits")) for _ in range(3)]

    with pytest.raises(BacklogError, match="3 messages wait"):
        bus.post(message("too many"))
    assert counters.send_failures - failures == 1

    layer.release()
    await asyncio.gather(*posted)
    await bus.post(message("later"))
    assert sent(layer) == [*["waits"] * 3, "later"]


async def test_a_message_whose_sender_waits_no_longer(layer: FakeLayer) -> None:
    """It is sent all the same: its number in the sequence is given."""
    bus = new_bus()
    layer.hold()
    under_way, waiting, last = (bus.post(message(name)) for name in ("under way", "waiting", "last"))
    await layer.calls.reached(1)

    under_way.cancel()
    waiting.cancel()
    layer.release()
    await last

    assert sent(layer) == ["under way", "waiting", "last"]


async def test_a_failure_of_a_message_that_was_taken_back(layer: FakeLayer) -> None:
    """It is counted, and nothing else comes of it."""
    bus, failures = new_bus(), counters.send_failures
    layer.failures["send"] = 1
    layer.hold()
    taken_back, last = bus.post(message("taken back")), bus.post(message("last"))
    await layer.calls.reached(1)

    taken_back.cancel()
    layer.release()
    await last

    assert sent(layer) == ["last"]
    assert counters.send_failures - failures == 1


def test_a_loop_that_ends(sync_layer: FakeLayer) -> None:
    """What was not sent goes to whoever inherits it, in order, also what was being sent."""
    inherited: list[Message] = []

    async def view() -> None:
        bus = Bus(inherited.extend)
        sync_layer.stick()
        for name in ("under way", "second", "third"):
            bus.post(message(name))
        await sync_layer.calls.reached(1)

    asyncio.run(view())

    assert sync_layer.sent == []
    assert payloads(inherited) == ["under way", "second", "third"]


def test_a_layer_that_swallows_the_end_of_a_loop() -> None:
    """What it was sending is sent; the rest is inherited."""
    inherited: list[Message] = []
    layer = SwallowingLayer("send")
    channel_layers.set("default", layer)

    async def view() -> None:
        bus = Bus(inherited.extend)
        for name in ("under way", "second", "third"):
            bus.post(message(name))
        await layer.calls.reached(1)

    asyncio.run(view())

    assert sent(layer) == ["under way"]
    assert payloads(inherited) == ["second", "third"]


def test_a_message_of_a_task_that_is_being_cancelled_with_the_loop(sync_layer: FakeLayer) -> None:
    """It is inherited, and the loop does not wait for it."""
    inherited: list[Message] = []
    outcome: list[type[BaseException] | None] = []

    async def goodbye(bus: Bus) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            try:
                async with asyncio.timeout(LIMIT):
                    await bus.post(message("goodbye"))
            except BaseException as error:
                outcome.append(type(error))
                raise

    async def view() -> None:
        bus = Bus(inherited.extend)
        sync_layer.stick()
        bus.post(message("under way"))
        leaving = asyncio.create_task(goodbye(bus))
        await sync_layer.calls.reached(1)
        assert not leaving.done()

    asyncio.run(view())

    assert payloads(inherited) == ["under way", "goodbye"]
    assert outcome == [asyncio.CancelledError]


def test_a_loop_that_ends_when_everything_is_sent(sync_layer: FakeLayer, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is inherited, and nothing is logged."""
    inherited: list[Message] = []

    async def view() -> None:
        await Bus(inherited.extend).post(message("hello"))

    asyncio.run(view())

    assert sent(sync_layer) == ["hello"]
    assert inherited == []
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


async def test_the_groups_that_a_sender_remembers(layer: FakeLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are bounded; a group that was forgotten begins again at 1."""
    monkeypatch.setattr(bus_module, "MAX_SEQUENCES", 2)
    bus = new_bus()

    for group in "aabcab":
        await bus.post(message(group=group))

    assert [(message["group"], message["sequence"]) for message in layer.sent] == [
        ("a", 1),
        ("a", 2),
        ("b", 1),
        ("c", 1),
        ("a", 1),
        ("b", 1),
    ]
