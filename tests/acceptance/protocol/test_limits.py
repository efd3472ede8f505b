"""Limits: the size of messages and the number of operations."""

from __future__ import annotations

import json

import pytest

from tests.support.client import Client, connect
from tests.support.project import Inside, ProjectServer

HALF_A_MEBIBYTE = 512 * 1024
MEBIBYTE = 1024 * 1024
SLOW = "query ($key: String!) { slowValue(key: $key) }"


class TestMessageSize:
    async def test_512_kib_pass_both_ways(self, client: Client) -> None:
        """A large message from a client, and a large result."""
        text = "x" * HALF_A_MEBIBYTE

        result = await client.execute("1", "query ($text: String) { echoText(text: $text) }", {"text": text})

        assert result == {"data": {"echoText": text}}

    async def test_results_have_no_limit(self, uvicorn: ProjectServer) -> None:
        """The limit is for what clients send."""
        async with connect(uvicorn.url()) as client:
            await client.init()

            result = await client.execute("1", "{ longText(length: 3000000) }")

        assert len(result["data"]["longText"]) == 3_000_000

    async def test_a_result_that_daphne_cannot_send_closes_the_socket(self, daphne: ProjectServer) -> None:
        """Daphne refuses to send more than 1 MiB: a client must not wait for ever on a socket that is dumb."""
        async with connect(daphne.url()) as client:
            await client.init()

            await client.subscribe("1", "{ longText(length: 2000000) }")

            await client.closed()

    async def test_exactly_the_default_limit_passes(self, client: Client) -> None:
        """1 MiB."""
        await client.send_text(ping_of(MEBIBYTE))

        assert (await client.receive())["type"] == "pong"

    async def test_one_byte_over_the_default_limit(self, uvicorn: ProjectServer) -> None:
        """A close that says so."""
        async with connect(uvicorn.url()) as client:
            await client.init()

            await client.send_text(ping_of(MEBIBYTE + 1))

            closed = await client.closed()
        assert closed.code == 4400
        assert str(MEBIBYTE) in closed.reason

    async def test_far_over_the_default_limit(self, uvicorn: ProjectServer) -> None:
        """As long as the server underneath lets it through, the package says so."""
        async with connect(uvicorn.url()) as client:
            await client.init()

            await client.send_text(ping_of(8 * MEBIBYTE))

            closed = await client.closed()
        assert closed.code == 4400
        assert str(MEBIBYTE) in closed.reason

    @pytest.mark.parametrize("fill", ["x", "é", "😀"])
    async def test_a_limit_of_ones_own_counts_bytes(self, project: ProjectServer, fill: str) -> None:
        """Not characters: exactly 1,024 bytes pass, one more does not."""
        async with connect(project.url("narrow/")) as client:
            await client.init()

            await client.send_text(ping_of(1024, fill))
            assert (await client.receive())["type"] == "pong"
            await client.send_text(ping_of(1025, fill))

            closed = await client.closed()
        assert closed.code == 4400
        assert ("1024" in closed.reason) == (project.reason("any") != "")

    async def test_it_holds_before_connection_init(self, project: ProjectServer) -> None:
        """Nobody is let in first."""
        async with connect(project.url("narrow/")) as client:
            await client.send_text(ping_of(1025))

            await client.expect_close(4400)

    async def test_it_holds_for_binary_frames(self, project: ProjectServer) -> None:
        """They are refused anyway."""
        async with connect(project.url("narrow/")) as client:
            await client.send_bytes(b"x" * 1025)

            await client.expect_close(4400)


class TestNumberOfOperations:
    async def test_one_too_many_gets_one_error(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """The socket lives, the others go on, and the id is free."""
        async with connect(project.url("narrow/")) as client:
            await client.init()
            for id in ("1", "2", "3"):
                await client.subscribe(id, SLOW, {"key": key})
            await inside.reached("STARTED", key, 3)

            await client.subscribe("4", "{ value }")

            error = await client.receive()
            assert (error["id"], error["type"], len(error["payload"])) == ("4", "error", 1)
            assert await client.barrier() == []
            await inside.open(key)
            results = [message for _ in range(6) if (message := await client.receive())["type"] == "next"]
            assert sorted(message["id"] for message in results) == ["1", "2", "3"]
            assert await client.execute("4", "{ value }") == {"data": {"value": "value"}}

    async def test_what_has_ended_does_not_count(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """A completed operation makes room at once."""
        async with connect(project.url("narrow/")) as client:
            await client.init()
            for id in ("1", "2", "3"):
                await client.subscribe(id, SLOW, {"key": key})
            await inside.reached("STARTED", key, 3)

            await client.complete("2")

            assert await client.execute("4", "{ value }") == {"data": {"value": "value"}}

    async def test_one_after_the_other_there_may_be_any_number(self, project: ProjectServer) -> None:
        """Only what runs at the same time is counted."""
        async with connect(project.url("narrow/")) as client:
            await client.init()

            for number in range(20):
                assert await client.execute(str(number), "{ value }") == {"data": {"value": "value"}}

    async def test_an_id_in_use_is_still_4409(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """The limit does not hide a client's mistake."""
        async with connect(project.url("narrow/")) as client:
            await client.init()
            for id in ("1", "2", "3"):
                await client.subscribe(id, SLOW, {"key": key})
            await inside.reached("STARTED", key, 3)

            await client.subscribe("1", "{ value }")

            await client.expect_close(4409)

    async def test_another_connection_has_its_own(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """The limit is for each connection."""
        async with connect(project.url("narrow/")) as client, connect(project.url("narrow/")) as other:
            await client.init()
            await other.init()
            for id in ("1", "2", "3"):
                await client.subscribe(id, SLOW, {"key": key})
            await inside.reached("STARTED", key, 3)

            assert await other.execute("1", "{ value }") == {"data": {"value": "value"}}


def ping_of(size: int, fill: str = "x") -> str:
    """The text of a ping that has this many bytes of UTF-8."""
    empty = json.dumps({"type": "ping", "payload": {"x": "", "y": ""}})
    times, rest = divmod(size - len(empty), len(fill.encode()))
    text = json.dumps({"type": "ping", "payload": {"x": fill * times, "y": "y" * rest}}, ensure_ascii=False)
    assert len(text.encode()) == size
    return text
