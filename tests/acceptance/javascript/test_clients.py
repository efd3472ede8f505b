"""The clients that people write JavaScript with, unmodified, against the demo."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.sample_data import PASSWORDS
from tests.acceptance.javascript.conftest import JavaScriptClient
from tests.support.client import connect
from tests.support.demo import DemoServer, Relay, log_in

Start = Callable[[str, str], Awaitable[JavaScriptClient]]

SCRIPTS = ["graphql_ws.mjs", "apollo.mjs", "urql.mjs", "relay.mjs"]
every_client = pytest.mark.parametrize("script", SCRIPTS)


@pytest.fixture(scope="module")
def server(prepared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    """The demo, of these tests alone."""
    data = shutil.copytree(prepared_data, tmp_path_factory.mktemp("javascript") / "data")
    with DemoServer(data) as server:
        yield server


async def say(server: DemoServer, text: str) -> None:
    """Alice says something in the lobby."""
    async with connect(server.ws_url) as client:
        await client.init()
        await log_in(client, "alice")
        mutation = f'mutation {{ sendChatMessage(room: "lobby", text: {json.dumps(text)}) {{ message {{ id }} }} }}'
        await client.execute("say", mutation)


async def subscribe(client: JavaScriptClient) -> None:
    """Begin to listen to the lobby; return when nothing can be missed any more."""
    await client.begin("lobby", "ChatLobbySubscription")
    await client.sees_state("subscribed")


async def hears(client: JavaScriptClient, text: str) -> None:
    """Wait for what comes next: this message, to the subscription."""
    received = await client.receive()
    assert received["key"] == "lobby"
    assert received["next"]["onNewChatMessage"]["message"]["text"] == text


async def receive_all(client: JavaScriptClient, count: int) -> dict[str, Any]:
    """What `count` operations at once have as their data, by key; each has one result, and then completes."""
    received = [await client.receive() for _ in range(2 * count)]
    assert sum("complete" in line for line in received) == count
    return {line["key"]: line["next"] for line in received if "next" in line}


@every_client
async def test_mutations_and_queries(server: DemoServer, javascript: Start, script: str) -> None:
    """A login counts for what follows, and of 20 mutations and 20 queries at once each has its own answer."""
    client = await javascript(script, server.ws_url)
    logged_in = await client.execute("login", "ChatLoginMutation", username="bob", password=PASSWORDS["bob"])
    assert logged_in["login"]["me"]["username"] == "bob"
    numbers = range(1, 21)

    for number in numbers:
        await client.begin(str(number), "ChatSendMutation", text=f"number {number}")
    sent = await receive_all(client, len(numbers))
    for number in numbers:
        await client.begin(str(number), "ChatHistoryQuery", last=number)
    histories = await receive_all(client, len(numbers))

    assert {key: data["sendChatMessage"]["message"]["text"] for key, data in sent.items()} == {
        str(number): f"number {number}" for number in numbers
    }
    assert {key: len(data["history"]) for key, data in histories.items()} == {str(number): number for number in numbers}


@every_client
async def test_a_subscription(server: DemoServer, javascript: Start, script: str) -> None:
    """It tells of each message, in order, until it is stopped."""
    client = await javascript(script, server.ws_url)
    await subscribe(client)
    for text in ("one", "two", "three"):
        await say(server, text)
        await hears(client, text)

    await client.stop("lobby")

    # Answered in their order: the server knows of the stop, and then of nobody to tell.
    await client.execute("behind the stop", "ChatHistoryQuery", last=1)
    await say(server, "to nobody")
    assert (await client.execute("behind the message", "ChatHistoryQuery", last=2))["history"][-1][
        "text"
    ] == "to nobody"


@every_client
async def test_an_invalid_query(server: DemoServer, javascript: Start, script: str) -> None:
    """It ends with an error, and the connection goes on."""
    client = await javascript(script, server.ws_url)

    await client.begin("wrong", "ChatHistoryQuery", document="query ChatHistoryQuery { nothing }", last=1)

    assert "Cannot query field 'nothing'" in (await client.receive())["error"][0]
    assert (await client.execute("right", "ChatHistoryQuery", last=2))["history"]


@every_client
async def test_a_cut_connection(server: DemoServer, javascript: Start, script: str) -> None:
    """The client connects again, and its subscription goes on."""
    async with Relay(server.port) as relay:
        client = await javascript(script, f"{relay.http_url.replace('http', 'ws')}/graphql/")
        await subscribe(client)
        await say(server, "before")
        await hears(client, "before")
        await relay.cut()
        await client.sees_state("closed")

        await relay.mend()

        await client.sees_state("subscribed")
        await say(server, "after")
        await hears(client, "after")


async def test_a_restart_of_the_server(server: DemoServer, javascript: Start) -> None:
    """Every client finds the new one, and its subscription goes on."""
    clients = await asyncio.gather(*(javascript(script, server.ws_url) for script in SCRIPTS))
    for client in clients:
        await subscribe(client)

    server.restart()

    for client in clients:
        await client.sees_state("subscribed")
    await say(server, "after")
    for client in clients:
        await hears(client, "after")
