"""One channel for all subscribers of an event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest
from channels.layers import channel_layers
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_gqlws.broker import hub as hub_module
from django_gqlws.broker.bus import Bus, Message
from django_gqlws.broker.envelope import Envelope, Kind
from django_gqlws.broker.event import Event
from django_gqlws.broker.hub import TURN, Hub
from django_gqlws.counters import counters
from django_gqlws.exceptions import BroadcastError
from django_gqlws.serialization import pack
from tests.support.clock import pass_time
from tests.support.notes import LIMIT, Notes
from tests.support.tables import situations
from tests.unit.broker.layer import FakeLayer, SwallowingLayer


class Listening:
    """A subscriber that notes what it is offered."""

    def __init__(self) -> None:
        self.events: Notes[Any] = Notes()
        self.lost = 0
        self.steps = 0

    def offer(self, event: Event) -> None:
        self.lost += event.lost
        self.events.add(event.unpack() if event.kind is Kind.EVENT else event.kind)

    keep = offer

    def step(self) -> None:
        self.steps += 1


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub tries again at once."""
    monkeypatch.setattr(hub_module, "FIRST_RETRY", 0)
    monkeypatch.setattr(hub_module, "LAST_RETRY", 0)


def new_bus() -> Bus:
    return Bus(list[Message]().extend)


def message(group: str, payload: Any) -> Message:
    return Message(Kind.EVENT, group, pack(payload))


async def send(group: str, payload: Any) -> None:
    await new_bus().post(message(group, payload))


async def test_a_hundred_joins_at_once(layer: FakeLayer) -> None:
    """The group is joined once, and everybody gets the message."""
    hub, listeners = Hub(), [Listening() for _ in range(100)]

    await asyncio.gather(*(hub.join(listener, ["room"]) for listener in listeners))
    await send("room", "hello")

    for listener in listeners:
        await listener.events.reached(1)
        assert listener.events == ["hello"]
    assert layer.calls.count("add room") == 1


async def test_a_join_returns_when_the_layer_has_joined(layer: FakeLayer) -> None:
    """Not earlier: the next broadcast must not be missed."""
    hub, first, second = Hub(), Listening(), Listening()
    layer.hold()
    joins = [asyncio.create_task(hub.join(listener, ["room"])) for listener in (first, second)]
    await layer.calls.reached(1)
    assert not any(join.done() for join in joins)

    layer.release()
    await asyncio.gather(*joins)

    assert layer.members("room") == 1


async def test_the_last_member_leaves(layer: FakeLayer) -> None:
    """The group is left in the layer with it, not before."""
    hub, first, second = Hub(linger=0), Listening(), Listening()
    await hub.join(first, ["room"])
    await hub.join(second, ["room"])

    hub.leave(first, ["room"])
    await send("room", 1)
    await second.events.reached(1)
    assert "discard room" not in layer.calls
    hub.leave(second, ["room"])
    await layer.calls.reached(1, "discard room")

    assert (first.events, second.events) == ([], [1])


async def test_somebody_who_comes_back_soon(layer: FakeLayer) -> None:
    """The layer hears nothing of it, and what was sent meanwhile is no loss."""
    hub, first, second, bus = Hub(linger=LIMIT), Listening(), Listening(), new_bus()
    await hub.join(first, ["room"])
    hub.leave(first, ["room"])
    await bus.post(message("room", 1))

    await hub.join(second, ["room"])
    await bus.post(message("room", 2))
    await second.events.reached(1)

    assert (second.events, second.lost) == ([2], 0)
    assert layer.calls.count("add room") == 1
    assert "discard room" not in layer.calls


async def test_more_empty_groups_than_are_kept(layer: FakeLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are left at once."""
    monkeypatch.setattr("django_gqlws.broker.hub.MAX_LINGERING", 1)
    hub, listener = Hub(linger=LIMIT), Listening()
    await hub.join(listener, ["lobby", "room"])

    hub.leave(listener, ["lobby", "room"])
    await layer.calls.reached(1, "discard room")

    assert "discard lobby" not in layer.calls


async def test_a_layer_that_fails_while_a_group_is_kept(layer: FakeLayer, impatient: None) -> None:
    """Nobody knows what it has forgotten: who comes back waits for a new join."""
    hub, first, second = Hub(), Listening(), Listening()
    await hub.join(first, ["room"])
    hub.leave(first, ["room"])
    layer.failures["receive"] = 1
    await send("room", "lost")
    await layer.calls.reached(1, "discard room")

    await hub.join(second, ["room"])
    await send("room", 1)

    await second.events.reached(1)


async def test_somebody_who_leaves_twice(layer: FakeLayer) -> None:
    """It does not count for another."""
    hub, stays, leaves = Hub(linger=0), Listening(), Listening()
    await hub.join(stays, ["room"])
    await hub.join(leaves, ["room"])

    hub.leave(leaves, ["room", "elsewhere"])
    hub.leave(leaves, ["room"])
    await send("room", 1)

    await stays.events.reached(1)
    assert "discard room" not in layer.calls


async def test_a_join_while_the_group_is_being_left(layer: FakeLayer) -> None:
    """It waits for a new join in the layer."""
    hub, first, second = Hub(linger=0), Listening(), Listening()
    await hub.join(first, ["room"])
    layer.hold()
    hub.leave(first, ["room"])
    await layer.calls.reached(1, "discard room")

    join = asyncio.create_task(hub.join(second, ["room"]))
    await asyncio.sleep(0)
    assert not join.done()
    layer.release()
    await join
    await send("room", "hello")

    await second.events.reached(1)


async def test_a_leave_while_the_group_is_being_joined(layer: FakeLayer) -> None:
    """The group is left again."""
    hub, listener = Hub(), Listening()
    layer.hold()
    join = asyncio.create_task(hub.join(listener, ["room"]))
    await layer.calls.reached(1, "new_channel")
    join.cancel()
    with pytest.raises(asyncio.CancelledError):
        await join
    other = asyncio.create_task(hub.join(Listening(), ["other"]))

    layer.release()
    await other

    assert layer.members("room") == 0


@pytest.mark.parametrize("seed", range(3))
async def test_joins_and_leaves_in_any_order(layer: FakeLayer, seed: int) -> None:
    """Whoever has joined gets the next message, whoever has left does not."""
    hub, listeners = Hub(), [Listening() for _ in range(8)]
    for number in range(40):
        who = (number * (seed + 3) + seed) % 8
        if (number * 7 + seed) % 3:
            await hub.join(listeners[who], ["room"])
        else:
            hub.leave(listeners[who], ["room"])
            await asyncio.sleep(0)

    for listener in listeners[:4]:
        hub.leave(listener, ["room"])
    await asyncio.gather(*(hub.join(listener, ["room"]) for listener in listeners[4:]))
    await send("room", "last")

    for listener in listeners[4:]:
        await listener.events.reached(1)
    assert [listener.events for listener in listeners] == [[]] * 4 + [["last"]] * 4


async def test_the_order_of_messages(layer: FakeLayer) -> None:
    """It is that of the sends, for every member, and only for their own groups."""
    hub, one, both = Hub(), Listening(), Listening()
    await hub.join(one, ["a"])
    await hub.join(both, ["a", "b"])
    bus = new_bus()

    for number in range(50):
        await bus.post(message("ab"[number % 2], number))

    await both.events.reached(50)
    assert one.events == list(range(0, 50, 2))
    assert both.events == list(range(50))


async def test_a_layer_that_fails_to_join(layer: FakeLayer, impatient: None) -> None:
    """Everybody who waits is told, and the next one can join."""
    hub = Hub()
    layer.failures["add"] = 1

    results = await asyncio.gather(*(hub.join(Listening(), ["room"]) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [BroadcastError] * 3

    await hub.join(listener := Listening(), ["room"])
    await send("room", "hello")
    await listener.events.reached(1)


async def test_a_layer_that_fails_to_join_one_more_group(layer: FakeLayer, impatient: None) -> None:
    """The subscriber is in the groups in which it was before."""
    hub, listening = Hub(), Listening()
    await hub.join(listening, ["room"])
    layer.failures["add"] = 1

    with pytest.raises(BroadcastError):
        await hub.join(listening, ["room", "other"])
    await send("other", 1)
    await send("room", 2)

    await listening.events.reached(1)
    assert listening.events == [2]


async def test_a_layer_that_gives_no_channel_at_first(layer: FakeLayer, impatient: None) -> None:
    """Who comes later finds one."""
    hub = Hub()
    layer.failures["new_channel"] = 1

    with pytest.raises(BroadcastError, match="LayerError"):
        await hub.join(Listening(), ["room"])

    await hub.join(Listening(), ["room"])


async def test_a_layer_that_fails_to_leave(layer: FakeLayer, impatient: None) -> None:
    """Nobody is harmed, and who joins meanwhile gets its messages."""
    hub, first, second = Hub(linger=0), Listening(), Listening()
    await hub.join(first, ["room"])
    layer.failures["discard"] = 1
    hub.leave(first, ["room"])
    await layer.calls.reached(1, "discard room")

    await hub.join(second, ["room"])
    await send("room", 1)

    await second.events.reached(1)


async def test_a_layer_that_fails_while_the_hub_receives(layer: FakeLayer, impatient: None) -> None:
    """It goes on receiving, and joins its groups again: the layer may have forgotten them."""
    hub, listener = Hub(), Listening()
    await hub.join(listener, ["room"])
    failures = counters.receive_failures
    layer.failures["receive"] = 1
    await send("room", "lost")
    await layer.calls.reached(2, "add room")

    await send("room", "hello")
    await listener.events.reached(1)

    assert listener.events == ["hello"]
    assert counters.receive_failures == failures + 1


async def test_a_layer_that_was_gone_for_long(layer: FakeLayer) -> None:
    """Five seconds after it is back at the latest the hub receives from it again, by itself."""
    hub, listener = Hub(), Listening()
    await hub.join(listener, ["room"])
    for number in range(1, 11):
        layer.failures["receive"] = 1
        await send("room", "lost")
        await layer.calls.reached(number, "receive failed")
        pass_time(60)
    layer.failures["receive"] = 1
    await send("room", "lost")
    await layer.calls.reached(11, "receive failed")

    await send("room", "hello")
    pass_time(5)
    for _ in range(100):  # Turns of the loop, and no time: nothing else is waited for.
        await asyncio.sleep(0)

    assert listener.events == ["hello"]


async def test_memberships_expire(layer: FakeLayer) -> None:
    """They are renewed before."""
    layer.group_expiry = 0.002  # type: ignore[attr-defined]
    hub = Hub()

    await hub.join(Listening(), ["room"])

    await layer.calls.reached(4, "add room")


async def test_the_last_member_leaves_while_memberships_are_renewed(layer: FakeLayer, impatient: None) -> None:
    """The group is left in the layer all the same."""
    hub, leaves, stays = Hub(), Listening(), Listening()
    await hub.join(stays, ["other"])
    await hub.join(leaves, ["room"])
    hub._join_again()

    hub.leave(leaves, ["room"])
    await hub.join(Listening(), ["a third"])

    assert layer.members("room") == 0


ENVELOPE = Envelope(Kind.EVENT, "room", "me", 1, 1.5, pack("foreign")).to_message()
FOREIGN: dict[str, dict[str, Any]] = {
    "another version": {"type": "gqlws.envelope", "version": 99},
    "an unknown kind": {**ENVELOPE, "kind": "dance"},
    "a group that is no text": {**ENVELOPE, "group": ["room"]},
    "a sender that is no text": {**ENVELOPE, "sender": {}},
    "a sequence that is no number": {**ENVELOPE, "sequence": "1"},
    "a payload of text": {**ENVELOPE, "payload": "foreign"},
}


@pytest.mark.parametrize("foreign", situations(FOREIGN))
async def test_a_foreign_message(foreign: dict[str, Any], layer: FakeLayer, caplog: pytest.LogCaptureFixture) -> None:
    """It is counted, logged and skipped; what comes behind it arrives."""
    hub, listener = Hub(), Listening()
    await hub.join(listener, ["room"])
    unreadable = counters.unreadable

    await layer.group_send("room", foreign)
    await send("room", "hello")
    await listener.events.reached(1)

    assert listener.events == ["hello"]
    assert counters.unreadable == unreadable + 1
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_messages_that_the_layer_lost(layer: FakeLayer, caplog: pytest.LogCaptureFixture) -> None:
    """Who was there is told how many; it is counted and logged."""
    hub, listener, bus, lost = Hub(), Listening(), new_bus(), counters.lost
    await hub.join(listener, ["room"])
    await bus.post(message("room", 1))
    await listener.events.reached(1)
    members = layer.forget("room")
    await bus.post(message("room", 2))
    await bus.post(message("room", 3))
    await layer.group_add("room", *members)

    await bus.post(message("room", 4))
    await listener.events.reached(2)

    assert listener.events == [1, 4]
    assert listener.lost == counters.lost - lost == 2
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_messages_that_were_sent_while_nobody_was_there(layer: FakeLayer) -> None:
    """They are no loss for who joins next."""
    hub, first, second, bus = Hub(linger=0), Listening(), Listening(), new_bus()
    await hub.join(first, ["room"])
    await bus.post(message("room", 1))
    await first.events.reached(1)
    hub.leave(first, ["room"])
    await layer.calls.reached(1, "discard room")
    await bus.post(message("room", 2))

    await hub.join(second, ["room"])
    await bus.post(message("room", 3))
    await second.events.reached(1)

    assert (second.events, second.lost) == ([3], 0)


async def test_messages_that_were_sent_between_a_leave_and_a_join(layer: FakeLayer) -> None:
    """They are no loss for who was joining while the group was being left."""
    hub, first, second, bus = Hub(linger=0), Listening(), Listening(), new_bus()
    await hub.join(first, ["room"])
    await bus.post(message("room", 1))
    await first.events.reached(1)
    layer.hold()
    hub.leave(first, ["room"])
    await layer.calls.reached(1, "discard room")
    join = asyncio.create_task(hub.join(second, ["room"]))
    missed = bus.post(message("room", 2))
    await layer.calls.reached(2, "send room")
    layer.release()
    layer.hold()  # The join of the layer, which comes next, waits.
    await layer.calls.reached(2, "add room")
    await missed

    layer.release()
    await join
    await bus.post(message("room", 3))
    await second.events.reached(1)

    assert (second.events, second.lost) == ([3], 0)


async def test_when_a_hub_is_open(layer: FakeLayer) -> None:
    """From its first join on, also when all have left: it goes on receiving."""
    hub, listener = Hub(linger=0), Listening()
    assert not hub.is_open

    await hub.join(listener, ["room"])
    assert hub.is_open
    hub.leave(listener, ["room"])
    await layer.calls.reached(1, "discard room")

    assert hub.is_open


async def test_a_subscriber_that_raises(layer: FakeLayer) -> None:
    """The others get their messages, now and later."""

    class Broken(Listening):
        def offer(self, event: Event) -> None:
            raise ValueError

    hub, listener = Hub(), Listening()
    await hub.join(Broken(), ["room"])
    await hub.join(listener, ["room"])

    await send("room", 1)
    await send("room", 2)

    await listener.events.reached(2)


BATCHES: dict[str, tuple[bytes, bool]] = {
    "that cannot be unpacked": (b"\xc1", True),
    "that is no list": (pack(["common", 7]), True),
    "of another version": (pack("all of it"), True),
    "of nothing": (pack(["common", []]), False),
}


@pytest.mark.parametrize(("payload", "is_error"), situations(BATCHES))
async def test_a_batch(layer: FakeLayer, caplog: pytest.LogCaptureFixture, payload: bytes, is_error: bool) -> None:
    """Nobody is offered it, and what comes next arrives."""
    hub, listener = Hub(), Listening()
    await hub.join(listener, ["room"])

    bus = new_bus()
    await bus.post(Message(Kind.BATCH, "room", payload))
    await bus.post(message("room", "next"))
    await listener.events.reached(1)

    assert listener.events == ["next"]
    assert bool(caplog.messages) == is_error


async def test_an_attendant(layer: FakeLayer) -> None:
    """It is told before subscribers of what has come earlier, and its group stays when others leave it."""
    hub, attendant, listeners, bus = Hub(linger=0), Listening(), [Listening() for _ in range(10 * TURN)], new_bus()
    hub.attend(attendant, "orders")
    await asyncio.gather(*(hub.join(listener, ["room", "orders"]) for listener in listeners))
    for listener in listeners:
        hub.leave(listener, ["orders"])

    await asyncio.gather(bus.post(message("room", "gossip")), bus.post(message("orders", "stop")))
    await attendant.events.reached(1)

    assert attendant.events == ["stop"]
    assert listeners[-1].events == []
    assert "discard orders" not in layer.calls


async def test_turns() -> None:
    """Between so many steps of subscribers everything else has its turn."""
    hub, listeners = Hub(), [Listening() for _ in range(2 * TURN + 50)]
    for listener in listeners:
        hub.ready(listener)
    progress = []

    for _ in range(3):
        await asyncio.sleep(0)
        progress.append(sum(listener.steps for listener in listeners))

    assert progress == [TURN, 2 * TURN, 2 * TURN + 50]


async def test_a_step_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and costs nobody else's step."""

    class Broken(Listening):
        def step(self) -> None:
            raise ValueError("no")

    hub, listener = Hub(), Listening()
    hub.ready(Broken())
    hub.ready(listener)

    await asyncio.sleep(0)

    assert listener.steps == 1
    assert [record.levelno for record in caplog.records] == [logging.CRITICAL]


@pytest.mark.parametrize("name", ["new_channel", "add", "discard", "receive"])
def test_a_layer_that_swallows_the_end_of_the_loop(name: str) -> None:
    """The loop ends all the same."""

    async def serve() -> None:
        layer = SwallowingLayer(name)
        channel_layers.set("default", layer)
        hub, listener = Hub(linger=0), Listening()
        joining = asyncio.create_task(hub.join(listener, ["room"]))
        if name == "discard":
            await joining
            hub.leave(listener, ["room"])
        await layer.calls.until(lambda calls: any(call.startswith(name) for call in calls))

    serving = threading.Thread(target=asyncio.run, args=[serve()], daemon=True)
    serving.start()
    serving.join(LIMIT)

    assert not serving.is_alive()


@override_settings(CHANNEL_LAYERS={})
async def test_no_channel_layer() -> None:
    """The error says what to write into the settings."""
    channel_layers.backends.clear()

    with pytest.raises(ImproperlyConfigured, match="add CHANNEL_LAYERS"):
        await Hub().join(Listening(), ["room"])
