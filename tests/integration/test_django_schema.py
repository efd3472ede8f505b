"""A graphene-django schema written for HTTP runs over the socket unchanged, and blocks nobody there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client as Browser

from django_gqlws.conf import get_settings
from django_gqlws.execution import workers
from tests.integration.serving import ON_MESSAGE, Url, listener, message, payload, serving
from tests.integration.shop import application
from tests.integration.threads import in_thread
from tests.project.journal import Event, journal
from tests.project.models import Product, Supplier, Tag
from tests.project.subscriptions import OnMessage
from tests.support.client import Client, connect
from tests.support.tables import situations

PRODUCT = "{ id name kind price label supplier { id name } maker { name } tags { id name } }"
ADD = (
    'mutation ($fail: Boolean) { addProduct(name: "pen", supplier: "new supplier", fail: $fail)'
    " { product { name label supplier { name } } } }"
)


@pytest.fixture
def goods(transactional_db: None) -> None:
    """Six products of three suppliers, and one of none."""
    tags = [Tag.objects.create(name=name) for name in ("new", "used")]
    for number in range(6):
        supplier, _ = Supplier.objects.get_or_create(name=f"supplier {number % 3}")
        product = Product.objects.create(name=f"product {number}", price=f"{number}.50", supplier=supplier)
        product.tags.set(tags[: number % 3])
    Product.objects.create(name="orphan")


@pytest.fixture
def visitor(goods: None, settings: Any) -> Browser:
    """A browser in which somebody has logged in."""
    settings.ROOT_URLCONF = "tests.integration.shop"
    user = User.objects.create_user("ada")
    user.groups.add(Group.objects.create(name="staff"))
    visitor = Browser()
    visitor.force_login(user)
    return visitor


@pytest.fixture
async def shop(visitor: Browser) -> AsyncIterator[Client]:
    """An acknowledged socket of that browser."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in visitor.cookies.items())
    async with serving(application) as url, connect(url("shop/"), headers={"Cookie": cookies}) as client:
        await client.init()
        yield client


async def over_http(visitor: Browser, query: str, variables: dict[str, Any]) -> Any:
    """The answer of graphene-django's view."""
    body = {"query": query, "variables": variables}
    response = await in_thread(lambda: visitor.post("/graphql/", body, content_type="application/json"))
    return json.loads(response.content)


class TestTheSameAnswer:
    """Over the socket and over HTTP."""

    @pytest.mark.parametrize(
        "query",
        situations(
            {
                "a list": f"{{ products {PRODUCT} }}",
                "an object": f'{{ product(name: "product 2") {PRODUCT} }}',
                "no supplier": '{ product(name: "orphan") { name supplier { name } maker { name } tags { name } } }',
                "foreign keys that default resolvers read": "{ plainProducts { name supplier { name } } }",
                "a connection": "{ nodes(first: 3) { edges { cursor node { id name supplier { name } } }"
                " pageInfo { hasNextPage endCursor } } }",
                "a filter": '{ nodes(name_Istartswith: "ORPH") { edges { node { name } } } }',
                "a filter over a foreign key": '{ nodes(supplier_Name: "supplier 1") { edges { node { name } } } }',
                "the user": "{ me }",
                "several fields": f"{{ me products {PRODUCT} plainProducts {{ supplier {{ name }} }} }}",
                "fragments": "{ products { ...F } } fragment F on ProductType { name ... on ProductType { label } }",
                "a mutation": ADD,
            }
        ),
    )
    async def test_of_a_good_operation(self, visitor: Browser, shop: Client, query: str) -> None:
        """Data without errors."""
        over_socket = await shop.execute("1", query)

        assert over_socket == await over_http(visitor, query, {})
        assert "errors" not in over_socket

    @pytest.mark.parametrize(
        ("query", "variables"),
        situations(
            {
                "a row that is not there": ('{ me product(name: "nothing") { name } }', {}),
                "a refusal": (ADD, {"fail": True}),
            }
        ),
    )
    async def test_of_an_operation_that_fails(
        self, visitor: Browser, shop: Client, query: str, variables: dict[str, Any]
    ) -> None:
        """Partial data, and errors with message, locations and path."""
        over_socket = await shop.execute("1", query, variables)

        assert over_socket == await over_http(visitor, query, variables)
        assert len(over_socket["errors"]) == 1

    async def test_for_somebody_who_is_not_logged_in(self, visitor: Browser) -> None:
        """`info.context.user` is an AnonymousUser."""
        async with serving(application) as url, connect(url("shop/")) as client:
            await client.init()
            over_socket = await client.execute("1", "{ me }")

        assert over_socket == await over_http(Browser(), "{ me }", {})
        assert over_socket == {"data": {"me": "'', False, 0 groups"}}


class TestAsyncResolvers:
    """What graphene-django's view cannot do: the schema may mix them in."""

    async def test_a_model(self, shop: Client) -> None:
        """Its relations are read lazily, off the loop, with the answer that a plain resolver gets."""
        query = f'{{ asyncProduct(name: "product 2") {PRODUCT} product(name: "product 2") {PRODUCT} }}'

        data = (await shop.execute("1", query))["data"]

        assert data["asyncProduct"] == data["product"]
        assert data["asyncProduct"]["maker"] == {"name": "supplier 2"}

    async def test_a_model_that_default_resolvers_read(self, shop: Client) -> None:
        """Nothing in the code says that a query is made: it works all the same."""
        answer = await shop.execute("1", '{ asyncPlainProduct(name: "product 1") { name supplier { name } } }')

        assert answer == {"data": {"asyncPlainProduct": {"name": "product 1", "supplier": {"name": "supplier 1"}}}}

    async def test_a_queryset(self, shop: Client) -> None:
        """It is evaluated off the loop, and so are the foreign keys of its rows."""
        query = (
            f"{{ asyncProducts {PRODUCT} asyncPlainProducts {{ name supplier {{ name }} }} plainProducts {{ name }} }}"
        )

        answer = await shop.execute("1", query)

        assert "errors" not in answer
        names = [{"name": product["name"]} for product in answer["data"]["asyncPlainProducts"]]
        assert names == answer["data"]["plainProducts"]
        assert answer["data"]["asyncPlainProducts"][1]["supplier"] == {"name": "supplier 0"}
        assert answer["data"]["asyncProducts"][0]["supplier"] is None

    async def test_the_async_orm(self, shop: Client) -> None:
        """It works as it does everywhere."""
        answer = await shop.execute("1", "{ asyncCount asyncNames }")

        assert answer["data"]["asyncCount"] == len(answer["data"]["asyncNames"]) == 7

    async def test_a_data_loader_behind_plain_functions(self, shop: Client) -> None:
        """All keys of a list go in one batch."""
        before = journal.count(Event.EXECUTED, "batch of 3")

        answer = await shop.execute("1", "{ withMaker { loadedMaker } }")

        assert [product["loadedMaker"] for product in answer["data"]["withMaker"]] == [
            f"supplier {n % 3}" for n in range(6)
        ]
        assert journal.count(Event.EXECUTED, "batch of 3") == before + 1


class TestBlockingResolvers:
    async def test_all_worker_threads_are_blocked(self, url: Url, key: str) -> None:
        """Pings, async operations and notifications of every socket go on; only sync work waits."""
        threads = get_settings().sync_threads
        async with AsyncExitStack() as stack:
            blocking = [await stack.enter_async_context(listener(url, key)) for _ in range(2)]
            other = await stack.enter_async_context(listener(url, key))
            for number in range(threads + 2):
                query = "query ($key: String!) { blockingValue(key: $key) }"
                await blocking[number % 2].subscribe(f"blocking {number}", query, {"key": key})
            await journal.reached(Event.STARTED, key, threads)

            for client in (*blocking, other):
                assert await client.barrier() == []
                assert await client.execute("2", "{ value }") == {"data": {"value": "value"}}
            await OnMessage.broadcast_async(group=key, payload=payload("hello"))
            for client in (*blocking, other):
                assert await client.receive() == message("hello")
            await other.subscribe("sync", "{ syncValue }")
            assert await other.barrier() == []
            assert journal.count(Event.STARTED, key) == threads

            journal.note(Event.OPENED, key)

            assert (await other.receive())["payload"] == {"data": {"syncValue": "sync value"}}
            for client in blocking:
                received = [await client.receive() for _ in range(threads + 2)]
                answers = [one["payload"] for one in received if one["type"] == "next"]
                assert answers == [{"data": {"blockingValue": key}}] * (threads // 2 + 1)


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What has been called in a worker thread."""
    called: list[object] = []
    run = workers.run

    async def counted(function: Any, *args: Any) -> Any:
        called.append(function)
        return await run(function, *args)

    monkeypatch.setattr(workers, "run", counted)
    return called


class TestThreadHops:
    @pytest.mark.parametrize(
        ("query", "count"),
        situations(
            {
                "an async resolver": ("{ asyncCount }", 0),
                "several async resolvers": ("{ asyncCount asyncNames again: asyncCount }", 0),
                "a sync resolver": ("{ me }", 1),
                "several sync resolvers": ('{ me again: me product(name: "orphan") { name } }', 1),
                "a list with foreign keys, many-to-many and computed fields": (f"{{ products {PRODUCT} }}", 1),
                "a list that default resolvers read": ("{ plainProducts { name supplier { name } } }", 1),
                "a connection": ("{ nodes { edges { node { name supplier { name } } } } }", 1),
                "a sync mutation": (ADD, 1),
                "a queryset of an async resolver": ("{ asyncProducts { name label supplier { name } } }", 1),
                "a model of an async resolver": ('{ asyncPlainProduct(name: "orphan") { supplier { name } } }', 1),
                "a model of an async resolver, nothing read lazily": (
                    '{ asyncPlainProduct(name: "orphan") { name } }',
                    0,
                ),
            }
        ),
    )
    async def test_of_an_operation(self, shop: Client, hops: list[object], query: str, count: int) -> None:
        """None where all resolvers are async, one where none is, however many fields there are."""
        answer = await shop.execute("1", query)

        assert "errors" not in answer
        assert len(hops) == count

    async def test_of_everything_else(self, url: Url, hops: list[object], key: str) -> None:
        """Connecting, pinging, subscribing, a notification and completing make none."""
        async with listener(url, key) as client:
            await OnMessage.broadcast_async(group=key, payload=payload("hello"))
            assert await client.receive() == message("hello")
            await client.send(type="pong")
            await client.complete("1")
            assert await client.barrier() == []
            await client.subscribe("1", ON_MESSAGE, {"group": key})
            await client.receive()

        assert hops == []
