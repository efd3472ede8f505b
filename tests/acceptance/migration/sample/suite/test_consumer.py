"""The attributes and hooks of a consumer."""

import asyncio
import logging
from typing import Any

import channels.layers
import graphql
import pytest
from application.consumers import Consumer, Doorman
from application.diary import LIMIT, diary
from application.schema import schema
from application.subscriptions import OnAnything, OnLatest, OnMessage
from channels_graphql_ws import GraphqlWsConsumer
from channels_graphql_ws.testing import GraphqlWsClient
from graphql import GraphQLError

from .conftest import NEW, OLD, Connect
from .lines import line
from .speaking import ON_MESSAGE, hear, hear_text, listen, next_message


class TestAttributes:
    @line("consumer.defaults")
    async def test_a_class_attribute_wins(self, connect: Connect) -> None:
        """Nothing but the schema has to be there: there is no confirmation by default."""
        client = await connect(GraphqlWsConsumer, schema=schema)
        await client.start(ON_MESSAGE, variables={"room": "a"})

        assert (await client.execute("{ value }"))["data"] == {"value": "value"}

    @line("consumer.late")
    async def test_one_set_after_the_class_was_created(self, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        """It counts for the next connection."""
        monkeypatch.setattr(
            Consumer, "subscription_confirmation_message", {"data": "late", "errors": None}, raising=False
        )
        client = await connect()

        id = await client.subscribe(ON_MESSAGE, variables={"room": "a"}, wait_confirmation=False)

        assert await client.receive_next(id) == {"data": "late"}

    @line("consumer.schema")
    @pytest.mark.ours("it fails at the first operation, with AttributeError")
    async def test_no_schema(self, connect: Connect) -> None:
        """The connection is refused."""
        client = await connect(GraphqlWsConsumer, connect_only=True)

        await client.wait_disconnect(assert_code=4500)


class TestPings:
    @line("consumer.send_ping_every")
    async def test_of_the_new_protocol(self, connect: Connect) -> None:
        """They come by themselves, again and again."""
        client = await connect(send_ping_every=0.05)

        assert [await client.transport.receive() for _ in range(2)] == [{"type": "ping"}] * 2

    @line("consumer.send_ping_every")
    async def test_of_the_old_protocol(self, connect: Connect) -> None:
        """The first comes right behind the acknowledgement."""
        client = await connect(subprotocol=OLD, send_ping_every=3600)

        assert await client.transport.receive() == {"type": "ka"}

    @line("consumer.send_ping_every")
    async def test_of_the_old_protocol_go_on(self, connect: Connect) -> None:
        """One for each interval."""
        client = await connect(subprotocol=OLD, send_ping_every=0.05)

        assert [await client.transport.receive() for _ in range(3)] == [{"type": "ka"}] * 3


class TestInitTimeout:
    @line("consumer.connection_init_wait_timeout", "testing.client")
    async def test_no_init_in_time(self, connect: Connect) -> None:
        """The server closes with 4408."""
        client = await connect(connect_only=True, connection_init_wait_timeout=0.1)

        await client.wait_disconnect(assert_code=4408)

    @line("consumer.connection_init_wait_timeout")
    async def test_of_the_old_protocol(self, connect: Connect) -> None:
        """There is none."""
        client = await connect(connect_only=True, subprotocol=OLD, connection_init_wait_timeout=0.05)

        await client.assert_no_messages(attempts=2)

        await client.send_raw_message({"type": "connection_init", "payload": {}})
        assert await next_message(client) == {"type": "connection_ack"}


class TestStrictOrdering:
    @line("consumer.strict_ordering")
    async def test_a_mutation_and_its_notification(self, connect: Connect, subprotocol: str) -> None:
        """The result comes before the notification that it caused."""
        client = await connect(subprotocol=subprotocol, strict_ordering=True)
        listening = await listen(client, "a")

        saying = await client.start('mutation { say(room: "a", text: "hello") { ok } }')

        assert await hear(client, saying) == {"say": {"ok": True}}
        await client.receive_complete(saying)
        assert await hear_text(client, listening) == "hello"

    @line("consumer.strict_ordering")
    async def test_operations(self, connect: Connect, subprotocol: str) -> None:
        """The second begins when the first is done."""
        client = await connect(subprotocol=subprotocol, strict_ordering=True)
        first = await client.start('{ held(key: "first") }')
        second = await client.start("{ value }")
        await diary.until("started first")

        diary.open("first")

        assert await hear(client, first) == {"held": "first"}
        await client.receive_complete(first)
        assert await hear(client, second) == {"value": "value"}
        assert diary.notes == ["started first", "finished first", "value"]

    @line("consumer.strict_ordering")
    async def test_without_it(self, connect: Connect) -> None:
        """A quick operation overtakes a slow one."""
        client = await connect()
        await client.start('{ held(key: "slow") }')
        quick = await client.start("{ value }")

        assert await hear(client, quick) == {"value": "value"}

    @line("consumer.strict_ordering.cancel")
    @pytest.mark.ours("it reads nothing while an operation runs")
    async def test_a_running_operation_is_cancelled(self, connect: Connect) -> None:
        """The client's complete does not wait behind it."""
        client = await connect(strict_ordering=True)
        id = await client.start('{ held(key: "first") }')
        await diary.until("started first")

        await client.complete(id)

        await diary.until("cancelled first")

    @line("consumer.strict_ordering.cancel")
    @pytest.mark.ours("it reads nothing while an operation runs")
    async def test_terminate_does_not_wait(self, connect: Connect) -> None:
        """The old protocol's end of a connection ends a running operation."""
        client = await connect(subprotocol=OLD, strict_ordering=True)
        await client.start('{ held(key: "first") }')
        await diary.until("started first")

        await client.send_raw_message({"type": "connection_terminate"})

        await client.wait_disconnect(assert_code=1000)


class TestConfirmation:
    @line("consumer.confirm_subscriptions", "consumer.subscription_confirmation_message")
    async def test_its_payload(self, connect: Connect, subprotocol: str) -> None:
        """It is a result with the operation's id, and no data."""
        client = await connect(subprotocol=subprotocol)

        id = await client.subscribe(ON_MESSAGE, variables={"room": "a"}, wait_confirmation=False)

        kind = {NEW: "next", OLD: "data"}[subprotocol]
        assert await client.receive(raw_response=True) == {"id": id, "type": kind, "payload": {"data": None}}

    @line("consumer.confirm_subscriptions")
    async def test_what_is_broadcast_after_it(self, connect: Connect, subprotocol: str) -> None:
        """It arrives."""
        client = await connect(subprotocol=subprotocol)
        id = await listen(client, "a")

        await OnMessage.broadcast(group="a", payload={"text": "hello"})

        assert await hear_text(client, id) == "hello"

    @line("consumer.subscription_confirmation_message")
    async def test_a_message_of_ones_own(self, connect: Connect, subprotocol: str) -> None:
        """Data is any JSON, errors are exceptions."""
        message = {"data": [1, {"two": None}], "errors": [RuntimeError("by the way")]}
        client = await connect(subprotocol=subprotocol, subscription_confirmation_message=message)

        await client.subscribe(ON_MESSAGE, variables={"room": "a"}, wait_confirmation=False)

        response = await next_message(client)
        assert response["payload"] == {
            "data": [1, {"two": None}],
            "errors": [{"message": "RuntimeError: by the way", "extensions": {"code": "RuntimeError"}}],
        }


class TestSlowOperations:
    @line("consumer.warn_operation_timeout")
    async def test_one_that_takes_too_long(self, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
        """One warning; the document and the variables are for debugging."""
        caplog.set_level(logging.DEBUG)
        client = await connect(warn_operation_timeout=0.01)

        await client.execute("query ($n: Float!) { took(seconds: $n) }", {"n": 0.0375})

        (warning,) = messages(caplog, logging.WARNING)
        assert "0.0375" not in warning
        assert any("seconds: $n" in message and "0.0375" in message for message in messages(caplog, logging.DEBUG))

    @line("consumer.warn_operation_timeout")
    async def test_none(self, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
        """Nothing is logged."""
        client = await connect(warn_operation_timeout=None)

        await client.execute("{ took(seconds: 0.02) }")

        assert messages(caplog, logging.WARNING) == []


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


class TestQueueLimit:
    @line("consumer.subscription_notification_queue_limit", "subscription.queue")
    async def test_of_the_consumer(self, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
        """The oldest that wait are dropped, with a warning that names the operation."""
        client = await connect(subscription_notification_queue_limit=2)
        id = await listen(client, "a")

        await fall_behind(client, OnMessage, 5)

        assert [await hear_text(client, id) for _ in range(3)] == ["1", "4", "5"]
        assert any(id in message for message in warnings_of_drops(caplog))

    @line("consumer.subscription_notification_queue_limit", "subscription.queue")
    async def test_one_of_the_class(self, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
        """It wins; with a limit of 1 the first and the last arrive, and nobody is warned."""
        client = await connect(subscription_notification_queue_limit=1000)
        id = await client.subscribe("subscription { onLatest { text } }")

        await fall_behind(client, OnLatest, 5)

        assert [await hear_text(client, id) for _ in range(2)] == ["1", "5"]
        assert warnings_of_drops(caplog) == []

    @line("consumer.subscription_notification_queue_limit")
    @pytest.mark.parametrize("limit", [None, 0, -1])
    async def test_no_limit_of_the_class(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch, limit: int | None
    ) -> None:
        """None, 0 and less mean the consumer's."""
        monkeypatch.setattr(OnLatest, "notification_queue_limit", limit)
        client = await connect(subscription_notification_queue_limit=3)
        id = await client.subscribe("subscription { onLatest { text } }")

        await fall_behind(client, OnLatest, 5)

        assert [await hear_text(client, id) for _ in range(4)] == ["1", "3", "4", "5"]


async def fall_behind(client: GraphqlWsClient, subscription: Any, count: int) -> None:
    """Broadcast so many while the `publish` of the first is held."""
    # What arrives behind them shows that they have arrived.
    marker = await client.subscribe("subscription { onAnything { text } }")
    await subscription.broadcast(payload={"text": "1", "gate": "busy"})
    await diary.until("started busy")
    for number in range(2, count + 1):
        await subscription.broadcast(payload={"text": str(number)})
    await OnAnything.broadcast(payload="behind them")
    assert await hear_text(client, marker) == "behind them"
    diary.open("busy")


def warnings_of_drops(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [message for message in messages(caplog, logging.WARNING) if "dropped" in message]


async def inner(next_: Any, root: Any, info: Any, **arguments: Any) -> Any:
    """A coroutine function around a resolver."""
    diary.note(f"inner {info.field_name}")
    result = next_(root, info, **arguments)
    return await result if graphql.pyutils.is_awaitable(result) else result


def outer(next_: Any, root: Any, info: Any, **arguments: Any) -> Any:
    """A plain function around a resolver."""
    diary.note(f"outer {info.field_name}")
    return next_(root, info, **arguments)


class TestMiddleware:
    @line("consumer.middleware")
    @pytest.mark.parametrize("make", [list, lambda items: graphql.MiddlewareManager(*items)])
    async def test_the_first_is_the_closest(self, connect: Connect, make: Any) -> None:
        """Around each field of a query, plain functions and coroutine functions."""
        client = await connect(middleware=make([inner, outer]))

        await client.execute("{ node { name } }")

        assert diary.notes == ["outer node", "inner node", "outer name", "inner name"]

    @line("consumer.middleware")
    async def test_a_mutation(self, connect: Connect) -> None:
        """It sees the mutation and what it returns."""
        client = await connect(middleware=[inner])

        await client.execute('mutation { say(room: "a", text: "hello") { ok } }')

        assert diary.notes == ["inner say", "inner ok"]

    @line("consumer.middleware")
    async def test_a_notification(self, connect: Connect) -> None:
        """It sees each notification and its fields, and not the subscribing."""
        client = await connect(middleware=[inner])
        id = await listen(client, "a")
        assert "inner onMessage" not in diary.notes
        diary.notes.clear()

        await OnMessage.broadcast(payload={"text": "hello"})

        assert await hear_text(client, id) == "hello"
        assert diary.notes == ["inner onMessage", "inner text"]


class TestGroupNames:
    @line("consumer.group_name_prefix")
    async def test_the_default_prefix(self, connect: Connect) -> None:
        """All groups of the channel layer have it."""
        client = await connect()
        await listen(client, "a")

        assert group_names()
        assert all(name.startswith("GQLWS-") for name in group_names())

    @line("consumer.group_name_prefix")
    async def test_a_prefix_of_ones_own(self, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        """Subscribers have it, and those who broadcast to them."""
        monkeypatch.setattr(GraphqlWsConsumer, "group_name_prefix", "board", raising=False)
        client = await connect()
        id = await listen(client, "a")

        await OnMessage.broadcast(group="a", payload={"text": "hello"})

        assert await hear_text(client, id) == "hello"
        assert any(name.startswith("board-") for name in group_names())


def group_names() -> list[str]:
    return list(channels.layers.get_channel_layer().groups)


class TestHooks:
    @line("hooks.on_connect")
    async def test_on_connect(self, connect: Connect, subprotocol: str) -> None:
        """It gets the payload of connection_init before the acknowledgement."""
        client = await connect(Doorman, subprotocol=subprotocol, connect_only=True)

        await client.send_raw_message({"type": "connection_init", "payload": {"token": "secret"}})

        assert await next_message(client) == {"type": "connection_ack"}
        assert diary.notes == [("connect", {"token": "secret"})]

    @line("hooks.on_operation")
    async def test_on_operation(self, connect: Connect, subprotocol: str) -> None:
        """It gets the id and the payload of each operation."""

        async def on_operation(self: Any, op_id: str, payload: dict[str, Any]) -> None:
            diary.note((op_id, payload["query"], payload["variables"]))

        client = await connect(subprotocol=subprotocol, on_operation=on_operation)
        await client.start("query ($n: Int!) { echo(number: $n) }", variables={"n": 1}, msg_id="first")

        assert await hear(client, "first") == {"echo": 1}
        assert diary.notes == [("first", "query ($n: Int!) { echo(number: $n) }", {"n": 1})]

    @line("hooks.on_operation")
    async def test_on_operation_refuses(self, connect: Connect, subprotocol: str) -> None:
        """That operation gets an error and is not executed; the next one is another matter."""

        async def on_operation(self: Any, op_id: str, payload: dict[str, Any]) -> None:
            if op_id == "late":
                raise GraphQLError("The session is over.")

        client = await connect(subprotocol=subprotocol, on_operation=on_operation)
        await client.start("{ value }", msg_id="late")

        errors = [{"message": "The session is over."}]
        payload = {NEW: errors, OLD: {"errors": errors}}[subprotocol]
        assert await next_message(client) == {"id": "late", "type": "error", "payload": payload}
        assert diary.notes == []
        assert (await client.execute("{ value }"))["data"] == {"value": "value"}

    @line("hooks.plain")
    @pytest.mark.ours("it awaits what the hook returns")
    async def test_plain_functions(self, connect: Connect) -> None:
        """They are called all the same."""
        client = await connect(
            on_connect=lambda self, payload: diary.note("connect"),
            on_operation=lambda self, op_id, payload: diary.note("operation"),
        )

        await asyncio.wait_for(client.execute("{ value }"), LIMIT)

        assert diary.notes == ["connect", "operation", "value"]
