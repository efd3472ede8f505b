"""Closing: however a socket ends, everything that belonged to it is released."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import get_args

import pytest

from tests.support.client import Client, connect
from tests.support.notes import LIMIT
from tests.support.project import Inside, ProjectServer
from tests.support.server import Kind

SILENT = "subscription ($key: String!) { silent(key: $key) }"
ON_MESSAGE = 'subscription ($key: String!) { onMessage(group: "room", key: $key) { text } }'

STREAMS = {
    # what runs: (document, what is noted in the server when it ends)
    "native": (SILENT, "RELEASED"),
    "without a pause": ("subscription ($key: String!) { countForever(key: $key) }", "RELEASED"),
    "failing clean-up": ("subscription ($key: String!) { clumsy(key: $key) }", "RELEASED"),
    "broadcasts": (ON_MESSAGE, "UNSUBSCRIBED"),
    "failing unsubscribed": (
        "subscription ($key: String!) { onClumsyMessage(key: $key) { text } }",
        "UNSUBSCRIBED",
    ),
    "preparing": ("subscription ($key: String!) { onSlowMessage(key: $key) { text } }", "CANCELLED"),
    "a query": ("query ($key: String!) { slowValue(key: $key) }", "CANCELLED"),
    "native again": (SILENT, "RELEASED"),
    "broadcasts again": (ON_MESSAGE, "UNSUBSCRIBED"),
}


async def close_normally(client: Client) -> None:
    await client.close(1000)


async def go_away(client: Client) -> None:
    await client.close(1001, "the tab was closed")


async def cut(client: Client) -> None:
    client.cut()


async def send_malformed_text(client: Client) -> None:
    await client.send_text("hello")


async def send_a_binary_frame(client: Client) -> None:
    await client.send_bytes(b"hello")


async def send_a_second_init(client: Client) -> None:
    await client.send(type="connection_init")


async def use_an_id_twice(client: Client) -> None:
    await client.subscribe("native", "{ value }")


class TestEverythingIsReleased:
    @pytest.mark.parametrize(
        "end",
        [
            close_normally,
            go_away,
            cut,
            send_malformed_text,
            send_a_binary_frame,
            send_a_second_init,
            use_an_id_twice,
        ],
    )
    async def test_however_the_socket_ends(
        self, project: ProjectServer, inside: Inside, key: str, end: Callable[[Client], Awaitable[None]]
    ) -> None:
        """All streams and queries end, also beside those whose clean-up fails."""
        async with connect(project.url()) as client:
            await client.init()
            for id, (document, _) in STREAMS.items():
                await client.subscribe(id, document, {"key": f"{key} {id}"})
            for id in STREAMS:
                await inside.reached("STARTED", f"{key} {id}")

            await end(client)

            for id, (_, noted) in STREAMS.items():
                await inside.reached(noted, f"{key} {id}")
        for id, (_, noted) in STREAMS.items():
            assert await inside.count(noted, f"{key} {id}") == 1

    async def test_the_server_does_not_wait_for_the_answer_to_its_close(
        self, client: Client, inside: Inside, key: str
    ) -> None:
        """A client that has stopped reading holds nothing when the server closes."""
        await client.subscribe("1", SILENT, {"key": key})
        await inside.reached("STARTED", key)
        client.websocket.transport.pause_reading()

        await client.send_text("hello")

        await inside.reached("RELEASED", key)
        client.websocket.transport.resume_reading()
        await client.expect_close(4400)

    @pytest.mark.parametrize("end", [close_normally, cut])
    async def test_while_on_connect_runs(
        self, project: ProjectServer, inside: Inside, key: str, end: Callable[[Client], Awaitable[None]]
    ) -> None:
        """The application's decision is no longer needed."""
        async with connect(project.url("doorman/")) as client:
            await client.send(type="connection_init", payload={"gate": key})
            await inside.reached("STARTED", key)

            await end(client)

            await inside.reached("RELEASED", key)

    async def test_a_mutation_in_flight_is_finished(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """What changes data is not cut half way because somebody closed a laptop."""
        async with connect(project.url()) as client:
            await client.init()
            await client.subscribe("mutation", "mutation ($key: String!) { slowRecord(key: $key) }", {"key": key})
            await client.subscribe("stream", SILENT, {"key": f"{key} stream"})
            await inside.reached("STARTED", key)
            await inside.reached("STARTED", f"{key} stream")

            client.cut()
            await inside.reached("RELEASED", f"{key} stream")

            await inside.open(key)
            await inside.reached("EXECUTED", key)
        assert await inside.count("CANCELLED", key) == 0

    async def test_50_sockets_opened_subscribed_and_cut(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """No stream, no subscription and no consumer stays behind."""
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(connect(project.url("mortal/"))) for _ in range(50)]
            for client in clients:
                await client.init({"key": key})
                await client.subscribe("1", SILENT, {"key": key})
                await client.subscribe("2", ON_MESSAGE, {"key": f"{key} group"})
            await inside.reached("STARTED", key, 50)
            await inside.reached("STARTED", f"{key} group", 50)

            for client in clients:
                client.cut()

            await inside.reached("RELEASED", key, 50)
            await inside.reached("UNSUBSCRIBED", f"{key} group", 50)
            async with asyncio.timeout(LIMIT):
                while await inside.count("RELEASED", f"{key} consumer") < 50:
                    await inside.collect_garbage()
        assert await inside.count("RELEASED", key) == 50
        assert await inside.count("UNSUBSCRIBED", f"{key} group") == 50

    async def test_sockets_cut_in_every_state(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """Cut right after a message, before the server can have answered it: others are served as before."""
        payload = {"query": SILENT, "variables": {"key": key}}
        subscribe = {"id": "1", "type": "subscribe", "payload": payload}
        complete = {"id": "1", "type": "complete"}
        init = {"type": "connection_init"}
        for messages in ([], [init], [init, init], ["hello"], [subscribe], [init, {"type": "ping"}]):
            async with connect(project.url()) as client:
                await client.send_together(*messages)
                client.cut()
        for messages in ([subscribe], [subscribe, complete], [subscribe, subscribe], [subscribe, "hello"]):
            async with connect(project.url()) as client:
                await client.init()
                await client.send_together(*messages)
                client.cut()

        await inside.reached("RELEASED", key, await inside.count("STARTED", key))
        async with connect(project.url()) as client:
            await client.init()
            assert await client.execute("1", "{ value }") == {"data": {"value": "value"}}


class TestShutdown:
    """A server of its own for each test: it ends."""

    async def test_clients_read_that_uvicorn_restarts(self) -> None:
        """1012, or 1001: both tell a client to come again."""
        with ProjectServer("uvicorn") as server:
            async with connect(server.url()) as client:
                await client.init()
                await client.subscribe("1", SILENT, {"key": "stream"})
                assert await client.barrier() == []

                server.terminate()

                await client.expect_close([1001, 1012])
            server.stop()

    @pytest.mark.parametrize("kind", get_args(Kind))
    async def test_the_process_ends_although_clients_are_connected(self, kind: Kind) -> None:
        """The package installs no signal handler and holds nothing up."""
        with ProjectServer(kind) as server:
            async with connect(server.url()) as client, connect(server.url()) as newcomer:
                await client.init()
                await client.subscribe("1", SILENT, {"key": "stream"})
                await client.subscribe("2", ON_MESSAGE, {"key": "subscription"})
                await client.subscribe("3", 'query { slowValue(key: "never") }')
                assert await client.barrier() == []
                assert await newcomer.barrier() == []

                server.terminate()

                await client.closed()
                await newcomer.closed()
            server.stop()

    async def test_streams_are_released(self, tmp_path: Path) -> None:
        """Their clean-up runs before the process is gone. (Daphne ends without a word to its applications.)"""
        traces = [tmp_path / "first", tmp_path / "second"]
        with ProjectServer("uvicorn") as server:
            async with connect(server.url()) as client:
                await client.init()
                for trace in traces:
                    document = "subscription ($path: String!) { leavesTrace(path: $path) }"
                    await client.subscribe(trace.name, document, {"path": str(trace)})
                    assert await client.receive() == {
                        "id": trace.name,
                        "type": "next",
                        "payload": {"data": {"leavesTrace": 0}},
                    }

                server.terminate()

                await client.closed()
            server.stop()
        assert [trace.read_text() for trace in traces] == ["released", "released"]
