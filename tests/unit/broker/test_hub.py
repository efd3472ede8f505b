"""One channel for all subscribers of an event loop."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from channels.layers import channel_layers
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_gqlws.broker import hub as hub_module
from django_gqlws.broker.bus import Bus
from django_gqlws.broker.envelope import Kind
from django_gqlws.broker.event import Event
from django_gqlws.broker.hub import TURN, Hub
from django_gqlws.counters import counters
from django_gqlws.exceptions import BroadcastError
from django_gqlws.serialization import pack
from tests.support.notes import Notes
from tests.unit.broker.layer import FakeLayer


class Listening:
    """A subscriber that notes what it is offered."""

    def __init__(self) -> None:
        self.events: Notes[Any] = Notes()
        self.steps = 0

    def offer(self, event: Event) -> None:
        self.events.add(event.unpack() if event.kind is Kind.EVENT else event.kind)

    def step(self) -> None:
        self.steps += 1


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub tries again at once."""
    monkeypatch.setattr(hub_module, "FIRST_RETRY", 0)
    monkeypatch.setattr(hub_module, "LAST_RETRY", 0)


async def send(group: str, payload: Any) -> None:
    await Bus().send(Kind.EVENT, group, pack(payload))


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
    hub, first, second = Hub(), Listening(), Listening()
    await hub.join(first, ["room"])
    await hub.join(second, ["room"])

    hub.leave(first, ["room"])
    await send("room", 1)
    await second.events.reached(1)
    assert "discard room" not in layer.calls
    hub.leave(second, ["room"])
    await layer.calls.reached(1, "discard room")

    assert (first.events, second.events) == ([], [1])


async def test_somebody_who_leaves_twice(layer: FakeLayer) -> None:
    """It does not count for another."""
    hub, stays, leaves = Hub(), Listening(), Listening()
    await hub.join(stays, ["room"])
    await hub.join(leaves, ["room"])

    hub.leave(leaves, ["room", "elsewhere"])
    hub.leave(leaves, ["room"])
    await send("room", 1)

    await stays.events.reached(1)
    assert "discard room" not in layer.calls


async def test_a_join_while_the_group_is_being_left(layer: FakeLayer) -> None:
    """It waits for a new join in the layer."""
    hub, first, second = Hub(), Listening(), Listening()
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
    bus = Bus()

    for number in range(50):
        await bus.send(Kind.EVENT, "ab"[number % 2], pack(number))

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


async def test_a_layer_that_gives_no_channel_at_first(layer: FakeLayer, impatient: None) -> None:
    """Who comes later finds one."""
    hub = Hub()
    layer.failures["new_channel"] = 1

    with pytest.raises(BroadcastError, match="LayerError"):
        await hub.join(Listening(), ["room"])

    await hub.join(Listening(), ["room"])


async def test_a_layer_that_fails_to_leave(layer: FakeLayer, impatient: None) -> None:
    """Nobody is harmed, and who joins meanwhile gets its messages."""
    hub, first, second = Hub(), Listening(), Listening()
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


async def test_a_foreign_message(layer: FakeLayer, caplog: pytest.LogCaptureFixture) -> None:
    """It is counted, logged and skipped."""
    hub, listener = Hub(), Listening()
    await hub.join(listener, ["room"])
    unreadable = counters.unreadable

    await layer.group_send("room", {"type": "gqlws.envelope", "version": 99})
    await send("room", "hello")
    await listener.events.reached(1)

    assert listener.events == ["hello"]
    assert counters.unreadable == unreadable + 1
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


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


@override_settings(CHANNEL_LAYERS={})
async def test_no_channel_layer() -> None:
    """The error says what to write into the settings."""
    channel_layers.backends.clear()

    with pytest.raises(ImproperlyConfigured, match="add CHANNEL_LAYERS"):
        await Hub().join(Listening(), ["room"])
