"""npm's graphql-ws against the demo."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.sample_data import PASSWORDS
from tests.acceptance.javascript.conftest import JavaScriptClient
from tests.support.client import connect
from tests.support.demo import LOGIN, DemoServer, Relay, log_in

Start = Callable[[str], Awaitable[JavaScriptClient]]

ROOMS = "{ rooms { slug } }"
LOBBY = 'subscription { onNewChatMessage(room: "lobby") { message { text } } }'
CONFIRMED = {"key": "lobby", "next": {"data": None}}


@pytest.fixture
def server(demo_data: Path) -> Iterator[DemoServer]:
    """The demo, of this test alone."""
    with DemoServer(demo_data) as server:
        yield server


async def say(server: DemoServer, text: str) -> None:
    """Alice says something in the lobby."""
    async with connect(server.ws_url) as client:
        await client.init()
        await log_in(client, "alice")
        mutation = f'mutation {{ sendChatMessage(room: "lobby", text: {json.dumps(text)}) {{ message {{ id }} }} }}'
        await client.execute("say", mutation)


def message(text: str) -> dict[str, Any]:
    """What a subscriber receives of it."""
    return {"onNewChatMessage": {"message": {"text": text}}}


async def test_a_mutation_and_queries(server: DemoServer, javascript: Start) -> None:
    """A login counts for what follows, and 20 queries at once are all answered."""
    client = await javascript(server.ws_url)
    logged_in = await client.execute("login", LOGIN, username="bob", password=PASSWORDS["bob"])
    assert logged_in["data"]["login"]["me"] == {"username": "bob"}

    for number in range(20):
        await client.begin(f"query {number}", "{ me { username } }")
    received = [await client.receive() for _ in range(40)]

    answers = {line["key"]: line["next"] for line in received if "next" in line}
    assert answers == {f"query {number}": {"data": {"me": {"username": "bob"}}} for number in range(20)}
    assert sum("complete" in line for line in received) == 20


async def test_an_invalid_query(server: DemoServer, javascript: Start) -> None:
    """It ends with an error, and the connection goes on."""
    client = await javascript(server.ws_url)

    await client.begin("wrong", "{ nothing }")

    assert "Cannot query field 'nothing'" in (await client.receive())["error"][0]["message"]
    assert (await client.execute("right", ROOMS))["data"]["rooms"]


async def test_a_cut_connection(server: DemoServer, javascript: Start) -> None:
    """The client connects again, and its subscription goes on."""
    async with Relay(server.port) as relay:
        client = await javascript(f"{relay.http_url.replace('http', 'ws')}/graphql/")
        await client.begin("lobby", LOBBY)
        assert await client.receive() == CONFIRMED
        await say(server, "before")
        assert (await client.receive())["next"]["data"] == message("before")
        await relay.cut()
        await client.sees_state("closed")

        await relay.mend()

        await client.sees_state("connected")
        assert await client.receive() == CONFIRMED
        await say(server, "after")
        assert (await client.receive())["next"]["data"] == message("after")


async def test_a_restart_of_the_server(server: DemoServer, javascript: Start) -> None:
    """The client finds the new one, and its subscription goes on."""
    client = await javascript(server.ws_url)
    await client.begin("lobby", LOBBY)
    assert await client.receive() == CONFIRMED

    server.restart()

    await client.sees_state("connected")
    assert await client.receive() == CONFIRMED
    await say(server, "after")
    assert (await client.receive())["next"]["data"] == message("after")
