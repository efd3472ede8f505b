"""Every way of changing a row, in every kind of transaction, on SQLite and PostgreSQL: what subscribers are told."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core import serializers
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.signals import post_save
from pytest_django import Settings

from django_gqlws.bridge.capture import connect, find_bridge
from tests.project.models import Bestseller, Book, Note, Product, Supplier, Tag, Ticket
from tests.support.tables import situations

from .conftest import PRODUCT, Told

pytestmark = pytest.mark.usefixtures("bridged")


class Undone(Exception):
    """Ends a block without its commit."""


def load_fixture(alias: str, label: str, pk: Any, **fields: Any) -> None:
    """What `loaddata` does."""
    for loaded in serializers.deserialize("python", [{"model": label, "pk": pk, "fields": fields}], using=alias):
        loaded.save(using=alias)


class Shop:
    """What is there before: a product of a supplier, a book, a tag that the product has, another that it has not."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.products = Product.objects.using(alias)
        self.supplier = Supplier.objects.using(alias).create(name="a")
        self.product = self.products.create(name="pen", stock=1, supplier=self.supplier)
        self.book = Book.objects.using(alias).create(name="tale", pages=5)
        self.tag = Tag.objects.using(alias).create(name="blue")
        self.new_tag = Tag.objects.using(alias).create(name="new")
        self.product.tags.add(self.tag)

    def save(self, **values: Any) -> None:
        """Change the product."""
        for name, value in values.items():
            setattr(self.product, name, value)
        self.product.save()

    def new(self, count: int) -> list[Product]:
        """Products that are not stored yet."""
        return [Product(name=str(number)) for number in range(count)]

    def renamed(self, name: str) -> list[Product]:
        """All products, with another name that is not stored yet."""
        products = list(self.products.order_by("pk"))
        for product in products:
            product.name = name
        return products

    def load(self, name: str) -> None:
        """Load a product from a fixture."""
        load_fixture(self.alias, "project.product", 1000, name=name)

    def fail_inside(self) -> None:
        """A savepoint that is rolled back, between changes that stay."""
        self.save(name="ink")
        with suppress(Undone), transaction.atomic(self.alias):
            self.save(stock=99)
            raise Undone
        self.product.refresh_from_db()
        self.save(name="chalk")


Way = Callable[[Shop], object]

WAYS: dict[str, tuple[Way, list[str]]] = {
    "save, new": (lambda shop: Product(name="cup").save(using=shop.alias), ["created"]),
    "save, new, with a key": (lambda shop: Product(pk=1000, name="cup").save(using=shop.alias), ["created"]),
    "save, with text for a key": (
        lambda shop: Product(pk=str(shop.product.pk), name="ink").save(using=shop.alias, update_fields=["name"]),
        ["updated name"],
    ),
    "save, changed": (lambda shop: shop.save(name="ink", stock=2), ["updated name stock"]),
    "save, unchanged": (lambda shop: shop.save(), []),
    "save, text for a number": (lambda shop: shop.save(stock="1"), []),
    "save, an expression": (lambda shop: shop.save(stock=F("stock") + 1), ["updated stock"]),
    "save, a field that is not told": (lambda shop: shop.save(price="5"), []),
    "save, update_fields": (
        lambda shop: Product(pk=shop.product.pk, name="ink", stock=5).save(using=shop.alias, update_fields=["stock"]),
        ["updated stock"],
    ),
    "save, fields deferred": (lambda shop: shop.products.only("name").get(pk=shop.product.pk).save(), []),
    "create": (lambda shop: shop.products.create(name="cup"), ["created"]),
    "get_or_create, new": (lambda shop: shop.products.get_or_create(name="cup"), ["created"]),
    "get_or_create, there": (lambda shop: shop.products.get_or_create(name="pen"), []),
    "update_or_create, new": (lambda shop: shop.products.update_or_create(name="cup"), ["created"]),
    "update_or_create, there": (
        lambda shop: shop.products.update_or_create(name="pen", defaults={"stock": 7}),
        ["updated stock"],
    ),
    "delete": (lambda shop: shop.product.delete(), ["deleted"]),
    "delete of a queryset": (lambda shop: shop.products.all().delete(), ["deleted", "deleted"]),
    "delete, cascading": (lambda shop: shop.supplier.delete(), ["deleted"]),
    "delete, not there": (lambda shop: Product(pk=1000).delete(using=shop.alias), []),
    "a fixture": (lambda shop: shop.load("cup"), []),
    "relation, add": (lambda shop: shop.product.tags.add(shop.new_tag), ["updated tags"]),
    "relation, add what is there": (lambda shop: shop.product.tags.add(shop.tag), []),
    "relation, add from the other side": (lambda shop: shop.new_tag.product_set.add(shop.product), ["updated tags"]),
    "relation, remove": (lambda shop: shop.product.tags.remove(shop.tag), ["updated tags"]),
    "relation, remove from the other side": (lambda shop: shop.tag.product_set.remove(shop.product), ["updated tags"]),
    "relation, set": (lambda shop: shop.product.tags.set([shop.new_tag]), ["updated tags"]),
    "relation, clear": (lambda shop: shop.product.tags.clear(), ["updated tags"]),
    "relation, clear from the other side": (lambda shop: shop.tag.product_set.clear(), ["updated tags"]),
    "relation, clear what is empty": (lambda shop: shop.new_tag.product_set.clear(), []),
    "relation, what it refers to is deleted": (lambda shop: shop.tag.delete(), ["updated tags"]),
    "relation, what it refers to is deleted, by a queryset": (
        lambda shop: Tag.objects.using(shop.alias).all().delete(),
        ["updated tags"],
    ),
    "asave": (lambda shop: async_to_sync(Product(name="cup").asave)(using=shop.alias), ["created"]),
    "adelete": (lambda shop: async_to_sync(shop.product.adelete)(using=shop.alias), ["deleted"]),
    "bulk_create": (lambda shop: shop.products.bulk_create(shop.new(3)), ["created"] * 3),
    "bulk_create, ignoring conflicts": (
        lambda shop: shop.products.bulk_create(
            [Product(pk=shop.product.pk, name="ink"), Product(pk=1000, name="cup")], ignore_conflicts=True
        ),
        ["created"],
    ),
    "bulk_create, updating": (
        lambda shop: shop.products.bulk_create(
            [Product(pk=shop.product.pk, name="ink"), Product(pk=1000, name="cup")],
            update_conflicts=True,
            update_fields=["name"],
            unique_fields=["pk"],
        ),
        ["updated name", "created"],
    ),
    "bulk_update": (lambda shop: shop.products.bulk_update(shop.renamed("x"), ["name"]), ["updated name"] * 2),
    "bulk_update, in batches": (
        lambda shop: shop.products.bulk_update(shop.renamed("x"), ["name"], batch_size=1),
        ["updated name"] * 2,
    ),
    "update": (lambda shop: shop.products.update(stock=7), ["updated stock"] * 2),
    "update, an expression": (lambda shop: shop.products.update(stock=F("stock") + 1), ["updated stock"] * 2),
    "update, of what is the filter": (lambda shop: shop.products.filter(name="pen").update(name="x"), ["updated name"]),
    "update, unchanged": (lambda shop: shop.products.filter(name="pen").update(name="pen"), []),
    "update, nothing found": (lambda shop: shop.products.filter(name="?").update(name="x"), []),
    "update, a field that is not told": (lambda shop: shop.products.update(price=5), []),
    "aupdate": (lambda shop: async_to_sync(shop.products.aupdate)(stock=7), ["updated stock"] * 2),
    "abulk_create": (lambda shop: async_to_sync(shop.products.abulk_create)(shop.new(2)), ["created"] * 2),
    "add to a foreign key's other side": (
        lambda shop: shop.supplier.product_set.add(shop.book, bulk=False),
        ["updated supplier"],
    ),
    "clear a foreign key's other side": (lambda shop: shop.supplier.product_set.clear(), ["updated supplier"]),
    "update of a child": (lambda shop: Book.objects.using(shop.alias).update(name="x"), ["updated name"]),
    "update of a child, in its own table": (lambda shop: Book.objects.using(shop.alias).update(pages=9), []),
    "update of a proxy": (
        lambda shop: Bestseller.objects.using(shop.alias).filter(name="pen").update(name="x"),
        ["updated name"],
    ),
    "a child, new": (lambda shop: Book.objects.using(shop.alias).create(name="novel"), ["created"]),
    "a child, changed": (
        lambda shop: Book(pk=shop.book.pk, name="novel").save(using=shop.alias, update_fields=["name"]),
        ["updated name"],
    ),
    "a child, changed in its own table": (
        lambda shop: Book(pk=shop.book.pk, pages=6).save(using=shop.alias, update_fields=["pages"]),
        [],
    ),
    "a child, deleted": (lambda shop: shop.book.delete(), ["deleted"]),
    "a child, deleted without its parent": (lambda shop: shop.book.delete(keep_parents=True), []),
    "a proxy": (lambda shop: Bestseller(name="cup").save(using=shop.alias), ["created"]),
    "a proxy, deleted": (lambda shop: Bestseller.objects.using(shop.alias).get(name="pen").delete(), ["deleted"]),
}

IN_ONE: dict[str, tuple[Way, list[str]]] = {
    "created and updated": (
        lambda shop: [product := shop.products.create(name="cup"), setattr(product, "name", "mug"), product.save()],
        ["created"],
    ),
    "created and deleted": (lambda shop: shop.products.create(name="cup").delete(), []),
    "updated twice": (lambda shop: [shop.save(name="ink"), shop.save(stock=2)], ["updated name stock"]),
    "updated twice, once with text for a key": (
        lambda shop: [
            Product(pk=str(shop.product.pk), name="ink").save(using=shop.alias, update_fields=["name"]),
            shop.products.filter(pk=shop.product.pk).update(stock=7),
        ],
        ["updated name stock"],
    ),
    "updated by an old instance": (
        lambda shop: [shop.save(name="ink"), Product(pk=shop.product.pk, name="pen").save(using=shop.alias)],
        ["updated stock supplier"],
    ),
    "updated to and fro": (lambda shop: [shop.save(name="ink"), shop.save(name="pen")], []),
    "updated and deleted": (lambda shop: [shop.save(name="ink"), shop.product.delete()], ["deleted"]),
    "updated and related": (
        lambda shop: [shop.save(name="ink"), shop.product.tags.clear()],
        ["updated name tags"],
    ),
    "a savepoint is rolled back between": (lambda shop: shop.fail_inside(), ["updated name"]),
    "created and updated, many at once": (
        lambda shop: [shop.products.bulk_create(shop.new(2)), shop.products.update(stock=7)],
        ["created", "created", "updated stock", "updated stock"],
    ),
    "updated and deleted, many at once": (
        lambda shop: [shop.products.update(stock=7), shop.products.all().delete()],
        ["deleted", "deleted"],
    ),
    "several rows": (
        lambda shop: [shop.products.create(name="cup"), shop.save(name="ink"), shop.book.delete()],
        ["created", "updated name", "deleted"],
    ),
}
"""Several changes of one transaction."""


@contextmanager
def no_transaction(alias: str) -> Iterator[None]:
    yield


@contextmanager
def committed(alias: str) -> Iterator[None]:
    with transaction.atomic(alias, durable=True):
        yield


@contextmanager
def savepoint(alias: str) -> Iterator[None]:
    with transaction.atomic(alias), transaction.atomic(alias):
        yield


@contextmanager
def rolled_back(alias: str) -> Iterator[None]:
    with suppress(Undone), transaction.atomic(alias):
        yield
        raise Undone


@contextmanager
def marked_for_rollback(alias: str) -> Iterator[None]:
    with transaction.atomic(alias):
        yield
        transaction.set_rollback(True, using=alias)


@contextmanager
def savepoint_rolled_back(alias: str) -> Iterator[None]:
    with transaction.atomic(alias), suppress(Undone), transaction.atomic(alias):
        yield
        raise Undone


@contextmanager
def rolled_back_around_savepoint(alias: str) -> Iterator[None]:
    with suppress(Undone), transaction.atomic(alias):
        with transaction.atomic(alias):
            yield
        raise Undone


COMMITS = [committed, savepoint]
ROLLBACKS = [rolled_back, marked_for_rollback, savepoint_rolled_back, rolled_back_around_savepoint]


@pytest.mark.parametrize("block", [no_transaction, *COMMITS, *ROLLBACKS])
@pytest.mark.parametrize(("way", "expected"), situations(WAYS))
def test_a_way(told: Told, alias: str, block: Any, way: Way, expected: list[str]) -> None:
    """It is told once what is committed, and nothing of what is not."""
    shop = Shop(alias)
    told.messages.clear()

    with block(alias):
        way(shop)

    if len(expected) == 1 or block is not no_transaction:
        assert told.words() == ([] if block in ROLLBACKS else expected)
    else:
        assert sorted(told.words()) == sorted(expected)


@pytest.mark.parametrize("block", [*COMMITS, *ROLLBACKS])
@pytest.mark.parametrize(("way", "expected"), situations(IN_ONE))
def test_several_changes_in_one_transaction(told: Told, alias: str, block: Any, way: Way, expected: list[str]) -> None:
    """A row is told of once, as the transaction has left it; all rows of a group travel together."""
    shop = Shop(alias)
    told.messages.clear()

    with block(alias):
        way(shop)

    assert told.words() == ([] if block in ROLLBACKS else expected)
    assert len(told.broadcasts("project.Product", "all")) <= 1


NOTE = {"groups": ["all", "product-{product_id}"]}

ENDS: dict[str, tuple[Way, list[str]]] = {
    "of one": (lambda shop: shop.product.delete(), ["updated product left"]),
    "of a queryset": (lambda shop: shop.products.filter(pk=shop.product.pk).delete(), ["updated product left"]),
    "of a proxy": (
        lambda shop: Bestseller.objects.using(shop.alias).get(name="pen").delete(),
        ["updated product left"],
    ),
    "by a cascade": (lambda shop: shop.supplier.delete(), ["updated product left"]),
    "of a child": (lambda shop: shop.book.delete(), []),
    "with the row itself": (
        lambda shop: [shop.product.delete(), Note.objects.using(shop.alias).all().delete()],
        ["deleted"],
    ),
}
"""Deletions of a product that a note refers to."""


@pytest.mark.parametrize("block", [committed, rolled_back, savepoint_rolled_back])
@pytest.mark.parametrize(("way", "expected"), situations(ENDS))
def test_what_a_row_refers_to_is_deleted(
    told: Told, alias: str, settings: Settings, block: Any, way: Way, expected: list[str]
) -> None:
    """`SET_NULL` is an update, and the row leaves the group."""
    shop = Shop(alias)
    note = Note.objects.using(alias).create(text="good", product=shop.product)
    settings.GQLWS = {**settings.GQLWS, "MODELS": {"project.Note": NOTE}}

    with block(alias):
        way(shop)

    assert told.words("project.Note", f"product-{note.product_id}") == ([] if block in ROLLBACKS else expected)


def test_a_fixture_that_counts(told: Told, alias: str, settings: Settings) -> None:
    """With `raw` it is told of as any other save."""
    settings.GQLWS = {**settings.GQLWS, "MODELS": {"project.Product": {**PRODUCT, "raw": True}}}

    Shop(alias).load("cup")

    assert told.words()[-1] == "created"


def test_the_database_travels(told: Told, alias: str) -> None:
    """Who is told knows where the row is."""
    product = Product.objects.using(alias).create(name="cup")

    assert {using for _, using, _ in told.messages} == {alias}
    assert told.rows(group=f"pk-{product.pk}") == told.rows() == [(product.pk, "created", [], None, None)]


@pytest.fixture
def saves_again() -> Iterator[None]:
    """A receiver, older than the bridge's own, that saves once more what was saved."""

    def save_again(instance: Product, using: str, **_: Any) -> None:
        if instance.stock != 50:
            instance.stock = 50
            instance.save(using=using, update_fields=["stock"])

    post_save.connect(save_again, sender=Product)
    connect()
    yield
    post_save.disconnect(save_again, sender=Product)


@pytest.mark.usefixtures("saves_again")
def test_a_save_within_a_save(told: Told, alias: str) -> None:
    """Both are one change, from the row before the outer one to the row after the inner one."""
    with transaction.atomic(alias):
        product = Product.objects.using(alias).create(name="cup")
    product.name, product.stock = "mug", 1
    with transaction.atomic(alias):
        product.save(update_fields=["name"])
    product.name, product.stock = "jug", 2
    Product.objects.using(alias).filter(pk=product.pk).update(stock=1)
    with transaction.atomic(alias):
        product.save(update_fields=["name"])

    assert told.words() == ["created", "updated name", "updated stock", "updated name stock"]


def test_a_save_that_fails(told: Told, alias: str) -> None:
    """The next one of the same instance is told as if nothing had been, and the instance can be pickled."""
    product = Product.objects.using(alias).create(name="cup")
    product.name = None  # type: ignore[assignment]
    with suppress(IntegrityError), transaction.atomic(alias):
        product.save()
    product = pickle.loads(pickle.dumps(product))
    product.name = "mug"
    product.save()

    assert told.words() == ["created", "updated name"]


def test_a_key_that_the_database_makes(told: Told, alias: str, settings: Settings) -> None:
    """The row is told of as any other, with its key; one that a fixture brings once more is not new."""
    settings.GQLWS = {**settings.GQLWS, "MODELS": {"project.Ticket": {"raw": True}}}
    ticket = Ticket.objects.using(alias).create(value=1)
    ticket.value = 2
    ticket.save()
    load_fixture(alias, "project.ticket", ticket.pk, value=3)

    assert told.words("project.Ticket", "pk-first") == ["created", "updated value", "updated value"]


def test_a_value_that_the_user_goes_on_to_change(told: Told, alias: str, settings: Settings) -> None:
    """What counts is what was saved."""
    settings.GQLWS = {**settings.GQLWS, "MODELS": {"project.Product": {"fields": ["attributes"]}}}
    product = Product.objects.using(alias).create(name="cup", attributes={"sizes": [1]})
    with transaction.atomic(alias):
        product.attributes["sizes"].append(2)
        product.save()
        product.attributes["sizes"].pop()

    assert told.words() == ["created", "updated attributes"]


def test_an_old_instance_of_a_child_is_deleted(told: Told, alias: str) -> None:
    """The last values are those of the database."""
    shop = Shop(alias)
    shop.products.filter(pk=shop.book.pk).update(name="renamed")

    shop.book.delete()

    assert told.rows()[-1].made.name == "renamed"


@pytest.mark.parametrize("price", ["1.5", 2, 0.25, Decimal("1.005"), None])
def test_a_group_named_by_a_decimal(told: Told, alias: str, settings: Settings, price: Any) -> None:
    """It has the digits that the database gives back, whatever the row was saved with and whatever is asked for."""
    settings.GQLWS = {**settings.GQLWS, "MODELS": {"project.Product": {"groups": ["all", "price-{price}"]}}}

    Product.objects.using(alias).create(name="cup", price=price)
    stored = Product.objects.using(alias).get().price

    assert told.words() == ["created"]
    if stored is not None:
        assert told.words(group=f"price-{stored}") == ["created"]
        assert find_bridge(Product).group_for({"price": stored.normalize()}) == f"price-{stored}"
