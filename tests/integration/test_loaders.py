"""Data loaders whose batches ask the database, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import graphene
import pytest
from asgiref.sync import sync_to_async
from graphene.utils.dataloader import DataLoader
from graphene_django import DjangoObjectType

from django_gqlws import GraphqlWsConsumer
from tests.integration.serving import serving
from tests.project.models import Product, Supplier
from tests.support.client import Client, connect
from tests.support.tables import situations

pytestmark = pytest.mark.django_db(transaction=True)

batches: list[list[int]] = []


class AsyncSuppliers(DataLoader):  # type: ignore[misc]
    """Asks Django's async ORM."""

    async def batch_load_fn(self, keys: list[int]) -> list[Supplier]:
        batches.append(sorted(keys))
        found = await Supplier.objects.ain_bulk(keys)
        return [found[key] for key in keys]


class SyncSuppliers(DataLoader):  # type: ignore[misc]
    """Asks the ORM by sync code."""

    async def batch_load_fn(self, keys: list[int]) -> list[Supplier]:
        batches.append(sorted(keys))
        return await sync_to_async(self.find)(keys)

    def find(self, keys: list[int]) -> list[Supplier]:
        found = Supplier.objects.in_bulk(keys)
        return [found[key] for key in keys]


class BlockingSuppliers(DataLoader):  # type: ignore[misc]
    """Asks the ORM where it must not be asked."""

    async def batch_load_fn(self, keys: list[int]) -> list[Supplier]:
        found = Supplier.objects.in_bulk(keys)
        return [found[key] for key in keys]


class ProductType(DjangoObjectType):
    class Meta:
        model = Product
        fields = ["name"]

    plain = graphene.String()
    awaited = graphene.String()
    blocking = graphene.String()

    @staticmethod
    def resolve_plain(product: Product, info: Any) -> Any:
        loading = info.context.loaders.sync_suppliers.load(product.supplier_id)

        async def name() -> str:
            return str((await loading).name)

        return name()

    @staticmethod
    async def resolve_awaited(product: Product, info: Any) -> str:
        return str((await info.context.loaders.async_suppliers.load(product.supplier_id)).name)

    @staticmethod
    async def resolve_blocking(product: Product, info: Any) -> str:
        return str((await info.context.loaders.blocking.load(product.supplier_id)).name)


class Query(graphene.ObjectType):
    products = graphene.List(ProductType)

    @staticmethod
    def resolve_products(root: object, info: Any) -> Any:
        return Product.objects.order_by("name")


class Consumer(GraphqlWsConsumer):
    schema = graphene.Schema(query=Query)
    loaders = {
        "async_suppliers": f"{__name__}.AsyncSuppliers",
        "sync_suppliers": SyncSuppliers,
        "blocking": BlockingSuppliers,
    }
    mask_errors = False


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client of the consumer, with six products of three suppliers in the database."""
    batches.clear()
    async for supplier in abundance():
        for number in range(2):
            await Product.objects.acreate(name=f"{supplier.name}-{number}", supplier=supplier)
    async with serving(Consumer.as_asgi()) as url, connect(url("")) as client:
        await client.init()
        yield client


async def abundance() -> AsyncIterator[Supplier]:
    for name in "abc":
        yield await Supplier.objects.acreate(name=name)


FIELDS = {"a plain function": "plain", "a coroutine function": "awaited"}


@pytest.mark.parametrize("field", situations(FIELDS))
async def test_a_field_of_each_row_of_a_list(client: Client, field: str) -> None:
    """One query for all rows; new for the next operation, which sees what has changed."""
    query = f"{{ products {{ name {field} }} }}"
    expected = [{"name": f"{name}-{number}", field: name} for name in "abc" for number in range(2)]
    assert await client.execute("1", query) == {"data": {"products": expected}}

    await Supplier.objects.filter(name="c").aupdate(name="d")

    after = await client.execute("2", query)
    assert [product[field] for product in after["data"]["products"]] == list("aabbdd")
    assert len(batches) == 2
    assert [len(batch) for batch in batches] == [3, 3]


async def test_both_kinds_in_one_operation(client: Client) -> None:
    """Each loader has its one batch."""
    result = await client.execute("1", "{ products { plain awaited } }")

    assert [set(product.values()) for product in result["data"]["products"]] == [{name} for name in "aabbcc"]
    assert [len(batch) for batch in batches] == [3, 3]


async def test_a_batch_function_that_blocks(client: Client) -> None:
    """Django's error tells what is wrong with it; nothing else suffers."""
    result = await client.execute("1", "{ products { name blocking } }")

    assert [product["name"] for product in result["data"]["products"]] == ["a-0", "a-1", "b-0", "b-1", "c-0", "c-1"]
    assert {error["message"] for error in result["errors"]} == {
        "You cannot call this from an async context - use a thread or sync_to_async."
    }
