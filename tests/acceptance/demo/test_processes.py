"""The demo as several processes of one host, without any other server."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest
from websockets.exceptions import WebSocketException

from tests.acceptance.demo.test_schema import LISTEN, SEND, listen
from tests.acceptance.demo.test_servers import manage
from tests.support.client import Client, Closed, connect
from tests.support.demo import DemoServer, log_in
from tests.support.server import ROOT
from tests.support.services import POLL_INTERVAL, START_TIMEOUT

ROOM = "lobby"
WORKERS = 4
# A worker that is held up is not to be taken for dead.
SEVERAL = ["--workers", str(WORKERS), "--timeout-worker-healthcheck", "60"]
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


async def all_serve(server: DemoServer) -> None:
    """Return when all workers do: until then the first of them gets every connection."""
    async with asyncio.timeout(START_TIMEOUT):
        while server.log.count("Application startup complete") < WORKERS:  # noqa: ASYNC110 - only its log tells
            await asyncio.sleep(POLL_INTERVAL)


def worker_of(server: DemoServer, client: Client) -> int:
    """The process at the other end of a connection."""
    here, there = f":{server.port:04X}", f":{client.websocket.local_address[1]:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines():
        _, local, remote, *_, inode = line.split()[:10]
        if local.endswith(here) and remote.endswith(there):
            return next(pid for pid in workers_of(server) if f"socket:[{inode}]" in files_of(pid))
    raise AssertionError("the connection is closed")


def files_of(pid: int) -> Iterator[str]:
    """What a process has open."""
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # It has been closed just now.
            yield str(file.readlink())


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
    with DemoServer(demo_data, options=SEVERAL) as server:
        async with AsyncExitStack() as stack:
            await all_serve(server)
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
    with DemoServer(demo_data, options=SEVERAL) as server:
        async with AsyncExitStack() as stack:
            await all_serve(server)
            listeners = [await enter(stack, server) for _ in range(LISTENERS)]
            while len({worker_of(server, client) for client in listeners}) == 1:
                listeners.append(await enter(stack, server))
            serving = [worker_of(server, client) for client in listeners]
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

            os.kill(serving[0], signal.SIGKILL)

            taken = [text for task in writing for text in await task]
            late = await back(stack, server)
            await log_in(late, "alice")
            await write(late, ["the end"])
            heard = await asyncio.gather(*(hear(client, "the end") for client in listeners))
            assert [texts is None for texts in heard] == [worker == serving[0] for worker in serving]
            survivors = [texts for texts in heard if texts is not None]
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
    async with asyncio.timeout(START_TIMEOUT):
        while True:
            try:
                client = await stack.enter_async_context(connect(server.ws_url))
                await client.init()
            except (Closed, OSError, WebSocketException):
                await asyncio.sleep(POLL_INTERVAL)
            else:
                return client
