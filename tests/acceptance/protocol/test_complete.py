"""complete from the client: the operation ends, its id is free, and nothing of it is heard again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.client import Client, connect
from tests.support.project import Inside, ProjectServer

SLOW = "query ($key: String!) { slowValue(key: $key) }"
BLOCKING = "query ($key: String!) { blockingValue(key: $key) }"
SILENT = "subscription ($key: String!) { silent(key: $key) }"
GATED = "subscription ($key: String!) { gated(key: $key) }"
COUNT_FOREVER = "subscription ($key: String!) { countForever(key: $key) }"
ON_MESSAGE = 'subscription ($key: String!) { onMessage(group: "room", key: $key) { text } }'
ON_SLOW_MESSAGE = "subscription ($key: String!) { onSlowMessage(key: $key) { text } }"

OPERATIONS = [
    # what runs, and what is noted in the server when it ends
    pytest.param(SLOW, "CANCELLED", id="a query"),
    pytest.param("mutation ($key: String!) { slowRecord(key: $key) }", "CANCELLED", id="a mutation"),
    pytest.param(SILENT, "RELEASED", id="a native stream"),
    pytest.param(GATED, "RELEASED", id="a native stream with an event to come"),
    pytest.param(COUNT_FOREVER, "RELEASED", id="a native stream without a pause"),
    pytest.param("subscription ($key: String!) { clumsy(key: $key) }", "RELEASED", id="one whose clean-up fails"),
    pytest.param(ON_MESSAGE, "UNSUBSCRIBED", id="a subscription"),
    pytest.param(
        "subscription ($key: String!) { onClumsyMessage(key: $key) { text } }",
        "UNSUBSCRIBED",
        id="a subscription whose unsubscribed fails",
    ),
    pytest.param(ON_SLOW_MESSAGE, "CANCELLED", id="a subscription that is preparing"),
]


class TestTheOperationEnds:
    @pytest.mark.parametrize(("document", "end"), OPERATIONS)
    async def test_it_is_cancelled_and_nothing_more_is_sent(
        self, client: Client, inside: Inside, key: str, document: str, end: str
    ) -> None:
        """Whatever it is; and the server sends no `complete` back."""
        await client.subscribe("1", document, {"key": key})
        await inside.reached("STARTED", key)

        await client.complete("1")

        await inside.reached(end, key)
        # Only what crossed the client's complete may still have arrived.
        assert {message["type"] for message in await client.barrier()} <= {"next"}
        await inside.open(key)
        assert await client.barrier() == []
        assert await client.execute("1", "{ value }") == {"data": {"value": "value"}}

    async def test_a_blocked_thread_keeps_its_result(self, client: Client, inside: Inside, key: str) -> None:
        """A thread cannot be cancelled, but what it returns is not sent."""
        await client.subscribe("1", BLOCKING, {"key": key})
        await inside.reached("STARTED", key)
        await client.complete("1")
        assert await client.barrier() == []

        await inside.open(key)
        await inside.reached("EXECUTED", key)

        assert await client.barrier() == []

    @pytest.mark.parametrize(("document", "end"), OPERATIONS)
    async def test_right_behind_subscribe(
        self, client: Client, inside: Inside, key: str, document: str, end: str
    ) -> None:
        """The operation is still preparing; what of it has begun is released."""
        await client.send_together(subscribe("1", document, key), {"id": "1", "type": "complete"})

        assert {message["type"] for message in await client.barrier()} <= {"next"}

        await inside.reached(end, key, await inside.count("STARTED", key))
        await inside.open(key)
        assert await client.barrier() == []
        assert await inside.count("EXECUTED", key) == 0

    async def test_a_subscription_is_not_unsubscribed_if_its_subscribe_was_cancelled(
        self, client: Client, inside: Inside, key: str
    ) -> None:
        """`unsubscribed` belongs to a `subscribe` that returned."""
        await client.subscribe("1", ON_SLOW_MESSAGE, {"key": key})
        await inside.reached("STARTED", key)

        await client.complete("1")

        await inside.reached("CANCELLED", key)
        await inside.open(key)
        assert await client.barrier() == []
        assert await inside.count("UNSUBSCRIBED", key) == 0

    async def test_unsubscribed_is_called_once(self, client: Client, inside: Inside, key: str) -> None:
        """However many completes arrive, and though the socket closes afterwards."""
        await client.subscribe("1", ON_MESSAGE, {"key": key})
        await inside.reached("STARTED", key)

        await client.complete("1")
        await client.complete("1")
        await inside.reached("UNSUBSCRIBED", key)
        await client.close()

        assert await inside.count("UNSUBSCRIBED", key) == 1

    async def test_other_operations_go_on(self, client: Client, inside: Inside, key: str) -> None:
        """Only the operation of the id ends."""
        await client.subscribe("ends", SILENT, {"key": key})
        await client.subscribe("goes on", GATED, {"key": f"{key}-2"})
        await inside.reached("STARTED", key)
        await inside.reached("STARTED", f"{key}-2")

        await client.complete("ends")
        await inside.reached("RELEASED", key)
        await inside.open(f"{key}-2")

        assert await client.receive() == {"id": "goes on", "type": "next", "payload": {"data": {"gated": 1}}}

    async def test_the_same_id_on_another_socket_goes_on(
        self, project: ProjectServer, client: Client, inside: Inside, key: str
    ) -> None:
        """A complete reaches no other connection."""
        await client.subscribe("1", GATED, {"key": key})
        await inside.reached("STARTED", key)

        async with connect(project.url()) as other:
            await other.init()
            await other.complete("1")
            assert await other.barrier() == []
        await inside.open(key)

        assert await client.receive() == {"id": "1", "type": "next", "payload": {"data": {"gated": 1}}}


class TestTheIdIsFreeAtOnce:
    @pytest.mark.parametrize("document", [SLOW, BLOCKING, SILENT, ON_MESSAGE, ON_SLOW_MESSAGE])
    async def test_for_a_subscribe_in_the_same_packet(
        self, client: Client, inside: Inside, key: str, document: str
    ) -> None:
        """No 4409, although the clean-up of the old operation has hardly begun."""
        await client.subscribe("1", document, {"key": key})
        await inside.reached("STARTED", key)

        await client.send_together({"id": "1", "type": "complete"}, subscribe("1", "{ value }"))

        assert await client.receive() == {"id": "1", "type": "next", "payload": {"data": {"value": "value"}}}
        assert await client.receive() == {"id": "1", "type": "complete"}
        await inside.open(key)
        assert await client.barrier() == []

    async def test_again_and_again(self, client: Client, inside: Inside, key: str) -> None:
        """Subscribe and complete in turns, in one packet: every source that lived is released."""
        turns = [subscribe("1", SILENT, key), {"id": "1", "type": "complete"}]
        await client.send_together(*turns * 50)

        assert await client.barrier() == []

        await inside.reached("RELEASED", key, await inside.count("STARTED", key))


class TestNoCrossTalk:
    """A new operation takes the id while the old one is still ending."""

    @pytest.mark.parametrize("old", [SLOW, BLOCKING, SILENT, COUNT_FOREVER, ON_MESSAGE, ON_SLOW_MESSAGE])
    async def test_the_old_result_and_clean_up_never_touch_the_new_operation(
        self, client: Client, inside: Inside, key: str, old: str
    ) -> None:
        """The new one delivers its own result, and its id stays in use until then."""
        new = f"{key}-new"
        await client.subscribe("1", old, {"key": key})
        await inside.reached("STARTED", key)
        await client.send_together({"id": "1", "type": "complete"}, subscribe("1", GATED, new))
        await inside.reached("STARTED", new)
        await inside.open(key)
        await settled(client, inside, key, old)

        await inside.open(new)

        messages = await client.receive_until("complete")
        assert messages == [
            {"id": "1", "type": "next", "payload": {"data": {"gated": 1}}},
            {"id": "1", "type": "complete"},
        ]

    @pytest.mark.parametrize("old", [SLOW, BLOCKING, SILENT, COUNT_FOREVER, ON_MESSAGE, ON_SLOW_MESSAGE])
    async def test_the_old_clean_up_does_not_free_the_id_of_the_new_operation(
        self, project: ProjectServer, client: Client, inside: Inside, key: str, old: str
    ) -> None:
        """The id belongs to the new one: a third subscribe finds it in use."""
        new = f"{key}-new"
        await client.subscribe("1", old, {"key": key})
        await inside.reached("STARTED", key)
        await client.send_together({"id": "1", "type": "complete"}, subscribe("1", SILENT, new))
        await inside.reached("STARTED", new)
        await inside.open(key)
        await settled(client, inside, key, old)

        await client.subscribe("1", "{ value }")

        await client.expect_close(4409, project.reason("Subscriber for 1 already exists"))
        await inside.reached("RELEASED", new)

    @pytest.mark.parametrize("old", [SLOW, BLOCKING, SILENT, COUNT_FOREVER, ON_MESSAGE, ON_SLOW_MESSAGE])
    async def test_the_new_operation_can_be_completed(self, client: Client, inside: Inside, key: str, old: str) -> None:
        """The second complete ends the second operation."""
        new = f"{key}-new"
        await client.subscribe("1", old, {"key": key})
        await inside.reached("STARTED", key)
        await client.send_together({"id": "1", "type": "complete"}, subscribe("1", SILENT, new))
        await inside.reached("STARTED", new)
        await inside.open(key)
        await settled(client, inside, key, old)

        await client.complete("1")

        await inside.reached("RELEASED", new)
        assert await client.barrier() == []


class TestIgnored:
    async def test_an_unknown_id(self, client: Client) -> None:
        """It may be the id of an operation that has ended."""
        await client.complete("nobody knows it")

        assert await client.barrier() == []
        assert await client.execute("1", "{ value }") == {"data": {"value": "value"}}

    async def test_before_the_acknowledgement(self, newcomer: Client) -> None:
        """It is no operation that would need permission."""
        await newcomer.complete("1")

        assert await newcomer.barrier() == []
        assert await newcomer.init() == {"type": "connection_ack"}

    @pytest.mark.parametrize("document", ["{ value }", "subscription { countTo(n: 2) }", "{ nope }"])
    async def test_a_late_one(self, client: Client, document: str) -> None:
        """It crosses the end of the operation."""
        await client.subscribe("1", document)
        await client.receive_until("error" if "nope" in document else "complete")

        await client.complete("1")

        assert await client.barrier() == []
        assert await client.execute("1", "{ value }") == {"data": {"value": "value"}}

    async def test_after_the_first_next_of_each_query(self, client: Client) -> None:
        """As urql does: at most the server's own `complete` crosses it."""
        for number in range(50):
            id = str(number)
            await client.subscribe(id, "{ value }")
            while (message := await client.receive())["type"] != "next":
                assert message == {"id": str(number - 1), "type": "complete"}
            assert message["id"] == id
            await client.complete(id)

        assert await client.barrier() in ([], [{"id": "49", "type": "complete"}])

    async def test_after_the_first_next_of_each_query_under_one_id(self, client: Client) -> None:
        """The id is free, whether the server has already completed the query or not."""
        nexts = 0
        for _ in range(50):
            await client.subscribe("1", "{ value }")
            await client.receive_until("next")
            nexts += 1
            await client.complete("1")

        assert nexts == 50
        assert await client.barrier() in ([], [{"id": "1", "type": "complete"}])


class TestEchoedComplete:
    async def test_a_setting_answers_a_complete_with_one(
        self, project: ProjectServer, inside: Inside, key: str
    ) -> None:
        """Exactly one, for an operation that was running."""
        async with connect(project.url("echoing/")) as client:
            await client.init()
            await client.subscribe("1", SILENT, {"key": key})
            await inside.reached("STARTED", key)

            await client.complete("1")

            assert await client.receive() == {"id": "1", "type": "complete"}
            await inside.reached("RELEASED", key)
            assert await client.barrier() == []


def subscribe(id: str, document: str, key: str | None = None) -> dict[str, Any]:
    payload: dict[str, Any] = {"query": document}
    if key is not None:
        payload["variables"] = {"key": key}
    return {"id": id, "type": "subscribe", "payload": payload}


async def settled(client: Client, inside: Inside, key: str, document: str) -> None:
    """Return when the operation of this key has ended in the server; drop what had crossed its complete."""
    ends = {SLOW: "CANCELLED", BLOCKING: "EXECUTED", ON_MESSAGE: "UNSUBSCRIBED", ON_SLOW_MESSAGE: "CANCELLED"}
    await inside.reached(ends.get(document, "RELEASED"), key)
    crossed = await client.barrier()
    assert all("countForever" in message.get("payload", {}).get("data", {}) for message in crossed), crossed
