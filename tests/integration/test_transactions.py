"""A broadcast from inside a transaction: after its commit, never after its rollback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from pytest_django import Settings

from tests.integration.serving import Url, listener, payload, serving, texts
from tests.integration.shop import application
from tests.integration.threads import in_thread
from tests.project.models import Supplier
from tests.project.subscriptions import OnMessage
from tests.support.client import Client, connect

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])

Send = Callable[..., None]


class RolledBack(Exception):
    """Ends a transaction without its commit."""


@pytest.fixture
async def client(url: Url, key: str) -> AsyncIterator[Client]:
    """A subscriber of the group that is named by the key."""
    async with listener(url, key) as client:
        yield client


@pytest.fixture
def broadcast(key: str) -> Send:
    """Broadcasts a text to that group."""

    def send(text: str, **options: Any) -> None:
        assert OnMessage.broadcast(group=key, payload=payload(text), **options) is None

    return send


async def test_inside_atomic(client: Client, broadcast: Send) -> None:
    """It waits for the commit, and the call does not; `on_commit=False` does not wait."""

    def view() -> None:
        with transaction.atomic():
            broadcast("after the commit")
            broadcast("at once", on_commit=False)

    await in_thread(view)

    assert await texts(client, 2) == ["at once", "after the commit"]


async def test_outside_of_atomic(client: Client, broadcast: Send) -> None:
    """There is nothing to wait for: it has been sent when the call returns."""

    def view() -> None:
        broadcast("one")
        broadcast("two", on_commit=False)
        with transaction.atomic():
            pass
        broadcast("three")

    await in_thread(view)

    assert await texts(client, 3) == ["one", "two", "three"]


async def test_several_inside_atomic(client: Client, broadcast: Send) -> None:
    """They keep their order."""

    def view() -> None:
        with transaction.atomic():
            for number in range(20):
                broadcast(str(number))

    await in_thread(view)

    assert await texts(client, 20) == [str(number) for number in range(20)]


async def test_rolled_back(client: Client, broadcast: Send) -> None:
    """Nothing is sent."""

    def view() -> None:
        with suppress(RolledBack), transaction.atomic():
            broadcast("never")
            raise RolledBack
        with transaction.atomic():
            broadcast("never either")
            transaction.set_rollback(True)
        broadcast("the next")

    await in_thread(view)

    assert await texts(client, 1) == ["the next"]
    assert await client.barrier() == []


async def test_a_nested_atomic(client: Client, broadcast: Send) -> None:
    """The commit is that of the outermost block."""

    def view() -> None:
        with transaction.atomic():
            with transaction.atomic():
                broadcast("inner")
            broadcast("not committed yet", on_commit=False)
            broadcast("outer")

    await in_thread(view)

    assert await texts(client, 3) == ["not committed yet", "inner", "outer"]


async def test_a_nested_atomic_whose_outer_block_is_rolled_back(client: Client, broadcast: Send) -> None:
    """The inner block was fine, and nothing is sent all the same."""

    def view() -> None:
        with suppress(RolledBack), transaction.atomic():
            with transaction.atomic():
                broadcast("never")
            raise RolledBack
        broadcast("the next")

    await in_thread(view)

    assert await texts(client, 1) == ["the next"]


async def test_a_savepoint_is_rolled_back(client: Client, broadcast: Send) -> None:
    """What was broadcast within it is lost with it; what is around it is sent."""

    def view() -> None:
        with transaction.atomic():
            broadcast("before")
            with suppress(RolledBack), transaction.atomic():
                broadcast("never")
                raise RolledBack
            broadcast("after")

    await in_thread(view)

    assert await texts(client, 2) == ["before", "after"]
    assert await client.barrier() == []


async def test_a_durable_atomic(client: Client, broadcast: Send) -> None:
    """It is a transaction like any other."""

    def view() -> None:
        with transaction.atomic(durable=True):
            broadcast("after the commit")
            broadcast("at once", on_commit=False)

    await in_thread(view)

    assert await texts(client, 2) == ["at once", "after the commit"]


@pytest.mark.parametrize("outer", ["commits", "is rolled back"])
async def test_async_code_inside_atomic(client: Client, key: str, outer: str) -> None:
    """Async code cannot see the transaction of its caller: it sends at once, whatever becomes of that."""

    async def send() -> None:
        await OnMessage.broadcast_async(group=key, payload=payload("awaited"))
        OnMessage.broadcast(group=key, payload=payload("called"))

    def view() -> None:
        with transaction.atomic():
            async_to_sync(send)()
            OnMessage.broadcast(group=key, payload=payload("in sync code"))
            if outer == "is rolled back":
                raise RolledBack

    with suppress(RolledBack):
        await in_thread(view)
    await in_thread(lambda: OnMessage.broadcast(group=key, payload=payload("end")))

    expected = ["awaited", "called", *(["in sync code"] if outer == "commits" else []), "end"]
    assert await texts(client, len(expected)) == expected


async def test_a_transaction_of_another_thread(client: Client, broadcast: Send) -> None:
    """It does not count: what is sent outside of a transaction is sent at once."""

    def view() -> None:
        with transaction.atomic(), ThreadPoolExecutor(1) as pool:
            pool.submit(broadcast, "of another thread").result()
            broadcast("in the transaction")

    await in_thread(view)

    assert await texts(client, 2) == ["of another thread", "in the transaction"]


async def test_both_databases_in_a_transaction(client: Client, broadcast: Send) -> None:
    """Each broadcast waits for the database that it names."""

    def view() -> None:
        with transaction.atomic():
            with transaction.atomic("other"):
                broadcast("default")
                broadcast("other", using="other")
            broadcast("rolled back with the default one")
            transaction.set_rollback(True)

    await in_thread(view)
    await in_thread(lambda: broadcast("end"))

    assert await texts(client, 2) == ["other", "end"]


async def test_another_database(client: Client, broadcast: Send) -> None:
    """`using` names the database whose commit counts."""

    def view() -> None:
        with transaction.atomic(using="other"):
            broadcast("after the commit of the other", using="other")
            broadcast("no transaction on the default")
        with transaction.atomic():
            broadcast("after the commit of the default")
            broadcast("no transaction on the other", using="other")

    await in_thread(view)

    assert await texts(client, 4) == [
        "no transaction on the default",
        "after the commit of the other",
        "no transaction on the other",
        "after the commit of the default",
    ]


async def test_the_row_behind_a_message(client: Client, broadcast: Send, key: str) -> None:
    """Whoever receives the message finds the row."""

    def view() -> None:
        with transaction.atomic():
            Supplier.objects.create(name=key)
            broadcast("there it is")

    writing = asyncio.create_task(in_thread(view))

    assert await texts(client, 1) == ["there it is"]
    assert await in_thread(Supplier.objects.filter(name=key).exists)
    await writing


async def test_a_payload_that_changes_before_the_commit(client: Client, key: str) -> None:
    """It is sent as it was at the call."""

    def view() -> None:
        with transaction.atomic():
            changing = payload("before")
            OnMessage.broadcast(group=key, payload=changing)
            changing["text"] = "after"

    await in_thread(view)

    assert await texts(client, 1) == ["before"]


async def test_unsubscribe_inside_atomic(client: Client, broadcast: Send, key: str) -> None:
    """It waits for the commit as well, behind what was broadcast before it."""

    def view() -> None:
        with suppress(RolledBack), transaction.atomic():
            OnMessage.unsubscribe(group=key)
            raise RolledBack
        with transaction.atomic():
            broadcast("the last")
            OnMessage.unsubscribe(group=key)
            broadcast("still subscribed", on_commit=False)

    await in_thread(view)

    assert await texts(client, 2) == ["still subscribed", "the last"]
    assert await client.receive() == {"id": "1", "type": "complete"}


async def test_the_late_send_fails(
    client: Client, broadcast: Send, settings: Settings, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    """The request is committed: the error is logged for each message, and not raised."""

    def view() -> None:
        with transaction.atomic():
            Supplier.objects.create(name=key)
            broadcast("one")
            broadcast("two")
            settings.CHANNEL_LAYERS = {}

    await in_thread(view)

    assert await in_thread(Supplier.objects.filter(name=key).exists)
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


class TestMutations:
    """Plain mutations over a socket, in a worker thread."""

    @pytest.fixture
    async def shop(self) -> AsyncIterator[Client]:
        """An acknowledged socket whose mutation broadcasts inside a transaction."""
        async with serving(application) as url, connect(url("shop/")) as client:
            await client.init()
            yield client

    async def add(self, shop: Client, group: str, name: str, *, fail: bool) -> Any:
        document = (
            "mutation ($name: String!, $group: String!, $fail: Boolean!)"
            ' { addProduct(name: $name, supplier: "s", group: $group, fail: $fail) { product { name } } }'
        )
        return await shop.execute("1", document, {"name": name, "group": group, "fail": fail})

    async def test_that_commits(self, client: Client, shop: Client, key: str) -> None:
        """The message is sent."""
        assert await self.add(shop, key, "pen", fail=False) == {"data": {"addProduct": {"product": {"name": "pen"}}}}

        assert await texts(client, 1) == ["pen"]

    async def test_that_is_rolled_back(self, client: Client, shop: Client, key: str) -> None:
        """Nothing is sent, and the thread's next transaction is its own."""
        refused = await self.add(shop, key, "never", fail=True)
        await self.add(shop, key, "pen", fail=False)

        assert refused["errors"][0]["message"] == "not sold here"
        assert await texts(client, 1) == ["pen"]
        assert await client.barrier() == []
