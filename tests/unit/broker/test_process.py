"""The way from plain threads to an event loop of the process."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from channels.layers import channel_layers

from django_gqlws.broker import bus, process
from django_gqlws.broker.bus import Message
from django_gqlws.broker.envelope import Kind
from django_gqlws.broker.event import Event
from django_gqlws.broker.process import Broker, current_broker, send_from_thread
from django_gqlws.exceptions import BacklogError, BroadcastError, RunningLoopError
from tests.support.notes import LIMIT
from tests.support.threads import refuse_to_start
from tests.unit.broker.layer import FakeLayer


class LoopsLayer(FakeLayer):
    """Notes on which loops it is used."""

    def __init__(self) -> None:
        super().__init__()
        self.loops: list[asyncio.AbstractEventLoop] = []

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await asyncio.sleep(0)  # As a real one does.
        await super().group_send(group, message)
        self.loops.append(asyncio.get_running_loop())


@pytest.fixture(autouse=True)
def layer() -> Iterator[LoopsLayer]:
    """The project's channel layer; what sends in the background ends with the test."""
    layer = LoopsLayer()
    channel_layers.set("default", layer)
    yield layer
    process._background.stop()


class Listening:
    """A subscriber, so that the hub of its loop serves."""

    def offer(self, event: Event) -> None: ...
    def keep(self, event: Event) -> None: ...
    def step(self) -> None: ...


def message(payload: str = "") -> Message:
    return Message(Kind.EVENT, "room", payload.encode())


def sent(layer: FakeLayer) -> list[str]:
    return [message["payload"].decode() for message in layer.sent]


def run_in_thread(pool: ThreadPoolExecutor, main: Coroutine[Any, Any, Any]) -> Future[Any]:
    return pool.submit(asyncio.run, main)


async def get_broker() -> Broker:
    return current_broker()


async def test_each_loop_has_one_broker() -> None:
    """It is the same each time."""
    assert current_broker() is current_broker()


def test_the_broker_of_a_closed_loop() -> None:
    """It is forgotten with the next one."""
    brokers = [asyncio.run(get_broker()) for _ in range(3)]

    assert len({id(broker) for broker in brokers}) == 3
    assert sum(loop.is_closed() for loop in process._brokers) <= 1


async def test_a_thread_beside_a_loop_that_serves(layer: LoopsLayer) -> None:
    """It sends on that loop."""
    await current_broker().hub.join(Listening(), ["room"])

    await asyncio.to_thread(send_from_thread, message("hello"))

    assert sent(layer) == ["hello"]
    assert layer.loops == [asyncio.get_running_loop()]


async def test_a_thread_beside_a_loop_that_only_sends(layer: LoopsLayer) -> None:
    """It sends in the background: such a loop may end at any moment."""
    await current_broker().bus.post(message("loop"))

    await asyncio.to_thread(send_from_thread, message("thread"))

    assert sent(layer) == ["loop", "thread"]
    assert layer.loops == [asyncio.get_running_loop(), process._background.running]


def test_a_thread_without_a_loop(layer: LoopsLayer) -> None:
    """All sends share one loop and one broker in the background."""
    send_from_thread(message("first"))
    send_from_thread(message("second"))

    assert sent(layer) == ["first", "second"]
    assert layer.loops == [process._background.running] * 2
    assert [message["sequence"] for message in layer.sent] == [1, 2]


def test_a_thread_beside_loops_that_come_and_go(layer: LoopsLayer) -> None:
    """It is never disturbed by their end."""

    async def view(number: int) -> None:
        await current_broker().bus.post(message(f"view {number}"))

    def serve_views() -> None:
        for number in range(50):
            asyncio.run(view(number))

    with ThreadPoolExecutor() as pool:
        views = [pool.submit(serve_views) for _ in range(2)]
        for number in range(50):
            send_from_thread(message(f"thread {number}"))
        for served in views:
            served.result(LIMIT)

    assert [name for name in sent(layer) if name.startswith("thread")] == [f"thread {number}" for number in range(50)]
    assert len(layer.sent) == 150


def test_a_serving_loop_that_ends_during_a_send(layer: LoopsLayer) -> None:
    """The message is sent once, in the background."""
    serving = threading.Event()

    async def serve() -> None:
        await current_broker().hub.join(Listening(), ["room"])
        layer.stick()
        serving.set()
        await layer.calls.reached(1, "send room")

    with ThreadPoolExecutor() as pool:
        server = run_in_thread(pool, serve())
        assert serving.wait(LIMIT)
        send_from_thread(message("hello"))
        server.result(LIMIT)
    background = process._background.loop()
    asyncio.run_coroutine_threadsafe(process._finish(), background).result(LIMIT)

    assert sent(layer) == ["hello"]
    assert layer.loops == [process._background.running]


def test_a_serving_loop_that_has_been_closed(layer: LoopsLayer) -> None:
    """It is not asked any more."""

    async def serve() -> None:
        await current_broker().hub.join(Listening(), ["room"])

    asyncio.run(serve())

    send_from_thread(message("hello"))

    assert layer.loops == [process._background.running]


def test_what_a_loop_leaves(layer: LoopsLayer) -> None:
    """It is sent in the background, before what is sent from now on."""

    async def view() -> None:
        layer.stick()
        for number in range(10):
            current_broker().bus.post(message(str(number)))

    asyncio.run(view())
    send_from_thread(message("later"))

    assert sent(layer) == [*map(str, range(10)), "later"]
    assert set(layer.loops) == {process._background.running}


async def test_what_a_loop_leaves_beside_a_loop_that_serves(layer: LoopsLayer) -> None:
    """It is sent over that one."""
    await current_broker().hub.join(Listening(), ["room"])

    async def view() -> None:
        layer.stick()
        current_broker().bus.post(message("left"))

    await asyncio.to_thread(asyncio.run, view())
    await current_broker().bus.post(message("later"))

    assert sent(layer) == ["left", "later"]
    assert layer.loops == [asyncio.get_running_loop()] * 2


def test_what_a_loop_leaves_and_the_layer_does_not_take(layer: LoopsLayer, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the rest is sent."""

    async def view() -> None:
        layer.stick()
        layer.failures["send"] = 1
        for name in ("lost", "second"):
            current_broker().bus.post(message(name))

    asyncio.run(view())
    send_from_thread(message("later"))

    assert sent(layer) == ["second", "later"]
    assert "A message of an event loop that has ended was not sent" in caplog.text


def test_what_a_loop_leaves_when_the_process_ends(layer: LoopsLayer) -> None:
    """It is sent before the background ends."""

    async def view() -> None:
        layer.stick()
        for name in ("first", "second"):
            current_broker().bus.post(message(name))

    asyncio.run(view())
    process._background.stop()

    assert sent(layer) == ["first", "second"]


def test_an_error_of_the_send(layer: LoopsLayer) -> None:
    """It is raised where the send was made."""
    layer.failures["send"] = 1

    with pytest.raises(BroadcastError, match="did not take the message: LayerError: send"):
        send_from_thread(message())


def test_an_error_of_one_of_several(layer: LoopsLayer) -> None:
    """It is raised when the others are sent."""
    layer.failures["send"] = 1

    with pytest.raises(BroadcastError):
        send_from_thread(message("lost"), message("second"), message("third"))

    assert sent(layer) == ["second", "third"]


def test_a_backlog(layer: LoopsLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error where the send was made, and what there was room for is sent."""
    monkeypatch.setattr(bus, "MAX_WAITING", 2)

    with pytest.raises(BacklogError):
        send_from_thread(*map(message, ("first", "second", "third")))

    assert sent(layer) == ["first", "second"]


def test_a_send_that_takes_too_long(layer: LoopsLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread gives up with an error; what others send goes on as soon as the layer does."""
    monkeypatch.setattr(process, "SEND_TIMEOUT", 0.01)
    layer.hold()

    with pytest.raises(BroadcastError, match=r"within 0\.01 seconds"):
        send_from_thread(message("late"))
    monkeypatch.undo()
    process._background.loop().call_soon_threadsafe(layer.release)
    send_from_thread(message("hello"))

    assert sent(layer)[-1] == "hello"


def test_no_thread_can_be_started(layer: LoopsLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says when to send; nothing is left of the try, neither for the end of the process nor the next send."""
    monkeypatch.setattr(threading.Thread, "start", refuse_to_start)

    with pytest.raises(BroadcastError, match="interpreter is ending it is too late"):
        send_from_thread(message("lost"))
    process._background.stop()
    monkeypatch.undo()
    send_from_thread(message("hello"))

    assert sent(layer) == ["hello"]


async def test_on_a_running_loop() -> None:
    """It is refused: it would wait for itself."""
    with pytest.raises(RunningLoopError, match=r"await the \.\.\._async method"):
        send_from_thread(message())


def test_a_system_that_cannot_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module can be imported there."""
    monkeypatch.delattr(os, "register_at_fork")
    spec = importlib.util.find_spec("django_gqlws.broker.process")
    assert spec is not None
    assert spec.loader is not None

    spec.loader.exec_module(importlib.util.module_from_spec(spec))
