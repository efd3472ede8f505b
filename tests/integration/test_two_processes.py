"""Server processes that share a channel layer: what is sent in one arrives at the subscribers of the others."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.integration.conftest import REDIS_LAYERS, sqlite_layer
from tests.integration.serving import listener, message, serving, texts
from tests.project.asgi import application
from tests.support.client import connect
from tests.support.project import Inside
from tests.support.server import HOST, ROOT, Server

Environment = dict[str, str]

COMMAND = """
import django
django.setup()
from tests.project.subscriptions import OnMessage
{statement}
"""

PAYLOAD = '{"text": str(number), "error": None, "gate": None}'


class Process(Server):
    """A server process of the test project."""

    def url(self, path: str) -> str:
        return f"ws://{HOST}:{self.port}/{path}"


@pytest.fixture(scope="module", params=["sqlite", *REDIS_LAYERS])
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What makes a process use each of the layers that reach other processes."""
    kind: str = request.param
    shared = (
        {"GQLWS_TEST_LAYER_FILE": str(tmp_path_factory.mktemp("layer") / "channels.sqlite3")}
        if kind == "sqlite"
        else {"REDIS_URL": request.getfixturevalue("redis_url")}
    )
    return {"DJANGO_SETTINGS_MODULE": "tests.project.settings", "GQLWS_TEST_LAYER": kind, **shared}


@pytest.fixture(scope="module")
def processes(environment: Environment) -> Iterator[tuple[Process, Process]]:
    """Two server processes."""
    with ExitStack() as stack:
        yield stack.enter_context(Process(env=environment)), stack.enter_context(Process(env=environment))


async def inside(stack: AsyncExitStack, process: Process) -> Inside:
    """What a test can do in a process, over a socket of its own."""
    client = await stack.enter_async_context(connect(process.url("graphql/")))
    await client.init()
    return Inside(client)


def command(statement: str) -> list[str]:
    """The command line of a plain Python process that uses the project; a warning is an error there."""
    return [sys.executable, "-W", "error", "-c", COMMAND.format(statement=statement)]


async def run(environment: Environment, statement: str) -> None:
    """Run such a process; it must end well and print nothing."""
    process = await asyncio.create_subprocess_exec(
        *command(statement),
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert (process.returncode, output.decode()) == (0, "")


async def test_a_message_sent_to_one_process(processes: tuple[Process, Process], key: str) -> None:
    """It arrives at the subscribers of both, once each, in the order in which it was sent."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(listener(process.url, key)) for process in processes * 2]
        sender = await inside(stack, processes[0])

        await sender.broadcast_numbers(key, 200)

        for client in clients:
            assert await texts(client, 200) == [str(number) for number in range(1, 201)]
        await sender.broadcast(key, "the last")
        for client in clients:
            assert await client.receive() == message("the last")


async def test_both_processes_send_to_each_other_at_once(processes: tuple[Process, Process], key: str) -> None:
    """Each subscriber gets everything once; what came from one process is in its order."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(listener(process.url, key)) for process in processes]
        senders = [await inside(stack, process) for process in processes]

        async def send(sender: Inside, name: str) -> None:
            for number in range(50):
                await sender.broadcast(key, f"{name}{number}")

        await asyncio.gather(send(senders[0], "a"), send(senders[1], "b"))

        for client in clients:
            received = await texts(client, 100)
            for name in "ab":
                assert [text for text in received if text.startswith(name)] == [f"{name}{n}" for n in range(50)]


async def test_unsubscribe_in_one_process(processes: tuple[Process, Process], key: str) -> None:
    """It ends the subscriptions of the other behind what was broadcast before."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(listener(processes[1].url, key))
        sender = await inside(stack, processes[0])

        await sender.broadcast(key, "hello")
        await sender.unsubscribe(key)

        assert await client.receive() == message("hello")
        assert await client.receive() == {"id": "1", "type": "complete"}


@pytest.mark.parametrize(
    "statement",
    [
        "for number in range(1, 21): OnMessage.broadcast(group={key!r}, payload={payload})",
        "for number in range(1, 21): OnMessage.broadcast_sync(group={key!r}, payload={payload})",
        "import asyncio\n"
        "async def main():\n"
        "    for number in range(1, 21): await OnMessage.broadcast_async(group={key!r}, payload={payload})\n"
        "asyncio.run(main())",
        "from django.db import transaction\n"
        "with transaction.atomic():\n"
        "    for number in range(1, 21): OnMessage.broadcast(group={key!r}, payload={payload})",
        "import threading\n"
        "def send():\n"
        "    for number in range(1, 21): OnMessage.broadcast(group={key!r}, payload={payload})\n"
        "thread = threading.Thread(target=send)\n"
        "thread.start()\n"
        "thread.join()",
        "from asgiref.sync import async_to_sync\n"
        "for number in range(1, 21): async_to_sync(OnMessage.broadcast_async)(group={key!r}, payload={payload})",
        "import os, warnings\n"
        "warnings.simplefilter('ignore')  # Python's own about forks beside threads.\n"
        "def send(first, last):\n"
        "    for number in range(first, last): OnMessage.broadcast(group={key!r}, payload={payload})\n"
        "send(1, 8)\n"
        "if child := os.fork():\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    send(15, 21)\n"
        "else:\n"
        "    send(8, 15)\n"
        "    os._exit(0)",
    ],
    ids=[
        "broadcast",
        "broadcast_sync",
        "broadcast_async",
        "in a transaction",
        "in a thread",
        "each on a loop of its own",
        "in a forked process",
    ],
)
async def test_a_process_without_a_server_sends(
    processes: tuple[Process, Process], environment: Environment, key: str, statement: str
) -> None:
    """A management command, a shell, a worker: everything it sent has left when it ends."""
    async with listener(processes[0].url, key) as one, listener(processes[1].url, key) as two:
        await run(environment, statement.format(key=key, payload=PAYLOAD))

        for client in (one, two):
            assert await texts(client, 20) == [str(number) for number in range(1, 21)]
            assert await client.barrier() == []


@pytest.fixture
def shared_layer(environment: Environment, settings: Settings, redis_layer: Callable[[str, str], None]) -> None:
    """This process uses the layer of the others."""
    if file := environment.get("GQLWS_TEST_LAYER_FILE"):
        settings.CHANNEL_LAYERS = sqlite_layer(Path(file).parent)
    else:
        redis_layer(environment["GQLWS_TEST_LAYER"], environment["REDIS_URL"])


@pytest.mark.usefixtures("shared_layer")
async def test_a_burst_while_the_receiving_process_is_busy(environment: Environment, key: str) -> None:
    """All 1,000 wait in the layer, ten times the default capacity of a channel, and arrive in order."""
    async with serving(application) as url, listener(url, key) as client:
        statement = f"for number in range(1_000): OnMessage.broadcast(group={key!r}, payload={PAYLOAD})"
        # Not awaited: this loop, which receives, stands still meanwhile.
        subprocess.run(command(statement), cwd=ROOT, env={**os.environ, **environment}, check=True)  # noqa: ASYNC221

        assert await texts(client, 1_000) == [str(number) for number in range(1_000)]
        assert await client.barrier() == []


async def test_one_process_is_killed(environment: Environment, processes: tuple[Process, Process], key: str) -> None:
    """The other goes on as if nothing had happened; started again, the process receives like before."""
    async with AsyncExitStack() as stack:
        victim = Process(env=environment)
        stack.callback(victim.close)
        await asyncio.to_thread(victim.start)
        lost = await stack.enter_async_context(listener(victim.url, key))
        stays = await stack.enter_async_context(listener(processes[0].url, key))
        sender = await inside(stack, processes[0])
        await sender.broadcast(key, "before")
        assert await lost.receive() == message("before")

        victim.kill()
        await lost.expect_close(1006)
        await sender.broadcast_numbers(key, 200)

        assert await texts(stays, 201) == ["before", *(str(number) for number in range(1, 201))]
        assert await stays.barrier() == []

        await asyncio.to_thread(victim.start)
        back = await stack.enter_async_context(listener(victim.url, key))
        await sender.broadcast(key, "welcome back")

        for client in (back, stays):
            assert await client.receive() == message("welcome back")
            assert await client.barrier() == []
