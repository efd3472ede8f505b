"""What the old library does wrong, one test for each fault: they run on the new one alone.

The same faults over real sockets, with real servers, are in `tests/acceptance/test_faults.py`.
"""

import asyncio
import gc
import weakref
from typing import Any

import pytest
from application.consumers import Doorman
from application.diary import LIMIT, diary
from application.models import Contents, Parcel
from application.subscriptions import OnMessage, OnPayload, OnSlow
from asgiref.sync import sync_to_async
from channels_graphql_ws import GraphqlWsResponseError
from django.db import transaction

from .conftest import OLD, Connect
from .lines import line
from .speaking import ON_MESSAGE, hear, hear_text, listen, next_message

ON_SLOW = 'subscription { onSlow(key: "held") { text } }'


@line("fault.1")
@pytest.mark.fault(1)
async def test_start_before_init(connect: Connect) -> None:
    """Nothing runs before on_connect has agreed."""
    client = await connect(Doorman, subprotocol=OLD, connect_only=True)

    await client.start("{ value }")
    await client.send_raw_message({"type": "connection_init", "payload": {}})

    while (await next_message(client))["type"] != "connection_ack":
        pass
    assert "value" not in diary.notes


@line("fault.2")
@pytest.mark.fault(2)
async def test_an_operation_named_introspection_query(connect: Connect) -> None:
    """Middleware runs whatever the client calls its operation."""

    async def forbid(next_: Any, root: Any, info: Any, **arguments: Any) -> Any:
        raise PermissionError("no")

    client = await connect(middleware=[forbid])

    id = await client.start("query IntrospectionQuery { value }", operation_name="IntrospectionQuery")

    with pytest.raises(GraphqlWsResponseError):
        await client.receive_next(id)
    assert diary.notes == []


@line("fault.3")
@pytest.mark.fault(3)
async def test_a_subscriber_who_is_refused(connect: Connect) -> None:
    """There is no confirmation before the refusal."""
    client = await connect()
    diary.open("held")

    id = await client.start('subscription { onSlow(key: "held", refuse: true) { text } }')

    response = await next_message(client)
    assert (response["id"], response["type"]) == (id, "error")


@line("fault.4")
@pytest.mark.fault(4)
async def test_complete_while_subscribe_runs(connect: Connect) -> None:
    """It ends it: no zombie hears anything."""
    client = await connect(echo_complete=False)
    id = await client.start(ON_SLOW)
    await diary.until("started held")

    await client.complete(id)
    await diary.until("cancelled held")
    await OnSlow.broadcast(group="held", payload="hello")

    await client.assert_no_messages(attempts=2)


@line("fault.5")
@pytest.mark.fault(5)
@pytest.mark.parametrize("message", [[], {"id": "1"}, {"type": "subscribe", "payload": {"query": "{ value }"}}])
async def test_a_malformed_message(connect: Connect, message: Any) -> None:
    """4400 of the new protocol."""
    client = await connect()

    await client.send_raw_message(message)

    await client.wait_disconnect(assert_code=4400)


@line("fault.6")
@pytest.mark.fault(6)
async def test_complete_for_a_running_query(connect: Connect) -> None:
    """It is cancelled."""
    client = await connect()
    id = await client.start('{ held(key: "a") }')
    await diary.until("started a")

    await client.complete(id)

    await diary.until("cancelled a")


@line("fault.6")
@pytest.mark.fault(6)
async def test_a_mutation_in_flight(connect: Connect) -> None:
    """It is finished although the client is gone; a query is cancelled."""
    client = await connect()
    await client.start('mutation { hold(key: "a") { ok } }')
    await client.start('{ held(key: "b") }')
    await diary.until("started b")

    leaving = asyncio.create_task(client.finalize())
    await diary.until("cancelled b")
    diary.open("a")

    await diary.until("finished a")
    await leaving


@line("fault.7")
@pytest.mark.fault(7)
async def test_a_payload_that_cannot_be_unpacked(connect: Connect) -> None:
    """It costs one notification, not the subscription."""
    client = await connect()
    id = await client.subscribe("subscription { onPayload { ok } }")

    await OnPayload.broadcast(payload=Parcel(contents=Contents("poison")))
    await OnPayload.broadcast(payload="hello")

    assert await hear(client, id) == {"onPayload": {"ok": True}}
    assert diary.notes == [("payload", "hello")]


@line("fault.8")
@pytest.mark.fault(8)
async def test_two_inits(connect: Connect) -> None:
    """The second closes with 4429, although on_connect has not decided."""
    client = await connect(Doorman, connect_only=True)
    for _ in range(2):
        await client.send_raw_message({"type": "connection_init", "payload": {"gate": "door"}})

    await client.wait_disconnect(assert_code=4429)


@line("fault.8")
@pytest.mark.fault(8)
async def test_a_slow_on_connect(connect: Connect) -> None:
    """It is not a client that said nothing."""
    client = await connect(Doorman, connect_only=True, connection_init_wait_timeout=1)
    await client.send_raw_message({"type": "connection_init", "payload": {"gate": "door"}})

    await client.assert_no_messages(attempts=12)

    diary.open("door")
    assert await next_message(client) == {"type": "connection_ack"}


@line("fault.9")
@pytest.mark.fault(9)
async def test_a_consumer_that_has_served(connect: Connect) -> None:
    """When its client is gone, no cache of documents keeps it in the memory."""

    async def on_connect(self: Any, payload: Any) -> None:
        weakref.finalize(self, diary.note, "gone")

    client = await connect(on_connect=on_connect)
    await client.execute("{ __typename }")

    await client.finalize()
    del client, on_connect

    async with asyncio.timeout(LIMIT):
        while diary.notes != ["gone"]:
            gc.collect()
            await asyncio.sleep(0)


@line("fault.10")
@pytest.mark.fault(10)
@pytest.mark.django_db(transaction=True)
async def test_the_orm_in_a_plain_resolver(connect: Connect) -> None:
    """It may be used."""
    client = await connect()

    assert await client.execute("{ authors }") == {"data": {"authors": 0}}


@line("fault.11")
@pytest.mark.fault(11)
@pytest.mark.django_db(transaction=True)
async def test_a_broadcast_in_a_transaction(connect: Connect) -> None:
    """It waits for the commit; after a rollback it never comes."""
    client = await connect()
    id = await listen(client, "a")

    @sync_to_async
    def work() -> None:
        with transaction.atomic():
            OnMessage.broadcast(group="a", payload={"text": "committed"})
        with pytest.raises(RuntimeError), transaction.atomic():
            OnMessage.broadcast(group="a", payload={"text": "rolled back"})
            raise RuntimeError
        OnMessage.broadcast(group="a", payload={"text": "the end"})

    await work()

    assert [await hear_text(client, id) for _ in range(2)] == ["committed", "the end"]


@line("fault.12")
@pytest.mark.fault(12)
async def test_a_burst(connect: Connect) -> None:
    """All of 1,000 broadcasts arrive, in order."""
    client = await connect()
    id = await listen(client, "a")

    for number in range(1000):
        OnMessage.broadcast(group="a", payload={"text": str(number)})

    assert [await hear_text(client, id) for _ in range(1000)] == [str(number) for number in range(1000)]


@line("fault.13")
@pytest.mark.fault(13)
async def test_execute_of_an_invalid_document(connect: Connect) -> None:
    """The error is raised at once; it can be printed."""
    client = await connect()

    with pytest.raises(GraphqlWsResponseError) as caught:
        await asyncio.wait_for(client.execute("{ nope }"), LIMIT)

    assert "nope" in repr(caught.value)


@line("fault.14")
@pytest.mark.fault(14)
async def test_the_text_of_an_exception(connect: Connect) -> None:
    """It stays inside."""
    client = await connect(mask_errors=True)

    id = await client.start("{ failing }")

    with pytest.raises(GraphqlWsResponseError) as caught:
        await client.receive_next(id)
    assert caught.value.response["payload"]["errors"][0]["message"] == "Internal server error"


@line("fault.14")
@pytest.mark.fault(14)
async def test_too_many_operations(connect: Connect) -> None:
    """One more than the limit is refused; the connection lives."""
    client = await connect(max_operations=1, confirm_subscriptions=False)
    await client.start(ON_MESSAGE, variables={"room": "a"})

    second = await client.start(ON_MESSAGE, variables={"room": "a"})

    errors, _ = await client.receive_error(second)
    assert errors
