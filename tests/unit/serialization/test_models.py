"""Django models travel as they are in memory: usable on arrival, without a query on either side."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.test import override_settings
from django.test.utils import isolate_apps
from django.utils.functional import SimpleLazyObject

from django_gqlws.exceptions import PayloadError
from django_gqlws.serialization import pack, unpack
from tests.project.models import Bestseller, Book, Money, Product, Shelf, Supplier, Tag
from tests.support.tables import situations

NoQueries = Callable[[int], AbstractContextManager[object]]
User = get_user_model()


def book(**fields: Any) -> Book:
    """A saved book of a supplier, with two tags, as the database returns it."""
    supplier = Supplier.objects.create(name="Press")
    saved = Book.objects.create(name="Herbs", supplier=supplier, pages=120, **fields)
    saved.tags.set([Tag.objects.create(name="green"), Tag.objects.create(name="old")])
    return Book.objects.get(pk=saved.pk)


def loaded(model: type[models.Model], **fields: Any) -> Any:
    """An instance as if read from the database, with nothing but these fields."""
    names = [field.attname for field in model._meta.concrete_fields if field.attname in fields]
    return model.from_db("default", names, [fields[name] for name in names])


FULL: dict[str, Any] = {
    "price": Decimal("9.90"),
    "cost": Money("5.10", "EUR"),
    "code": UUID(int=7),
    "attributes": {"sizes": [1, {"a": None}]},
    "added": datetime(2026, 1, 2, tzinfo=UTC),
    "warranty": timedelta(days=30),
    "manual": "manuals/herbs.pdf",
    "preview": b"\x00\xff",
    "stock": 2**62,
    "kind": Product.Kind.DIGITAL,
}


@pytest.mark.django_db
def test_every_field_of_a_model(django_assert_num_queries: NoQueries) -> None:
    """All columns come back with their types, those of a multi-table parent too, and no query is made."""
    # Given
    original = book(**FULL)

    # When
    with django_assert_num_queries(0):
        copy = unpack(pack({"books": [original]}))["books"][0]

    # Then
    assert type(copy) is Book
    assert copy == original
    assert copy.pk == copy.product_ptr_id == original.pk
    assert not copy.get_deferred_fields()
    for field in Book._meta.concrete_fields:
        assert getattr(copy, field.attname) == getattr(original, field.attname), field.name
    assert copy.cost == Money("5.10", "EUR")
    assert copy.manual.name == "manuals/herbs.pdf"


@pytest.mark.django_db
def test_the_copy_is_usable(django_assert_num_queries: NoQueries) -> None:
    """Relations are read when they are asked for, and it is saved as the row that it is."""
    # Given
    copy = unpack(pack(book()))

    # When
    assert (copy._state.db, copy._state.adding) == ("default", False)
    assert copy.supplier.name == "Press"
    assert {tag.name for tag in copy.tags.all()} == {"green", "old"}
    copy.pages = 121
    copy.save()

    # Then
    assert [saved.pages for saved in Book.objects.all()] == [121]


def test_packing_makes_no_query() -> None:
    """Deferred fields and relations are left alone; no database is allowed in this test."""
    original = loaded(Book, id=1, product_ptr_id=1, name="Herbs", supplier_id=2)

    copy = unpack(pack(original))

    assert (copy.pk, copy.name, copy.supplier_id) == (1, "Herbs", 2)
    assert copy.get_deferred_fields() == original.get_deferred_fields() >= {"pages", "price"}


@pytest.mark.django_db
def test_a_deferred_field() -> None:
    """It stays deferred and is read from the database when it is asked for."""
    book(price=Decimal("9.90"))

    copy = unpack(pack(Book.objects.only("name").get()))

    assert "price" in copy.get_deferred_fields()
    assert copy.price == Decimal("9.90")


def test_the_database_of_an_instance() -> None:
    """The alias travels."""
    assert unpack(pack(Tag.from_db("archive", ["id", "name"], [1, "old"])))._state.db == "archive"


def test_an_instance_that_was_not_saved() -> None:
    """It arrives as not saved either, with its Python values."""
    copy = unpack(pack(Product(name="pen", cost=Money("1", "EUR"), kind=Product.Kind.PAPER)))

    assert (copy.pk, copy._state.db, copy._state.adding) == (None, None, True)
    assert (copy.name, copy.cost, copy.kind) == ("pen", Money("1", "EUR"), Product.Kind.PAPER)


def test_a_proxy_model() -> None:
    """It stays what it was."""
    copy = unpack(pack(loaded(Bestseller, id=1, name="Herbs")))

    assert type(copy) is Bestseller
    assert str(copy) == "Herbs!"


def test_a_composite_primary_key() -> None:
    """It is there."""
    assert unpack(pack(loaded(Shelf, aisle=3, number=14))).pk == (3, 14)


def test_models_anywhere() -> None:
    """They may be in any container, keys and sets included."""
    tag = loaded(Tag, id=1, name="green")

    copy = unpack(pack({"deep": [({"tag": tag},)], tag: {tag}}))

    assert copy == {"deep": [({"tag": tag},)], tag: {tag}}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (lambda: Tag.objects.order_by("name"), [Tag(1), Tag(2)]),
        (lambda: Tag.objects.raw("SELECT * FROM project_tag ORDER BY id"), [Tag(1), Tag(2)]),
        (lambda: Tag.objects.order_by("name").values("name"), [{"name": "green"}, {"name": "old"}]),
        (lambda: Tag.objects.order_by("name").values_list("id", "name"), [(1, "green"), (2, "old")]),
        (lambda: Tag.objects.none(), []),
    ],
    ids=["models", "raw", "values", "values_list", "none"],
)
def test_a_queryset(rows: Callable[[], object], expected: list[object]) -> None:
    """It arrives as the list of its rows."""
    Tag.objects.bulk_create([Tag(1, "green"), Tag(2, "old")])

    copy = unpack(pack({"rows": rows()}))["rows"]

    assert type(copy) is list
    assert copy == expected


async def test_a_queryset_on_the_event_loop() -> None:
    """To evaluate it would block the loop: the error says where it is and what to do."""
    with pytest.raises(PayloadError, match=r'^payload\["rows"\]: .*QuerySet .* use a thread or sync_to_async'):
        pack({"rows": Tag.objects.all()})


def test_the_password_of_a_user() -> None:
    """It never leaves the process: it is deferred on arrival."""
    user = loaded(User, id=1, username="ann", password="secret-hash")

    packed = pack({"user": user})

    assert b"secret-hash" not in packed
    copy = unpack(packed)["user"]
    assert copy.username == "ann"
    assert "password" in copy.get_deferred_fields()


AROUND: dict[str, Callable[[Any], Any]] = {
    "in a list": lambda user: [user],
    "in a dict in a tuple": lambda user: ({"user": user},),
    "as a key": lambda user: {user: 1},
    "in a set": lambda user: {user},
}


@pytest.mark.parametrize("around", situations(AROUND))
def test_the_password_of_a_user_of_another_class(around: Callable[[Any], Any]) -> None:
    """It does not travel either, whatever the settings call the user, and wherever in the payload it is."""
    with isolate_apps("tests.project"):

        class Customer(AbstractBaseUser):
            email = models.CharField(max_length=10)

            class Meta:
                app_label = "project"

        class Trader(Customer):
            class Meta:
                app_label = "project"

        for model in (Customer, Trader):
            packed = pack(around(loaded(model, id=1, customer_ptr_id=1, email="a@b.c", password="secret-hash")))

            assert b"a@b.c" in packed
            assert b"secret-hash" not in packed


def test_fields_that_the_settings_list() -> None:
    """They stay here: of the model itself, of its children and its proxies."""
    with override_settings(GQLWS={"SENSITIVE_FIELDS": ["project.Product.code", "project.Product.supplier"]}):
        for model in (Product, Book, Bestseller):
            copy = unpack(pack([loaded(model, id=1, product_ptr_id=1, name="pen", code=UUID(int=7), supplier_id=5)]))[0]

            assert copy.name == "pen"
            assert {"code", "supplier_id"} <= copy.get_deferred_fields()

    assert unpack(pack(loaded(Product, id=1, code=UUID(int=7)))).code == UUID(int=7)


def test_fields_of_an_abstract_parent() -> None:
    """They are the model's own."""
    user = loaded(User, id=1, username="ann", is_active=False, email="ann@example.com")

    copy = unpack(pack(user))

    assert (copy.is_active, copy.email) == (False, "ann@example.com")


def test_a_model_that_is_no_longer_there() -> None:
    """It is the one kind of error."""
    with isolate_apps("tests.project"):

        class Gone(models.Model):  # noqa: DJ008
            class Meta:
                app_label = "project"

        packed = pack(Gone(pk=1))

    with pytest.raises(PayloadError, match="doesn't have a 'Gone' model"):
        unpack(packed)


def test_the_user_of_a_request() -> None:
    """The lazy object that Django makes of it arrives as the user, without a password."""
    user = loaded(User, id=1, username="ann", password="secret-hash")

    packed = pack({"user": SimpleLazyObject(lambda: user)})

    assert b"secret-hash" not in packed
    assert type(unpack(packed)["user"]) is User


def test_a_sender_of_another_version() -> None:
    """A column that only the sender knows is ignored, and one that only the receiver knows is deferred."""
    packed = pack(loaded(Tag, id=1, name="green")).replace(b"name", b"nick")

    copy = unpack(packed)

    assert copy.pk == 1
    assert copy.get_deferred_fields() == {"name"}
