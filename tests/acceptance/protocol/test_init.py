"""connection_init: payloads, the timeout, a second one, and the application's decision."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.client import Client, Closed, connect, connect_in_time
from tests.support.notes import LIMIT
from tests.support.project import Inside, ProjectServer

RECORD = "mutation ($key: String!) { record(key: $key) }"


class TestPayload:
    @pytest.mark.parametrize(
        "init",
        [
            {},
            {"payload": None},
            {"payload": {}},
            {"payload": {"token": "secret", "nested": {"list": [1, None, "é"]}}},
        ],
    )
    async def test_absent_null_or_any_object_is_acknowledged(self, newcomer: Client, init: dict[str, Any]) -> None:
        """The acknowledgement has no payload key, because the application gave no payload."""
        await newcomer.send(type="connection_init", **init)

        assert await newcomer.receive() == {"type": "connection_ack"}

    @pytest.mark.parametrize("payload", ["text", "", 5, 0, 1.5, True, False, [], [{}]])
    async def test_any_other_type_is_closed_with_4400(
        self, project: ProjectServer, newcomer: Client, payload: Any
    ) -> None:
        """A payload is an object or nothing."""
        await newcomer.send(type="connection_init", payload=payload)

        closed = await newcomer.closed()
        assert closed.code == 4400
        assert ("payload" in closed.reason) == (project.reason("any") != "")

    async def test_what_on_connect_returns_is_the_payload_of_the_acknowledgement(self, project: ProjectServer) -> None:
        """A dict from the application travels with the acknowledgement."""
        async with connect(project.url("doorman/")) as client:
            ack = await client.init({"ack": {"session": 7}})

        assert ack == {"type": "connection_ack", "payload": {"session": 7}}

    async def test_an_operation_right_behind_the_acknowledgement_is_executed(self, client: Client) -> None:
        """Who has read the acknowledgement is acknowledged."""
        assert await client.execute("1", "{ value }") == {"data": {"value": "value"}}


class TestTimeout:
    async def test_without_init_the_socket_closes_with_4408(self, project: ProjectServer) -> None:
        """A client that only connects is not kept."""
        async with connect(project.url("impatient/")) as client:
            await client.expect_close(4408, project.reason("Connection initialisation timeout"))

    async def test_pings_and_completes_do_not_put_it_off(self, project: ProjectServer) -> None:
        """Other messages, however many, are no connection_init."""
        async with connect(project.url("impatient/")) as client, asyncio.timeout(LIMIT):
            with pytest.raises(Closed) as closed:
                while True:
                    await client.complete("unknown")
                    await client.send(type="pong")
                    await client.barrier()

        assert closed.value.code == 4408

    async def test_a_slow_on_connect_does_not_count(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """Only the receipt of connection_init stops the clock, not the application's answer."""
        url = project.url("impatient/")
        async with connect_in_time(url, lambda one: one.begin_init({"gate": key})) as client, connect(url) as silent:
            # The silent one came later, so its time is over later.
            await silent.expect_close(4408)

            await inside.open(key)
            assert await client.receive() == {"type": "connection_ack"}
            assert await client.execute("1", "{ value }") == {"data": {"value": "value"}}

    async def test_an_acknowledged_connection_has_no_timeout(self, project: ProjectServer) -> None:
        """Once acknowledged, a client may be silent as long as it likes."""
        url = project.url("impatient/")
        async with connect_in_time(url, Client.init) as client, connect(url) as silent:
            await silent.expect_close(4408)

            assert await client.barrier() == []


class TestSecondInit:
    async def test_after_the_acknowledgement(self, project: ProjectServer, client: Client) -> None:
        """A connection is initialised once."""
        await client.send(type="connection_init")

        await client.expect_close(4429, project.reason("Too many initialisation requests"))

    async def test_right_behind_the_first(self, project: ProjectServer) -> None:
        """The second is refused even if the first has not been answered."""
        async with connect(project.url("doorman/")) as client:
            await client.send_together({"type": "connection_init"}, {"type": "connection_init"})

            received = await receive_all(client)

        assert received[-1].code == 4429
        assert received[:-1] in ([], [{"type": "connection_ack"}])

    async def test_while_on_connect_runs(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """The close comes at once, and the application's decision is cancelled."""
        async with connect(project.url("doorman/")) as client:
            await client.send(type="connection_init", payload={"gate": key})
            await inside.reached("STARTED", key)

            await client.send(type="connection_init")

            await client.expect_close(4429, project.reason("Too many initialisation requests"))
        await inside.reached("RELEASED", key)

    async def test_while_a_plain_on_connect_blocks_its_thread(
        self, project: ProjectServer, inside: Inside, key: str
    ) -> None:
        """A blocked worker thread does not keep the socket open."""
        async with connect(project.url("blocking-doorman/")) as client:
            await client.send(type="connection_init", payload={"gate": key})
            await inside.reached("STARTED", key)

            await client.send(type="connection_init")

            await client.expect_close(4429, project.reason("Too many initialisation requests"))
        await inside.open(key)

    @pytest.mark.parametrize("payload", ["text", 5, []])
    async def test_its_payload_is_not_looked_at(self, project: ProjectServer, client: Client, payload: Any) -> None:
        """That it is the second weighs more than that it is malformed."""
        await client.send(type="connection_init", payload=payload)

        await client.expect_close(4429, project.reason("Too many initialisation requests"))


class TestRefusal:
    @pytest.mark.parametrize("error", ["GraphQLError", "PermissionDenied"])
    async def test_an_error_meant_for_the_client_is_the_reason(self, project: ProjectServer, error: str) -> None:
        """No acknowledgement, but a close whose reason is the message of the error."""
        async with connect(project.url("doorman/")) as client:
            await client.send(type="connection_init", payload={"refuse": error, "reason": "token expired"})

            await client.expect_close(4403, project.reason("token expired"))

    async def test_any_other_exception_says_nothing(self, project: ProjectServer) -> None:
        """Internals stay inside."""
        async with connect(project.url("doorman/")) as client:
            await client.send(type="connection_init", payload={"refuse": "ValueError", "reason": "a secret"})

            await client.expect_close(4403, project.reason("Forbidden"))

    async def test_an_error_without_a_message(self, project: ProjectServer) -> None:
        """An empty message leaves the default reason."""
        async with connect(project.url("doorman/")) as client:
            await client.send(type="connection_init", payload={"refuse": "PermissionDenied", "reason": ""})

            await client.expect_close(4403, project.reason("Forbidden"))

    @pytest.mark.parametrize(
        ("message", "reason"),
        [
            pytest.param("x" * 123, "x" * 123, id="fits"),
            pytest.param("x" * 124, "x" * 123, id="one byte too many"),
            pytest.param("x" * 5000, "x" * 123, id="far too long"),
            pytest.param("é" * 100, "é" * 61, id="two bytes each"),
            pytest.param("€" * 100, "€" * 41, id="three bytes each"),
            pytest.param("x" + "€" * 100, "x" + "€" * 40, id="three bytes each, shifted"),
            pytest.param("😀" * 100, "😀" * 30, id="four bytes each"),
            pytest.param("line\nbreak\x00\x1f", "line\nbreak\x00\x1f", id="control characters"),
        ],
    )
    async def test_a_reason_is_cut_to_123_bytes_and_never_broken(
        self, project: ProjectServer, message: str, reason: str
    ) -> None:
        """A close frame carries 123 bytes of valid UTF-8; a server may drop the connection at more."""
        async with connect(project.url("doorman/")) as client:
            await client.send(type="connection_init", payload={"refuse": "GraphQLError", "reason": message})

            await client.expect_close(4403, project.reason(reason))

    async def test_a_lone_surrogate_in_a_reason(self, project: ProjectServer) -> None:
        """Text that UTF-8 cannot carry does not keep the socket from closing as it should."""
        async with connect(project.url("doorman/")) as client:
            await client.send(type="connection_init", payload={"refuse": "GraphQLError", "reason": "\ud800"})

            await client.expect_close(4403)

    async def test_a_plain_on_connect_refuses_as_well(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """A hook may be a plain function; it runs in a worker thread."""
        await inside.open(key)
        async with connect(project.url("blocking-doorman/")) as client:
            payload = {"gate": key, "refuse": True, "reason": "not today"}
            await client.send(type="connection_init", payload=payload)

            await client.expect_close(4403, project.reason("not today"))

    async def test_a_mutation_queued_behind_it_is_never_executed(
        self, project: ProjectServer, inside: Inside, key: str
    ) -> None:
        """Nothing that a client sends before it is acknowledged runs, whatever the close code."""
        payload = {"query": RECORD, "variables": {"key": key}}
        async with connect(project.url("doorman/")) as client:
            await client.send_together(
                {"type": "connection_init", "payload": {"refuse": "PermissionDenied", "reason": "no"}},
                {"type": "subscribe", "id": "1", "payload": payload},
            )

            await client.expect_close([4401, 4403])

        assert await inside.count("EXECUTED", key) == 0


@pytest.mark.parametrize("path", ["doorman/", "blocking-doorman/"])
class TestWhileOnConnectRuns:
    async def test_a_ping_gets_its_pong_at_once(
        self, project: ProjectServer, inside: Inside, key: str, path: str
    ) -> None:
        """The application's decision does not keep the server from reading."""
        async with connect(project.url(path)) as client:
            await client.send(type="connection_init", payload={"gate": key})
            await inside.reached("STARTED", key)

            assert await client.barrier() == []

            await inside.open(key)
            assert await client.receive() == {"type": "connection_ack"}

    async def test_a_subscribe_gets_4401(self, project: ProjectServer, inside: Inside, key: str, path: str) -> None:
        """It is refused at once, not kept for later, and never executed."""
        async with connect(project.url(path)) as client:
            await client.send(type="connection_init", payload={"gate": key})
            await inside.reached("STARTED", key)

            await client.subscribe("1", RECORD, {"key": key})

            await client.expect_close(4401, project.reason("Unauthorized"))
        await inside.open(key)
        assert await inside.count("EXECUTED", key) == 0

    async def test_a_complete_is_ignored(self, project: ProjectServer, inside: Inside, key: str, path: str) -> None:
        """There is nothing yet that it could end."""
        async with connect(project.url(path)) as client:
            await client.send(type="connection_init", payload={"gate": key})
            await inside.reached("STARTED", key)

            await client.complete("1")

            assert await client.barrier() == []
            await inside.open(key)
            assert await client.receive() == {"type": "connection_ack"}


async def receive_all(client: Client) -> list[Any]:
    """Everything up to the close, which comes last."""
    received: list[Any] = []
    while not received or not isinstance(received[-1], Closed):
        try:
            received.append(await client.receive())
        except Closed as closed:
            received.append(closed)
    return received
