"""Frames on their way to one socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from django_gqlws.connection.outbox import HIGH_WATER, Message, Outbox
from django_gqlws.protocol.close import Close
from django_gqlws.tasks import Tasks
from tests.support.tables import situations
from tests.unit.connection.peer import RecordingSocket

NORMAL = Close(1000, "bye")


class Line:
    """An outbox with its socket and its tasks."""

    def __init__(self) -> None:
        self.socket = RecordingSocket()
        self.errors: list[BaseException] = []
        self.tasks = Tasks(self.errors.append)
        self.outbox = Outbox(self.socket.send, self.tasks)

    @property
    def written(self) -> list[str | Close]:
        return list(self.socket.written)


async def test_a_client_that_reads() -> None:
    """A frame is written when `send` returns, and there is no task for it."""
    line = Line()

    line.outbox.send("a")

    assert line.written == ["a"]
    assert len(line.tasks) == 0
    assert not line.outbox.busy


async def test_a_client_that_does_not_read() -> None:
    """Frames wait, and come in order, each once."""
    line = Line()
    line.outbox.send("a")
    line.socket.hold()

    for text in "bcd":
        line.outbox.send(text)
    await asyncio.sleep(0)
    assert line.outbox.busy
    assert line.written == ["a"]
    line.socket.release()
    line.outbox.send("e")
    await line.tasks.wait()
    line.outbox.send("f")

    assert line.written == list("abcdef")
    assert line.errors == []


@pytest.mark.parametrize("slow", [False, True])
async def test_a_close(slow: bool) -> None:
    """It comes behind all frames, and nothing behind it."""
    line = Line()
    if slow:
        line.socket.hold()

    line.outbox.send("a")
    line.outbox.send("b")
    line.outbox.close(NORMAL)
    line.outbox.send("too late")
    line.outbox.close(Close(4400, "too late"))
    line.socket.release()
    await line.tasks.wait()

    assert line.written == ["a", "b", NORMAL]


@pytest.mark.parametrize("slow", [False, True])
async def test_a_socket_that_fails(slow: bool) -> None:
    """What waits is dropped, nothing is raised, and who waits for the end of the writing goes on."""
    line = Line()
    line.socket.error = ConnectionResetError()
    if slow:
        line.socket.hold()

    line.outbox.send("a")
    line.outbox.send("b")
    line.outbox.close(NORMAL)
    line.socket.release()
    await line.outbox.idle()
    await line.tasks.wait()
    line.socket.error = None
    line.outbox.send("c")

    assert line.written == []
    assert line.errors == []


class RecoveringSocket(RecordingSocket):
    """What its writes wait for fails; it tries again, in its own way."""

    def __init__(self) -> None:
        super().__init__()
        self.room: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def send(self, message: Message) -> None:
        try:
            await self.room
        except TimeoutError:
            await super().send(message)


@pytest.mark.parametrize("slow", [False, True])
async def test_a_socket_that_recovers(slow: bool) -> None:
    """What it waits for may fail: how it goes on is its own affair."""
    line = Line()
    line.socket = socket = RecoveringSocket()
    line.outbox = Outbox(socket.send, line.tasks)
    if slow:
        socket.hold()

    line.outbox.send("a")
    line.outbox.send("b")
    socket.room.set_exception(TimeoutError())
    await asyncio.sleep(0.01)
    socket.release()
    await line.tasks.wait()

    assert line.written == ["a", "b"]


async def test_a_socket_that_is_gone() -> None:
    """What waits is dropped, and nothing more is taken."""
    line = Line()
    line.socket.hold()
    line.outbox.send("under way")
    line.outbox.send("waits")

    line.outbox.abandon()
    line.outbox.send("too late")
    line.socket.release()
    await line.tasks.wait()

    assert line.written == ["under way"]


FILLINGS: dict[str, tuple[int, bool]] = {"at the mark": (HIGH_WATER, False), "beyond it": (HIGH_WATER + 1, True)}


@pytest.mark.parametrize(("length", "congested"), situations(FILLINGS))
async def test_how_much_waits(length: int, congested: bool) -> None:
    """Beyond a mark nothing more should be read from the client, until it reads again."""
    line = Line()
    line.socket.hold()
    line.outbox.send("under way")

    line.outbox.send("x" * length)
    assert line.outbox.congested is congested
    line.socket.release()
    await line.tasks.wait()

    assert not line.outbox.congested


async def test_a_callback_when_all_is_written() -> None:
    """At once if nothing waits."""
    line = Line()
    order: list[str] = []

    def note(name: str) -> Callable[[], None]:
        return lambda: order.append(f"{name} {line.written}")

    line.outbox.when_idle(note("at once"))
    line.socket.hold()
    line.outbox.send("a")
    line.outbox.when_idle(note("first"))
    line.outbox.when_idle(note("second"))
    line.socket.release()
    await line.tasks.wait()

    assert order == ["at once []", "first ['a']", "second ['a']"]


async def test_a_callback_that_sends() -> None:
    """Its frame is written behind the others."""
    line = Line()
    line.socket.hold()
    line.outbox.send("a")
    line.outbox.send("b")
    line.outbox.when_idle(lambda: line.outbox.send("c"))

    line.socket.release()
    await line.tasks.wait()

    assert line.written == ["a", "b", "c"]


async def test_waiting_until_all_is_written() -> None:
    """Others may run in any case."""
    line = Line()
    order: list[str] = []
    asyncio.get_running_loop().call_soon(order.append, "others")

    await line.outbox.idle()
    assert order == ["others"]

    line.socket.hold()
    line.outbox.send("a")
    waiting = asyncio.create_task(line.outbox.idle())
    await asyncio.sleep(0)
    assert not waiting.done()
    line.socket.release()
    await waiting
    assert line.written == ["a"]
