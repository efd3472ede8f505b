"""Streams: native ones, and subscriptions that are fed by broadcasts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.client import Client, connect
from tests.support.project import Inside, ProjectServer

MASKED = "Internal server error"
CONFIRMATION = {"data": None}
ON_MESSAGE = 'subscription ($group: String!, $key: String = "") { onMessage(group: $group, key: $key) { text } }'


class TestNativeStreams:
    async def test_the_values_come_in_order_then_complete(self, client: Client) -> None:
        """The source ends, and so does the operation."""
        await client.subscribe("1", "subscription { countTo(n: 3) }")

        assert await client.receive_until("complete") == [
            {"id": "1", "type": "next", "payload": {"data": {"countTo": 1}}},
            {"id": "1", "type": "next", "payload": {"data": {"countTo": 2}}},
            {"id": "1", "type": "next", "payload": {"data": {"countTo": 3}}},
            {"id": "1", "type": "complete"},
        ]
        assert await client.barrier() == []

    async def test_no_events_complete_only(self, client: Client) -> None:
        """An empty stream has nothing but its end."""
        await client.subscribe("1", "subscription { countTo(n: 0) }")

        assert await client.receive() == {"id": "1", "type": "complete"}
        assert await client.barrier() == []

    async def test_500_values_as_fast_as_possible(self, client: Client) -> None:
        """All of them, in order."""
        await client.subscribe("1", "subscription { countTo(n: 500) }")

        *values, complete = await client.receive_until("complete")
        assert [message["payload"]["data"]["countTo"] for message in values] == list(range(1, 501))
        assert complete == {"id": "1", "type": "complete"}

    async def test_two_streams_of_a_socket_keep_apart(self, client: Client) -> None:
        """Each under its own id, each in its own order."""
        await client.subscribe("a", "subscription { countTo(n: 50) }")
        await client.subscribe("b", "subscription { countTo(n: 30) }")

        messages = await client.receive_until("complete", id="a")
        if {"id": "b", "type": "complete"} not in messages:
            messages += await client.receive_until("complete", id="b")

        for id, n in (("a", 50), ("b", 30)):
            own = [message for message in messages if message["id"] == id]
            assert [message["payload"]["data"]["countTo"] for message in own[:-1]] == list(range(1, n + 1))
            assert own[-1] == {"id": id, "type": "complete"}

    async def test_the_source_is_released_at_its_end(self, client: Client, inside: Inside, key: str) -> None:
        """Nothing waits for the socket to close."""
        await client.subscribe("1", "subscription ($key: String!) { countTo(n: 1, key: $key) }", {"key": key})

        await inside.reached("RELEASED", key)
        assert len(await client.receive_until("complete")) == 2

    async def test_the_id_is_free_after_the_end(self, client: Client) -> None:
        """Another operation may take it."""
        for _ in range(3):
            await client.subscribe("1", "subscription { countTo(n: 1) }")
            assert len(await client.receive_until("complete")) == 2


class TestStreamsThatFail:
    @pytest.mark.parametrize("field", ["onRefusedMessage", "onBrokenMessage", "onMisdeclaredMessage"])
    async def test_subscribing_raises(self, client: Client, field: str) -> None:
        """One terminal `error`, then nothing; the socket stays and the id is free."""
        await client.subscribe("1", f"subscription {{ {field} {{ text }} }}")

        message = await client.receive()
        assert (message["id"], message["type"]) == ("1", "error")
        assert [error["path"] for error in message["payload"]] == [[field]]
        assert await client.barrier() == []
        assert await client.execute("1", "{ value }") == {"data": {"value": "value"}}

    async def test_subscribing_is_refused_in_words_for_the_client(self, client: Client) -> None:
        """A GraphQLError keeps its message and extensions."""
        await client.subscribe("1", "subscription { onRefusedMessage { text } }")

        (error,) = (await client.receive())["payload"]
        assert error["message"] == "not for you"
        assert error["extensions"] == {"code": "REFUSED"}

    @pytest.mark.parametrize("n", [0, 1, 3])
    async def test_the_source_raises_later(self, client: Client, inside: Inside, key: str, n: int) -> None:
        """What came before is delivered; one terminal `error` follows, and nothing after it."""
        document = "subscription ($n: Int!, $key: String!) { failsAfter(n: $n, key: $key) }"
        await client.subscribe("1", document, {"n": n, "key": key})

        *values, error = await client.receive_until("error")
        assert [message["payload"] for message in values] == [
            {"data": {"failsAfter": number}} for number in range(1, n + 1)
        ]
        assert (error["id"], [one["message"] for one in error["payload"]]) == ("1", ["the source failed"])
        await inside.reached("RELEASED", key)
        assert await client.barrier() == []
        assert await client.execute("1", "{ value }") == {"data": {"value": "value"}}

    async def test_the_source_raises_before_its_first_event(self, client: Client) -> None:
        """The same for a generator that never yields."""
        await client.subscribe("1", "subscription { unavailable }")

        message = await client.receive()
        assert (message["type"], message["payload"][0]["message"]) == ("error", "unavailable")
        assert await client.barrier() == []

    async def test_the_resolver_of_one_event_raises(self, client: Client) -> None:
        """`next` with errors for this event, and the stream goes on."""
        await client.subscribe("1", "subscription { stumblesAt(n: 3, at: 2) }")

        first, second, third, complete = await client.receive_until("complete")
        assert first["payload"] == {"data": {"stumblesAt": 1}}
        assert second["payload"]["data"] == {"stumblesAt": None}
        assert [error["message"] for error in second["payload"]["errors"]] == ["stumbled"]
        assert third["payload"] == {"data": {"stumblesAt": 3}}
        assert complete == {"id": "1", "type": "complete"}

    async def test_other_streams_of_the_socket_go_on(self, client: Client, inside: Inside, key: str) -> None:
        """A failure belongs to its operation."""
        await client.subscribe("good", "subscription ($key: String!) { gated(key: $key) }", {"key": key})
        await inside.reached("STARTED", key)
        await client.subscribe("bad", "subscription { failsAfter(n: 0) }")
        await client.receive_until("error", id="bad")

        await inside.open(key)

        assert await client.receive() == {"id": "good", "type": "next", "payload": {"data": {"gated": 1}}}


class TestBroadcasts:
    @pytest.fixture
    async def listener(self, project: ProjectServer) -> AsyncIterator[Client]:
        """A connection that is told when its subscriptions are active."""
        async with connect(project.url("confirming/")) as client:
            await client.init()
            yield client

    async def test_one_reaches_each_subscription_exactly_once_in_order(
        self, project: ProjectServer, listener: Client, inside: Inside, key: str
    ) -> None:
        """Several subscriptions of a socket, several sockets; other rooms hear nothing."""
        room, other_room = f"{key}-room", f"{key}-other"
        async with connect(project.url("confirming/")) as second:
            await second.init()
            await listen(listener, "a", room)
            await listen(listener, "b", room)
            await listen(listener, "c", other_room)
            await listen(second, "a", room)

            await inside.broadcast_numbers(room, 100)
            for group in (other_room, room):
                await inside.broadcast(group, "the end")

            heard = await receive_texts(listener, 101 + 101 + 1)
            heard_by_second = await receive_texts(second, 101)

            assert await listener.barrier() == []
            assert await second.barrier() == []
        everything = [*map(str, range(1, 101)), "the end"]
        assert heard == {"a": everything, "b": everything, "c": ["the end"]}
        assert heard_by_second == {"a": everything}

    async def test_a_burst_of_500(self, listener: Client, inside: Inside, key: str) -> None:
        """Far more than a channel layer's capacity."""
        await listen(listener, "1", key)

        await inside.broadcast_numbers(key, 500)

        assert await receive_texts(listener, 500) == {"1": [str(number) for number in range(1, 501)]}

    async def test_a_slow_publish_does_not_change_the_order(self, listener: Client, inside: Inside, key: str) -> None:
        """The first waits at a gate; the second comes behind it all the same."""
        await listen(listener, "1", key)
        await inside.broadcast(key, "first", gate=f"{key}-gate")
        await inside.broadcast(key, "second")
        await inside.reached("STARTED", f"{key}-gate")
        assert await listener.barrier() == []

        await inside.open(f"{key}-gate")

        assert await receive_texts(listener, 2) == {"1": ["first", "second"]}

    async def test_a_publish_that_raises(self, listener: Client, inside: Inside, key: str) -> None:
        """`next` with errors for this broadcast, and the subscription goes on."""
        await listen(listener, "1", key)

        await inside.broadcast(key, "first", error="lost")
        await inside.broadcast(key, "second")

        failed = await listener.receive()
        assert (failed["type"], failed["payload"]["data"]) == ("next", {"onMessage": None})
        assert [error["message"] for error in failed["payload"]["errors"]] == ["lost"]
        assert await receive_texts(listener, 1) == {"1": ["second"]}

    async def test_a_publish_that_returns_none_sends_nothing(self, listener: Client, inside: Inside, key: str) -> None:
        """A broadcast can be kept from a subscriber."""
        await listen(listener, "1", key)

        await inside.broadcast(key, None)
        await inside.broadcast(key, "second")

        assert await receive_texts(listener, 1) == {"1": ["second"]}

    async def test_the_server_ends_a_subscription(self, listener: Client, inside: Inside, key: str) -> None:
        """The client gets `complete`, once; the id is free; nothing more is heard."""
        await listen(listener, "1", key, key)

        await inside.unsubscribe(key)

        assert await listener.receive() == {"id": "1", "type": "complete"}
        await inside.reached("UNSUBSCRIBED", key)
        await inside.broadcast(key, "too late")
        assert await listener.barrier() == []
        assert await inside.count("UNSUBSCRIBED", key) == 1
        assert await listener.execute("1", "{ value }") == {"data": {"value": "value"}}

    async def test_who_leaves_hears_nothing_more(self, listener: Client, inside: Inside, key: str) -> None:
        """One of two subscriptions of a room ends, the other goes on."""
        await listen(listener, "leaves", key, key)
        await listen(listener, "stays", key)
        await listener.complete("leaves")
        await inside.reached("UNSUBSCRIBED", key)

        await inside.broadcast(key, "hello")

        assert await receive_texts(listener, 1) == {"stays": ["hello"]}
        assert await listener.barrier() == []

    async def test_who_comes_back_hears_again(self, listener: Client, inside: Inside, key: str) -> None:
        """The last one leaves a room and somebody enters it anew."""
        for text in ("one", "two", "three"):
            await listen(listener, "1", key)
            await inside.broadcast(key, text)
            assert await receive_texts(listener, 1) == {"1": [text]}
            await listener.complete("1")


async def listen(client: Client, id: str, group: str, key: str = "") -> None:
    """Subscribe and return when the subscription is active."""
    await client.subscribe(id, ON_MESSAGE, {"group": group, "key": key})
    assert await client.receive() == {"id": id, "type": "next", "payload": CONFIRMATION}


async def receive_texts(client: Client, n: int) -> dict[str, list[str]]:
    """The texts of the next n notifications by operation id."""
    texts: dict[str, list[Any]] = {}
    for _ in range(n):
        message = await client.receive()
        assert message["type"] == "next", message
        texts.setdefault(message["id"], []).append(message["payload"]["data"]["onMessage"]["text"])
    return texts
