"""Every attribute and hook of a consumer, as a client sees it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.client import Client, connect
from tests.support.notes import LIMIT
from tests.support.project import Inside, ProjectServer
from tests.support.tables import situations

RECORD = "mutation ($key: String!) { record(key: $key) }"
ON_MESSAGE = "subscription ($group: String!, $key: String) { onMessage(group: $group, key: $key) { text } }"
SLOW = "query ($key: String!) { slowValue(key: $key) }"

HOOKED = pytest.mark.parametrize("path", ["hooked/", "plainly-hooked/"])


@HOOKED
class TestHooks:
    async def test_get_context(self, project: ProjectServer, key: str, path: str) -> None:
        """Its entries are attributes of the context of this one operation."""
        async with connect(project.url(path)) as client:
            await client.init({"key": key})

            for id in ("1", "2"):
                result = await client.execute(id, '{ ofContext(name: "tenant") }')
                assert result == {"data": {"ofContext": f"{key} {id}"}}

    async def test_on_operation(self, project: ProjectServer, key: str, path: str) -> None:
        """It refuses one operation and lets the others run."""
        async with connect(project.url(path)) as client:
            await client.init({"key": key})
            await client.subscribe("1", "query forbidden { value }")

            assert await client.receive() == {"id": "1", "type": "error", "payload": [{"message": "not that one"}]}
            assert await client.execute("2", "{ value }") == {"data": {"value": "value"}}

    async def test_on_disconnect_when_the_client_closes(
        self, project: ProjectServer, inside: Inside, key: str, path: str
    ) -> None:
        """It gets the client's code."""
        async with connect(project.url(path)) as client:
            await client.init({"key": key})
            await client.close(4321)

            await inside.reached("RELEASED", f"{key} 4321")

    async def test_on_disconnect_when_the_socket_is_cut(
        self, project: ProjectServer, inside: Inside, key: str, path: str
    ) -> None:
        """It gets the code with which the server reports a socket that ended without a close."""
        code = {"uvicorn": 1005, "daphne": 1006}[project.kind]
        async with connect(project.url(path)) as client:
            await client.init({"key": key})
            client.cut()

            await inside.reached("RELEASED", f"{key} {code}")

    async def test_on_disconnect_when_the_server_closes(
        self, project: ProjectServer, inside: Inside, key: str, path: str
    ) -> None:
        """It gets the server's code, once."""
        async with connect(project.url(path)) as client:
            await client.init({"key": key})
            await client.send_text("hello")
            await client.expect_close(4400)

        await inside.reached("RELEASED", f"{key} 4400")
        assert await inside.count("RELEASED", f"{key} 4400") == 1


class TestOwnChannel:
    async def test_a_message_to_it(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """It reaches the method that its type names; the context has the same name."""
        async with connect(project.url("channel/")) as client:
            name = (await client.init())["payload"]["channel"]
            assert await client.execute("1", '{ ofContext(name: "channel_name") }') == {"data": {"ofContext": name}}

            await inside.send_to_channel(name, key)

            await inside.reached("PUBLISHED", key)

    async def test_without_one(self, project: ProjectServer) -> None:
        """Asking for the name says what to set."""
        async with connect(project.url("frank/")) as client:
            await client.init()

            result = await client.execute("1", '{ ofContext(name: "channel_name") }')

        assert "own_channel = True" in result["errors"][0]["message"]


MIDDLEWARE = {
    "a list": ("middleware/", "<wrapped VALUE>", "<wrapped HELLO>"),
    "a manager": ("managed-middleware/", "<wrapped VALUE>", "<wrapped HELLO>"),
    "a plain function": ("plain-middleware/", "value!", "hello!"),
}


class TestAttributes:
    @pytest.mark.parametrize(("path", "value", "text"), situations(MIDDLEWARE))
    async def test_middleware(
        self, project: ProjectServer, inside: Inside, key: str, path: str, value: str, text: str
    ) -> None:
        """It runs around the resolvers of queries and of notifications; the first is the closest to the resolver."""
        async with connect(project.url(path)) as client:
            await client.init()
            assert await client.execute("1", "{ value }") == {"data": {"value": value}}
            assert await client.execute("2", "query IntrospectionQuery { value }") == {"data": {"value": value}}

            await client.subscribe("3", ON_MESSAGE, {"group": key})
            assert (await client.receive())["payload"] == {"data": None}
            await inside.broadcast(key, "hello")

            assert (await client.receive())["payload"] == {"data": {"onMessage": {"text": text}}}

    async def test_confirm_subscriptions(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """One extra result in the words of the setting; a broadcast right behind it is not missed."""
        async with connect(project.url("talkative/")) as client:
            await client.init()
            await client.subscribe("1", ON_MESSAGE, {"group": key})

            payload = {"data": {"ready": True}, "errors": [{"message": "hello"}]}
            assert await client.receive() == {"id": "1", "type": "next", "payload": payload}
            await inside.broadcast(key, "first")
            assert (await client.receive())["payload"] == {"data": {"onMessage": {"text": "first"}}}

    async def test_no_confirmation_of_who_is_refused(self, project: ProjectServer) -> None:
        """An error instead."""
        async with connect(project.url("talkative/")) as client:
            await client.init()
            await client.subscribe("1", "subscription { onRefusedMessage { text } }")

            assert (await client.receive())["type"] == "error"

    async def test_subscription_notification_queue_limit(
        self, project: ProjectServer, inside: Inside, key: str
    ) -> None:
        """The oldest are dropped while `publish` is slow; the client is told, and the log names the operation."""
        async with connect(project.url("brief/")) as client:
            await client.init()
            await client.subscribe("a slow one", ON_MESSAGE, {"group": key})
            await client.receive()
            await inside.broadcast(key, "first", gate=key)
            await inside.reached("STARTED", key)
            await inside.broadcast_numbers(key, 5)

            await inside.open(key)

            results = [(await client.receive())["payload"] for _ in range(3)]
        assert [result["data"]["onMessage"]["text"] for result in results] == ["first", "4", "5"]
        assert sum(result.get("extensions", {}).get("gqlws", {}).get("dropped", 0) for result in results) == 3
        assert "a slow one" in project.log

    async def test_strict_ordering(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """Operations run one at a time in their order; a ping is answered, and a `complete` acts, meanwhile."""
        async with connect(project.url("ordered/")) as client:
            await client.init()
            await client.subscribe("1", SLOW, {"key": key})
            await client.subscribe("2", RECORD, {"key": key})
            await inside.reached("STARTED", key)
            assert await client.barrier() == []
            assert await inside.count("EXECUTED", key) == 0

            await client.complete("1")

            assert (await client.receive())["payload"] == {"data": {"record": 1}}

    async def test_warn_operation_timeout(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """A slow operation is logged while it runs, without its document."""
        async with connect(project.url("watchful/")) as client:
            await client.init()
            await client.subscribe(key, SLOW, {"key": key})

            async with asyncio.timeout(LIMIT):
                while key not in project.log:
                    await client.barrier()

            assert "takes longer than 0.05 seconds" in project.log
            assert "slowValue" not in project.log
            await inside.open(key)

    async def test_send_ping_every(self, project: ProjectServer) -> None:
        """The server's own pings, in intervals."""
        async with connect(project.url("pinging/")) as client:
            await client.init()

            for _ in range(3):
                assert await client.receive() == {"type": "ping"}

    async def test_max_operations(self, project: ProjectServer, inside: Inside, key: str) -> None:
        """Beyond it a new one gets an `error`, and the socket lives."""
        async with connect(project.url("narrow/")) as client:
            await client.init()
            for number in range(4):
                await client.subscribe(str(number), SLOW, {"key": key})

            refused = await client.receive()
            assert (refused["id"], refused["type"]) == ("3", "error")
            await inside.open(key)
            await receive_results(client, 3)
            assert await client.execute("again", "{ value }") == {"data": {"value": "value"}}


async def receive_results(client: Client, count: int) -> list[Any]:
    messages = [await client.receive() for _ in range(2 * count)]
    return [message["payload"] for message in messages if message["type"] == "next"]
