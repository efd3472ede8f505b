"""The sending side: in order, bounded, counted."""

from __future__ import annotations

import asyncio

import pytest

from django_gqlws.broker import bus as bus_module
from django_gqlws.broker.bus import Bus
from django_gqlws.broker.envelope import Envelope, Kind
from django_gqlws.counters import counters
from django_gqlws.exceptions import BacklogError, BroadcastError
from tests.unit.broker.layer import FakeLayer


async def test_the_order_of_sends(layer: FakeLayer) -> None:
    """It is that of the calls, however many are under way, each group with a sequence of its own."""
    bus = Bus()

    await asyncio.gather(*(bus.send(Kind.EVENT, "ab"[number % 2], str(number).encode()) for number in range(100)))

    envelopes = [Envelope.from_message(message) for message in layer.sent]
    assert [envelope.payload for envelope in envelopes] == [str(number).encode() for number in range(100)]
    for group in "ab":
        assert [envelope.sequence for envelope in envelopes if envelope.group == group] == list(range(1, 51))


async def test_one_send_at_a_time(layer: FakeLayer) -> None:
    """A layer that is slow gets no second call before it has answered the first."""
    bus = Bus()
    layer.hold()
    sends = [asyncio.create_task(bus.send(Kind.EVENT, "room", b"")) for _ in range(3)]
    await layer.calls.reached(1)
    await asyncio.sleep(0)
    assert len(layer.calls) == 1

    layer.release()
    await asyncio.gather(*sends)

    assert len(layer.calls) == 3


async def test_two_senders(layer: FakeLayer) -> None:
    """Each is known by a name of its own."""
    await Bus().send(Kind.EVENT, "room", b"")
    await Bus().send(Kind.EVENT, "room", b"")

    first, second = (Envelope.from_message(message) for message in layer.sent)
    assert first.sender != second.sender
    assert first.sequence == second.sequence == 1


async def test_a_layer_that_fails(layer: FakeLayer) -> None:
    """The sender is told, with the reason, and the next send goes through."""
    bus, failures, sent = Bus(), counters.send_failures, counters.sent
    layer.failures["send"] = 1

    with pytest.raises(BroadcastError, match="did not take the message: LayerError: send"):
        await bus.send(Kind.EVENT, "room", b"")
    await bus.send(Kind.EVENT, "room", b"")

    assert (counters.send_failures - failures, counters.sent - sent) == (1, 1)


async def test_the_backlog_is_bounded(layer: FakeLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One send too many is an error at once; what waits is sent."""
    monkeypatch.setattr(bus_module, "MAX_WAITING", 3)
    bus = Bus()
    layer.hold()
    sends = [asyncio.create_task(bus.send(Kind.EVENT, "room", b"")) for _ in range(3)]
    await layer.calls.reached(1)

    with pytest.raises(BacklogError, match="3 messages wait"):
        await bus.send(Kind.EVENT, "room", b"")

    layer.release()
    await asyncio.gather(*sends)
    await bus.send(Kind.EVENT, "room", b"")
    assert len(layer.sent) == 4


async def test_a_send_that_is_cancelled(layer: FakeLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes room for another."""
    monkeypatch.setattr(bus_module, "MAX_WAITING", 1)
    bus = Bus()
    layer.hold()
    send = asyncio.create_task(bus.send(Kind.EVENT, "room", b""))
    await layer.calls.reached(1)
    send.cancel()
    with pytest.raises(asyncio.CancelledError):
        await send

    layer.release()
    await bus.send(Kind.EVENT, "room", b"")

    assert len(layer.sent) == 1


async def test_the_groups_that_a_sender_remembers(layer: FakeLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are bounded; a group that was forgotten begins again at 1."""
    monkeypatch.setattr(bus_module, "MAX_SEQUENCES", 2)
    bus = Bus()

    for group in "aabcab":
        await bus.send(Kind.EVENT, group, b"")

    assert [(message["group"], message["sequence"]) for message in layer.sent] == [
        ("a", 1),
        ("a", 2),
        ("b", 1),
        ("c", 1),
        ("a", 1),
        ("b", 1),
    ]
