"""A census: who listens to a group, asked over the channel layer."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer, channel_layers

from django_gqlws.broker import census, process
from django_gqlws.broker.bus import Message
from django_gqlws.broker.census import Answer, census_group, take_census
from django_gqlws.broker.envelope import Kind
from django_gqlws.broker.process import current_broker
from django_gqlws.exceptions import BroadcastError
from django_gqlws.serialization import pack
from tests.support.notes import LIMIT, Notes


class Somebody:
    """A subscriber that does nothing."""

    def offer(self, event: Any) -> None:
        raise AssertionError("a census is no event for subscribers")

    keep = offer

    def step(self) -> None:
        raise AssertionError


@pytest.fixture(autouse=True)
def layer() -> InMemoryChannelLayer:
    """A layer of the test's own."""
    layer = InMemoryChannelLayer()
    channel_layers.set("default", layer)
    return layer


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers has all the time it needs."""
    monkeypatch.setattr(census, "FIRST_ANSWER", LIMIT)


@pytest.fixture
def impatient(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers: that is certain at once."""
    monkeypatch.setattr(census, "FIRST_ANSWER", 0.01)


async def open_hub() -> None:
    """Opens the hub of this loop, and returns when a census reaches it."""
    broker = current_broker()
    broker.hub.open()
    await broker.hub.join(Somebody(), [census_group()])


async def test_a_process_with_subscribers() -> None:
    """It says who it is, and how many subscriptions it has to each group that was asked for."""
    await open_hub()
    broker = current_broker()
    for _ in range(2):
        await broker.hub.join(Somebody(), ["room"])

    answers = await take_census(broker.bus, ["room", "empty"])

    assert answers == [Answer(socket.gethostname(), os.getpid(), {"room": 2, "empty": 0})]


async def test_nobody(impatient: None) -> None:
    """No answer comes."""
    assert await take_census(current_broker().bus, ["room"]) == []


async def test_a_layer_that_gives_no_channel(layer: InMemoryChannelLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the error of a broadcast that fails."""

    async def fail(prefix: str) -> str:
        raise OSError("no route")

    monkeypatch.setattr(layer, "new_channel", fail)

    with pytest.raises(BroadcastError, match="no route"):
        await take_census(current_broker().bus, ["room"])


async def test_a_layer_that_hangs(layer: InMemoryChannelLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is after a while, also where the layer itself has no time limit."""

    async def hang(prefix: str) -> str:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(layer, "new_channel", hang)
    monkeypatch.setattr(process, "SEND_TIMEOUT", 0.01)

    with pytest.raises(BroadcastError, match=r"within 0\.01 seconds"):
        await asyncio.to_thread(process.take_census_from_thread, ["room"])


async def test_an_answer_in_a_foreign_form(layer: InMemoryChannelLayer, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged and skipped; the others count."""
    await open_hub()
    send = layer.send

    async def send_twice(channel: str, answer: Any) -> None:
        if channel.startswith(census.CHANNEL_PREFIX):
            await send(channel, {"type": census.ANSWER_TYPE})
        await send(channel, answer)

    layer.send = send_twice  # type: ignore[method-assign]

    assert len(await take_census(current_broker().bus, ["room"])) == 1
    assert "An answer to a census was skipped" in caplog.text


async def test_a_question_in_a_foreign_form(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged and skipped; the next one is answered."""
    await open_hub()
    broker = current_broker()

    await broker.bus.post(Message(Kind.CENSUS, census_group(), pack({"rooms": 1})))

    assert len(await take_census(broker.bus, ["room"])) == 1
    assert "A census was skipped" in caplog.text


async def test_an_answer_that_the_layer_does_not_take(
    layer: InMemoryChannelLayer, impatient: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged."""
    await open_hub()
    tried: Notes[str] = Notes()
    send = layer.send

    async def fail(channel: str, message: Any) -> None:
        if not channel.startswith(census.CHANNEL_PREFIX):
            await send(channel, message)
            return
        tried.add(channel)
        raise OSError("no route")

    monkeypatch.setattr(layer, "send", fail)

    assert await take_census(current_broker().bus, ["room"]) == []
    await tried.reached(1)
    assert "A census was not answered" in caplog.text
