"""The demo as several processes of one host, without any other server."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.acceptance.demo.test_schema import LISTEN, SEND, listen
from tests.acceptance.demo.test_servers import manage
from tests.support.client import Client, Closed, connect
from tests.support.demo import DemoServer, log_in
from tests.support.server import ROOT

ROOM = "lobby"
LISTENERS = 12
"""Connections that the system spreads over the workers."""

BROADCAST = f"""
from demo.models import Message
from demo.schema.live import OnNewChatMessage
OnNewChatMessage.announce(Message.objects.filter(room__slug="{ROOM}").latest("id"), sent_by="")
"""


def workers_of(server: DemoServer) -> list[int]:
    """The processes that serve."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def enter(stack: AsyncExitStack, server: DemoServer) -> Client:
    """A connection that listens to the room."""
    client = await stack.enter_async_context(connect(server.ws_url))
    await client.init()
    await listen(client, ROOM)
    return client


async def write(client: Client, texts: list[str]) -> list[str]:
    """Send messages one after the other, as long as the connection lives; those that the server has taken."""
    taken = []
    for text in texts:
        try:
            result = await client.execute(text, SEND, {"room": ROOM, "text": text})
        except Closed:
            break
        assert result["data"]["sendChatMessage"]["message"]["text"] == text, result
        taken.append(text)
    return taken


async def hear(client: Client, last: str) -> list[str] | None:
    """The texts that arrive, up to the last; None if the server is gone."""
    texts: list[str] = []
    try:
        while last not in texts:
            received = await client.receive()
            texts.append(received["payload"]["data"]["onNewChatMessage"]["message"]["text"])
    except Closed:
        return None
    return texts


async def test_four_workers_are_one_chat(demo_data: Path) -> None:
    """Everybody gets everything, once and in order, whoever serves them."""
    with DemoServer(demo_data, options=["--workers", "4"]) as server:
        async with AsyncExitStack() as stack:
            listeners = [await enter(stack, server) for _ in range(LISTENERS)]
            alice = await stack.enter_async_context(connect(server.ws_url))
            await alice.init()
            await log_in(alice, "alice")

            texts = await write(alice, [f"message {number}" for number in range(30)])

            assert len(texts) == 30
            for client in listeners:
                assert await hear(client, texts[-1]) == texts
                assert await client.barrier() == []


async def test_a_worker_is_killed_during_a_burst(demo_data: Path) -> None:
    """Who is served by another one gets everything that was taken, once and in order; a new worker takes its place."""
    with DemoServer(demo_data, options=["--workers", "4"]) as server:
        async with AsyncExitStack() as stack:
            listeners = [await enter(stack, server) for _ in range(LISTENERS)]
            writers = []
            for username in ("alice", "bob"):
                writers.append(await stack.enter_async_context(connect(server.ws_url)))
                await writers[-1].init()
                await log_in(writers[-1], username)
            writing = [
                asyncio.create_task(write(writer, [f"{number} of {name}" for number in range(60)]))
                for writer, name in zip(writers, "ab", strict=True)
            ]
            await listeners[0].receive()

            os.kill(workers_of(server)[0], signal.SIGKILL)

            taken = [text for task in writing for text in await task]
            late = await back(stack, server)
            await log_in(late, "alice")
            await write(late, ["the end"])
            heard = await asyncio.gather(*(hear(client, "the end") for client in listeners[1:]))
            survivors = [texts for texts in heard if texts is not None]
            assert survivors, "they were all served by the one that was killed"
            for texts in survivors:
                assert set(taken) <= set(texts)
                assert texts == survivors[0]
                assert len(set(texts)) == len(texts)


async def test_a_second_terminal_reaches_a_server_that_has_reloaded(demo_data: Path) -> None:
    """What a command broadcasts arrives once at who has come back."""
    watched = ROOT / "demo" / "urls.py"
    options = ["--reload", "--reload-dir", "demo"]
    with DemoServer(demo_data, options=options) as server:
        async with AsyncExitStack() as stack:
            client = await enter(stack, server)
            watched.touch()
            with pytest.raises(Closed):
                await client.receive()

            client = await back(stack, server)
            await client.subscribe("live", LISTEN, {"room": ROOM})
            await client.receive()
            done = await asyncio.to_thread(manage, demo_data, "shell", "-c", BROADCAST)

            assert done.returncode == 0, done.stderr
            assert (await client.receive())["payload"]["data"]["onNewChatMessage"]["message"]
            assert await client.barrier() == []


async def back(stack: AsyncExitStack, server: DemoServer) -> Client:
    """A connection, as soon as the server takes one again."""
    while True:
        try:
            client = await stack.enter_async_context(connect(server.ws_url))
            await client.init()
        except (Closed, OSError):
            await asyncio.sleep(0.1)
        else:
            return client
