"""Processes that share the file of a SqliteChannelLayer, one of them killed, stopped, or forked."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from django_gqlws.layers import SqliteChannelLayer, log
from tests.integration.layers.processes import COMMAND, Process
from tests.support.server import ROOT

Sqlite = Callable[..., SqliteChannelLayer]


async def start(stack: AsyncExitStack, path: Path, count: int) -> list[Process]:
    """Processes that end with the test."""
    return list(await asyncio.gather(*(stack.enter_async_context(Process(path)) for _ in range(count))))


async def test_all_send_at_once(path: Path) -> None:
    """Everybody gets everything once, and all in the same order."""
    async with AsyncExitStack() as stack:
        processes = await start(stack, path, 3)
        channels = [await process.ask("new_channel", groups=["all"]) for process in processes]

        for name, process in zip("abc", processes, strict=True):
            await process.tell("burst", group="all", name=name, count=300, together=10)
        for process in processes:
            while await process.answer() is not None:
                pass

        received = [
            await process.ask("receive", channel=channel, count=900)
            for process, channel in zip(processes, channels, strict=True)
        ]
        assert received[0] == received[1] == received[2]
        for name in "abc":
            assert [text for text in received[0] if text[0] == name] == [f"{name}{n}" for n in range(300)]


async def test_several_receive_from_a_normal_channel(path: Path, sqlite: Sqlite) -> None:
    """Each message goes to one of them."""
    layer = sqlite(capacity=1_000)
    async with AsyncExitStack() as stack:
        processes = await start(stack, path, 3)
        for process in processes:
            await process.tell("receive", channel="work", count=20)

        for number in range(60):
            await layer.send("work", {"text": str(number)})

        received = [text for process in processes for text in await process.answer()]
        assert sorted(map(int, received)) == list(range(60))


async def test_a_process_deals_with_the_channels_of_another(path: Path, sqlite: Sqlite) -> None:
    """It sends to them, puts them into groups and takes them out."""
    layer = sqlite()
    async with AsyncExitStack() as stack:
        (process,) = await start(stack, path, 1)
        channel = await process.ask("new_channel", groups=[])

        await layer.send(channel, {"text": "to you"})
        await layer.group_add("group", channel)
        await layer.group_send("group", {"text": "to the group"})
        await layer.group_discard("group", channel)
        await layer.group_send("group", {"text": "to nobody"})
        await layer.send(channel, {"text": "the end"})

        assert await process.ask("receive", channel=channel, count=3) == ["to you", "to the group", "the end"]


async def test_receiving_from_a_channel_of_another_process(path: Path, sqlite: Sqlite) -> None:
    """It is an error: there is nothing to receive."""
    async with AsyncExitStack() as stack:
        (process,) = await start(stack, path, 1)
        channel = await process.ask("new_channel", groups=[])

        with pytest.raises(ValueError, match="another process"):
            await sqlite().receive(channel)


@pytest.mark.parametrize("together", [1, 50], ids=["one by one", "50 at a time"])
async def test_the_sender_is_killed_in_mid_burst(path: Path, sqlite: Sqlite, together: int) -> None:
    """What it was told is sent arrives: once, in order, at everybody."""
    layer = sqlite(capacity=100_000)
    channel = await layer.new_channel()
    await layer.group_add("all", channel)
    async with AsyncExitStack() as stack:
        sender, other = await start(stack, path, 2)
        channel_of_other = await other.ask("new_channel", groups=["all"])
        await sender.tell("burst", group="all", name="m", count=100_000, together=together)
        acknowledged = [await sender.answer() for _ in range(500)]

        sender.signal(signal.SIGKILL)
        with pytest.raises(EOFError):
            while True:
                acknowledged.append(await sender.answer())
        await layer.group_send("all", {"text": "the end"})

        received = await other.ask("receive_until", channel=channel_of_other, last="the end")
        assert set(acknowledged) <= set(received)
        assert received[:-1] == [f"m{number}" for number in range(len(received) - 1)]
        assert [(await layer.receive(channel))["text"] for _ in received] == received


async def test_a_receiver_is_killed(path: Path, sqlite: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is forgotten when its lease is over; nobody else notices anything."""
    layer = sqlite()
    channel = await layer.new_channel()
    await layer.group_add("all", channel)
    async with AsyncExitStack() as stack:
        (victim,) = await start(stack, path, 1)
        await victim.ask("new_channel", groups=["all"])
        assert len(await layer.processes()) == 2

        victim.signal(signal.SIGKILL)
        with pytest.raises(EOFError):
            await victim.answer()
        await layer.group_send("all", {"text": "still here"})

        assert await layer.receive(channel) == {"text": "still here"}
        monkeypatch.setattr(log, "LEASE", 0.0)
        assert await layer.processes() == []


async def test_a_receiver_sleeps_while_the_log_is_cut(
    path: Path, sqlite: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts what it has missed, gets the rest in order, and goes on."""
    monkeypatch.setattr(log, "MAX_BYTES", 2**19)
    monkeypatch.setattr(log, "LEASE", 600.0)  # It sleeps, and is not dead, however long the sending takes.
    layer = sqlite()
    async with AsyncExitStack() as stack:
        (sleeper,) = await start(stack, path, 1)
        channel = await sleeper.ask("new_channel", groups=["all"])

        sleeper.signal(signal.SIGSTOP)
        for number in range(3_000):
            await layer.group_send("all", {"text": str(number), "weight": b"x" * 500})
        sleeper.signal(signal.SIGCONT)
        await layer.group_send("all", {"text": "the end"})

        received = await sleeper.ask("receive_until", channel=channel, last="the end")
        lost = (await sleeper.ask("counters"))["lost"]
        assert lost > 0
        assert received[:-1] == [str(number) for number in range(lost, 3_000)]


def test_a_command_that_is_gone_when_its_send_has_returned(path: Path, sqlite: Sqlite) -> None:
    """Its message is there: nothing was left for later."""

    async def receive() -> object:
        layer = sqlite()
        channel = await layer.new_channel()
        await layer.group_add("all", channel)
        subprocess.run([*COMMAND, "send_and_die", path, "all"], cwd=ROOT, check=True, timeout=60)  # noqa: ASYNC221
        message = await layer.receive(channel)
        await layer.close()
        return message

    assert asyncio.run(receive()) == {"text": "the last words"}


def test_a_command_that_has_only_listened(path: Path) -> None:
    """Python can exit while the layer is open: it says nothing, and the process is forgotten at once."""
    done = subprocess.run(
        [*COMMAND, "listen_and_exit", path], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT * FROM readers").fetchall() == []


def test_a_process_forks(path: Path) -> None:
    """Parent and child go on, each with its own channels, and the file is sound."""
    done = subprocess.run([*COMMAND, "fork", path], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
