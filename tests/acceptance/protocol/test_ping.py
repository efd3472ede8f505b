"""ping and pong: in any state, whatever else the server is doing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.client import Client, connect
from tests.support.project import Inside, ProjectServer

SYNC_THREADS = 16
"""The default number of worker threads."""

PAYLOADS = [{}, {"n": 1}, {"nested": {"list": [1, 2.5, None, True, "é😀"], "empty": {}}}]

BLOCKING = "query ($key: String!) { blockingValue(key: $key) }"
SLOW = "query ($key: String!) { slowValue(key: $key) }"


@pytest.fixture(params=["before connection_init", "after connection_ack"])
async def peer(request: pytest.FixtureRequest, newcomer: Client) -> Client:
    """A connection in either state."""
    if request.param == "after connection_ack":
        await newcomer.init()
    return newcomer


class TestPong:
    async def test_it_has_no_payload_if_the_ping_had_none(self, peer: Client) -> None:
        """A bare question gets a bare answer."""
        await peer.send(type="ping")

        assert await peer.receive() == {"type": "pong"}

    async def test_null_counts_as_none(self, peer: Client) -> None:
        """A payload of null is no payload."""
        await peer.send(type="ping", payload=None)

        assert await peer.receive() == {"type": "pong"}

    @pytest.mark.parametrize("payload", PAYLOADS)
    async def test_it_has_the_payload_of_the_ping(self, peer: Client, payload: Any) -> None:
        """Any object comes back as it went."""
        await peer.send(type="ping", payload=payload)

        assert await peer.receive() == {"type": "pong", "payload": payload}

    @pytest.mark.parametrize("payload", [None, *PAYLOADS])
    async def test_an_unsolicited_pong_gets_no_answer(self, peer: Client, payload: Any) -> None:
        """A client may send pongs as a sign of life."""
        await peer.send(type="pong")
        await peer.send(type="pong", payload=payload)

        assert await peer.barrier() == []


class TestWhileResolversAreBusy:
    async def test_a_slow_resolver_does_not_delay_the_pong(self, client: Client, inside: Inside, key: str) -> None:
        """The pong comes before the result."""
        await client.subscribe("1", SLOW, {"key": key})
        await inside.reached("STARTED", key)

        assert await client.barrier() == []

        await inside.open(key)
        assert (await client.receive())["payload"] == {"data": {"slowValue": key}}

    async def test_a_resolver_that_blocks_its_thread_does_not_delay_the_pong(
        self, client: Client, inside: Inside, key: str
    ) -> None:
        """The loop stays free: on this socket and, as `inside` shows, on others."""
        await client.subscribe("1", BLOCKING, {"key": key})
        await inside.reached("STARTED", key)

        assert await client.barrier() == []

        await inside.open(key)
        assert (await client.receive())["payload"] == {"data": {"blockingValue": key}}

    async def test_with_every_worker_thread_blocked_pings_and_async_operations_go_on(
        self, client: Client, inside: Inside, key: str
    ) -> None:
        """When all threads are busy only plain functions wait."""
        for number in range(SYNC_THREADS + 4):
            await client.subscribe(f"blocked {number}", BLOCKING, {"key": key})
        await inside.reached("STARTED", key, SYNC_THREADS)
        await client.subscribe("waiting", "{ syncValue }")

        assert await client.barrier() == []
        assert await client.execute("quick", "{ value }") == {"data": {"value": "value"}}

        await inside.open(key)
        messages = [await client.receive() for _ in range(2 * (SYNC_THREADS + 5))]
        results = {message["id"]: message["payload"] for message in messages if message["type"] == "next"}
        assert results.pop("waiting") == {"data": {"syncValue": "sync value"}}
        assert results == {f"blocked {number}": {"data": {"blockingValue": key}} for number in range(SYNC_THREADS + 4)}

    async def test_a_stream_that_never_pauses_does_not_keep_the_pong(
        self, client: Client, inside: Inside, key: str
    ) -> None:
        """The pong comes between the events of a stream that is always ready."""
        await client.subscribe("1", "subscription ($key: String!) { countForever(key: $key) }", {"key": key})

        numbers = [message["payload"]["data"]["countForever"] for message in await client.barrier()]

        assert numbers == list(range(1, len(numbers) + 1))
        await client.complete("1")
        await inside.reached("RELEASED", key)


class TestPingsOfTheServer:
    async def test_they_come_by_themselves_and_need_no_answer(self, project: ProjectServer) -> None:
        """With an interval configured the server pings; a client's pong is taken."""
        async with connect(project.url("pinging/")) as client:
            await client.init()

            for _ in range(3):
                assert await client.receive() == {"type": "ping"}
            await client.send(type="pong")
            await client.send(type="pong", payload={"n": 1})
            assert await client.receive() == {"type": "ping"}
