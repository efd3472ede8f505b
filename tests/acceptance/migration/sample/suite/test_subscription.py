"""The Subscription class: how it is declared, and who hears what."""

import asyncio
import uuid
from typing import Any

import graphene
import pytest
from application.diary import diary
from application.subscriptions import (
    OnAnything,
    OnCall,
    OnDecorated,
    OnGroups,
    OnMessage,
    OnMeta,
    OnWeather,
)
from asgiref.sync import sync_to_async
from channels_graphql_ws import GraphqlWsResponseError, Subscription

from .conftest import NEW, OLD, Connect
from .lines import line
from .speaking import hear, hear_text, listen, next_message

ON_ANYTHING = "subscription { onAnything { text } }"
ON_CALL = "subscription { onCall(number: 7) { text } }"
ON_GROUPS = "subscription ($groups: [String], $number: Int) { onGroups(groups: $groups, number: $number) { text } }"


class TestDeclaration:
    @line("subscription.publish")
    def test_no_publish(self) -> None:
        """The class cannot be created, and the error says what it lacks."""
        with pytest.raises(AssertionError, match="publish"):
            type("OnNothing", (Subscription,), {"text": graphene.String()})

    @line("subscription.methods")
    async def test_static_coroutines(self, connect: Connect) -> None:
        """The first argument of publish is the payload."""
        client = await connect()
        id = await listen(client, "a")

        await OnMessage.broadcast(group="a", payload={"text": "hello"})

        assert await hear_text(client, id) == "hello"

    @line("subscription.methods")
    async def test_a_plain_method(self, connect: Connect) -> None:
        """The payload comes as self; subscribe and unsubscribed may be missing."""
        client = await connect()
        id = await client.subscribe(ON_ANYTHING)

        await OnAnything.broadcast(payload="hello")

        assert await hear_text(client, id) == "hello"
        await client.complete(id)
        await client.receive_complete(id)

    @line("subscription.methods")
    async def test_class_methods(self, connect: Connect) -> None:
        """Plain functions all three."""
        client = await connect()
        id = await client.subscribe(ON_CALL)

        await OnCall.broadcast(group="number-7", payload="hello")

        assert await hear_text(client, id) == "hello"
        await client.complete(id)
        await diary.until("hung up 7")

    @line("subscription.methods")
    async def test_decorated_methods(self, connect: Connect) -> None:
        """The decorators are called."""
        client = await connect()
        id = await client.subscribe("subscription { onDecorated { text } }")

        await OnDecorated.broadcast(payload="hello")

        assert await hear_text(client, id) == "hello"
        await client.complete(id)
        await diary.until("called unsubscribed")
        assert diary.notes == ["called subscribe", "called publish", "called unsubscribed"]

    @line("subscription.output")
    @pytest.mark.ours("it looks for the subscription's class in the type of the result")
    async def test_an_output(self, connect: Connect) -> None:
        """The result is of that type."""
        client = await connect()
        id = await client.subscribe("subscription { onWeather { degrees } }")

        await OnWeather.broadcast(payload=21)

        assert await hear(client, id) == {"onWeather": {"degrees": 21}}

    @line("subscription.meta")
    async def test_meta_options(self, connect: Connect) -> None:
        """They stand for the methods and the arguments."""
        client = await connect()
        id = await client.subscribe('subscription { onMeta(suffix: "!") { text } }')

        await OnMeta.broadcast(group="of the meta", payload="hello")

        assert await hear_text(client, id) == "hello!"
        await client.complete(id)
        await diary.until("unsubscribed by the meta")

    @line("subscription.field")
    async def test_the_options_of_a_field(self, connect: Connect) -> None:
        """Clients read them by introspection."""
        client = await connect()
        document = """{ __type(name: "Subscriptions") { fields(includeDeprecated: true) {
            name description deprecationReason type { kind } } } }"""

        fields = (await client.execute(document))["data"]["__type"]["fields"]

        assert {
            "name": "anythingElse",
            "description": "Under another name.",
            "deprecationReason": "Too vague.",
            "type": {"kind": "NON_NULL"},
        } in fields

    @line("subscription.field")
    async def test_a_required_field(self, connect: Connect) -> None:
        """It can be subscribed to."""
        client = await connect()
        id = await client.subscribe("subscription { anythingElse { text } }")

        await OnAnything.broadcast(payload="hello")

        assert await hear_text(client, id) == "hello"


class TestGroups:
    @line("subscription.groups")
    @pytest.mark.parametrize(
        ("document", "group"),
        [
            ('subscription { onGroups(groups: ["a", "b"]) { text } }', "b"),
            ('subscription { onGroups(groups: ["a", "b"]) { text } }', None),
            ("subscription { onGroups { text } }", None),
        ],
    )
    async def test_a_list_or_none(self, connect: Connect, document: str, group: str | None) -> None:
        """Each group reaches it, and so does the class's own."""
        client = await connect()
        id = await client.subscribe(document)

        await OnGroups.broadcast(group="c", payload="not for us")
        await OnGroups.broadcast(group=group, payload="hello")

        assert await hear_text(client, id) == "hello"

    @line("subscription.groups")
    async def test_a_tuple(self, connect: Connect) -> None:
        """It is as good as a list."""
        client = await connect()
        id = await client.subscribe(ON_CALL)

        await OnCall.broadcast(group="numbers", payload="hello")

        assert await hear_text(client, id) == "hello"

    @line("subscription.groups.wrong")
    async def test_a_bare_string(self, connect: Connect, subprotocol: str) -> None:
        """It would be a list of letters: the client gets an error."""
        client = await connect(subprotocol=subprotocol, confirm_subscriptions=False)

        id = await client.start('subscription { onGroups(bare: "letters") { text } }')

        response = await next_message(client)
        assert (response["id"], response["type"]) == (id, {NEW: "error", OLD: "data"}[subprotocol])
        errors = response["payload"] if subprotocol == NEW else response["payload"]["errors"]
        assert errors[0]["extensions"] == {"code": "AssertionError"}

    @line("subscription.groups.equal")
    @pytest.mark.ours("it delivers twice")
    async def test_a_group_twice(self, connect: Connect) -> None:
        """It counts once."""
        client = await connect()
        id = await client.subscribe(ON_GROUPS, variables={"groups": ["a", "a"]})

        await OnGroups.broadcast(group="a", payload="once")
        await OnGroups.broadcast(group="a", payload="and again")

        assert [await hear_text(client, id) for _ in range(2)] == ["once", "and again"]

    @line("subscription.groups.equal")
    @pytest.mark.ours("its groups are text")
    @pytest.mark.parametrize("group", [42, "42"])
    async def test_numbers(self, connect: Connect, group: Any) -> None:
        """42 and "42" are one group."""
        client = await connect()
        id = await client.subscribe(ON_GROUPS, variables={"number": 42})

        await OnGroups.broadcast(group=group, payload="hello")

        assert await hear_text(client, id) == "hello"

    @line("subscription.groups.equal")
    @pytest.mark.ours("its groups are text")
    async def test_uuids(self, connect: Connect) -> None:
        """They are compared by their text."""
        client = await connect()
        group = uuid.uuid4()
        id = await client.subscribe(ON_GROUPS, variables={"groups": [str(group)]})

        await OnGroups.broadcast(group=group, payload="hello")

        assert await hear_text(client, id) == "hello"


class TestBroadcast:
    @line("subscription.broadcast")
    async def test_a_group(self, connect: Connect) -> None:
        """Its members hear it, on all connections, and nobody else."""
        ann, bob, eve = [await connect() for _ in range(3)]
        ids = await listen(ann, "a"), await listen(bob, "a"), await listen(eve, "e")

        await OnMessage.broadcast(group="a", payload={"text": "hello"})
        await OnMessage.broadcast(payload={"text": "everybody"})

        assert [await hear_text(ann, ids[0]) for _ in range(2)] == ["hello", "everybody"]
        assert [await hear_text(bob, ids[1]) for _ in range(2)] == ["hello", "everybody"]
        assert await hear_text(eve, ids[2]) == "everybody"

    @line("subscription.broadcast")
    async def test_another_class(self, connect: Connect) -> None:
        """A group is of its class."""
        client = await connect()
        id = await listen(client, "a")

        await OnGroups.broadcast(group="a", payload={"text": "not for us"})
        await OnMessage.broadcast(group="a", payload={"text": "hello"})

        assert await hear_text(client, id) == "hello"

    @line("subscription.broadcast")
    async def test_on_the_loop(self, connect: Connect) -> None:
        """It returns a task, which nobody has to await."""
        client = await connect()
        id = await listen(client, "a")

        task = OnMessage.broadcast(group="a", payload={"text": "hello"})

        assert isinstance(task, asyncio.Task)
        assert await hear_text(client, id) == "hello"
        assert await task is None

    @line("subscription.broadcast")
    async def test_broadcast_async(self, connect: Connect) -> None:
        """The coroutine."""
        client = await connect()
        id = await listen(client, "a")

        await OnMessage.broadcast_async(group="a", payload={"text": "hello"})

        assert await hear_text(client, id) == "hello"

    @line("subscription.broadcast.sync")
    @pytest.mark.parametrize("name", ["broadcast", "broadcast_sync"])
    async def test_from_sync_code(self, connect: Connect, name: str) -> None:
        """A view, a signal handler: it returns None when it is sent."""
        client = await connect()
        id = await listen(client, "a")

        assert await sync_to_async(getattr(OnMessage, name))(group="a", payload={"text": "hello"}) is None

        assert await hear_text(client, id) == "hello"

    @line("subscription.broadcast.sync")
    @pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
    async def test_broadcast_sync_on_the_loop(self) -> None:
        """It would block it: a clear error."""
        with pytest.raises(RuntimeError):
            OnMessage.broadcast_sync(payload={"text": "hello"})

    @line("subscription.broadcast.thread")
    @pytest.mark.ours("it arrives when the loop wakes for another reason")
    async def test_from_a_plain_thread(self, connect: Connect) -> None:
        """A management command, a worker: it wakes the loop."""
        client = await connect()
        id = await listen(client, "a")

        await asyncio.to_thread(OnMessage.broadcast, group="a", payload={"text": "hello"})

        assert await hear_text(client, id) == "hello"


class TestUnsubscribe:
    @line("subscription.unsubscribe", "subscription.unsubscribed")
    @pytest.mark.parametrize("group", ["a", None])
    async def test_the_server_ends_it(self, connect: Connect, subprotocol: str, group: str | None) -> None:
        """`unsubscribed` runs and the client gets complete; the id is free."""
        client = await connect(subprotocol=subprotocol)
        id = await listen(client, "a")

        task = OnMessage.unsubscribe(group=group)

        assert isinstance(task, asyncio.Task)
        assert await client.receive_complete(id) is None
        await diary.until("unsubscribed a")

    @line("subscription.unsubscribe")
    async def test_another_group(self, connect: Connect) -> None:
        """It goes on."""
        client = await connect()
        id = await listen(client, "a")

        await OnMessage.unsubscribe_async(group="b")
        await OnMessage.broadcast(group="a", payload={"text": "hello"})

        assert await hear_text(client, id) == "hello"

    @line("subscription.unsubscribe")
    @pytest.mark.parametrize("name", ["unsubscribe", "unsubscribe_sync"])
    async def test_from_sync_code(self, connect: Connect, name: str) -> None:
        """The same from a view."""
        client = await connect()
        id = await listen(client, "a")

        await sync_to_async(getattr(OnMessage, name))(group="a")

        assert await client.receive_complete(id) is None


class TestNotifications:
    @line("subscription.skip")
    async def test_publish_returns_none(self, connect: Connect) -> None:
        """Nothing is sent."""
        client = await connect()
        id = await listen(client, "a")

        await OnMessage.broadcast(payload={"skip": True})
        await OnMessage.broadcast(payload={"text": "hello"})

        assert await hear_text(client, id) == "hello"

    @line("subscription.raise")
    async def test_publish_raises(self, connect: Connect, subprotocol: str) -> None:
        """A result with errors; the subscription lives on."""
        client = await connect(subprotocol=subprotocol)
        id = await listen(client, "a")

        await OnMessage.broadcast(payload={"error": "no luck"})
        await OnMessage.broadcast(payload={"text": "hello"})

        with pytest.raises(GraphqlWsResponseError) as caught:
            await client.receive_next(id)
        response = caught.value.response
        assert response["type"] == {NEW: "next", OLD: "data"}[subprotocol]
        assert response["payload"]["data"] == {"onMessage": None}
        assert response["payload"]["errors"][0]["message"] == "no luck"
        assert await hear_text(client, id) == "hello"

    @line("subscription.order")
    async def test_an_earlier_publish_is_slower(self, connect: Connect) -> None:
        """The order is that of the broadcasts."""
        client = await connect()
        id = await listen(client, "a")

        await OnMessage.broadcast(payload={"text": "slow", "gate": "held"})
        await OnMessage.broadcast(payload={"text": "quick"})
        await diary.until("started held")
        diary.open("held")

        assert [await hear_text(client, id) for _ in range(2)] == ["slow", "quick"]

    @line("subscription.context")
    async def test_one_context(self, connect: Connect) -> None:
        """What subscribe wrote into it, publish and unsubscribed read."""
        client = await connect()
        id = await listen(client, "a")

        await OnMessage.broadcast(payload={"text": "hello"})

        assert await hear_text(client, id) == "hello"
        await client.complete(id)
        await diary.until("unsubscribed a")


class TestNativeSubscriptions:
    @line("subscription.native")
    @pytest.mark.ours("it knows its own classes only")
    async def test_values(self, connect: Connect) -> None:
        """In order, then complete."""
        client = await connect(confirm_subscriptions=False)

        id = await client.start("subscription { count(to: 2) }")

        assert [await hear(client, id) for _ in range(2)] == [{"count": 1}, {"count": 2}]
        await client.receive_complete(id)

    @line("subscription.native")
    @pytest.mark.ours("it knows its own classes only")
    async def test_it_raises(self, connect: Connect) -> None:
        """An error ends it."""
        client = await connect(confirm_subscriptions=False)

        id = await client.start("subscription { count(to: 1, fail: true) }")

        assert await hear(client, id) == {"count": 1}
        errors, _ = await client.receive_error(id)
        assert errors[0]["message"] == "the source failed"

    @line("subscription.native")
    @pytest.mark.ours("it knows its own classes only")
    async def test_it_is_stopped(self, connect: Connect) -> None:
        """Its generator is released."""
        client = await connect(confirm_subscriptions=False)
        id = await client.start("subscription { endless }")
        await diary.until("started endless")

        await client.complete(id)

        await diary.until("released endless")


class TestUnsubscribed:
    @line("subscription.unsubscribed")
    @pytest.mark.ours("it does not call it")
    async def test_on_disconnect(self, connect: Connect) -> None:
        """Once, when the client is gone."""
        client = await connect()
        await listen(client, "a")

        await client.finalize()

        await diary.until("unsubscribed a")
        assert diary.notes == ["unsubscribed a"]

    @line("subscription.unsubscribed")
    async def test_subscribe_refuses(self, connect: Connect) -> None:
        """It is not called."""
        client = await connect(confirm_subscriptions=False)
        diary.open("held")
        id = await client.start('subscription { onSlow(key: "held", refuse: true) { text } }')

        errors, _ = await client.receive_error(id)

        assert errors[0]["message"] == "not for you"
        await client.complete(id)
        await client.execute("{ value }")
        assert diary.notes == ["started held", "value"]

    @line("subscription.unsubscribed")
    async def test_the_client_and_the_server_end_it(self, connect: Connect) -> None:
        """Once."""
        client = await connect()
        id = await client.subscribe(ON_CALL)
        other = await listen(client, "a")

        await client.complete(id)
        await OnCall.unsubscribe()
        await client.receive_complete(id)
        await OnMessage.broadcast(payload={"text": "hello"})

        assert await hear_text(client, other) == "hello"
        await diary.until("hung up 7")
        assert diary.notes == ["hung up 7"]
