"""A bridged model that is the child of others (multi-table inheritance): whoever changes its row through a parent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.db.models.signals import post_save
from pytest_django import Settings

from django_gqlws.bridge.capture import bridges_of, connect
from tests.project.models import Bestseller, Book, Exhibit, Manuscript, Product, Scroll, Shelf, Supplier, Tag
from tests.support.tables import situations

from .conftest import PRODUCT, Told
from .test_ways import committed, load_fixture, no_transaction, rolled_back

LABEL = "project.Manuscript"

MANUSCRIPT = {
    "groups": ["all", "supplier-{supplier_id}", "room-{room}"],
    "fields": ["name", "supplier", "tags", "pages", "room", "themes", "language"],
}


@pytest.fixture(autouse=True)
def bridged(settings: Settings) -> None:
    """Manuscripts are bridged, and none of their parents."""
    settings.GQLWS = {**settings.GQLWS, "MODELS": {LABEL: MANUSCRIPT}}


class Library:
    """A manuscript, and instances of all that its row is; beside it a book, a product and an exhibit without one."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.supplier, self.other = (Supplier.objects.using(alias).create(name=name) for name in "ab")
        self.tag = Tag.objects.using(alias).create(name="rare")
        Exhibit.objects.using(alias).create(room="hall")
        Product.objects.using(alias).create(name="pen", supplier=self.supplier)
        Book.objects.using(alias).create(name="tale")
        self.manuscript = Manuscript.objects.using(alias).create(
            number=1_000_000, name="psalms", room="crypt", supplier=self.supplier
        )
        key = self.manuscript.pk
        self.products = Product.objects.using(alias)
        self.product = self.products.get(pk=key)
        self.bestseller = Bestseller.objects.using(alias).get(pk=key)
        self.book = Book.objects.using(alias).get(pk=key)
        self.exhibit = Exhibit.objects.using(alias).get(pk=self.manuscript.exhibit_id)

    def save(self, instance: Any, **values: Any) -> None:
        """Change an instance."""
        for name, value in values.items():
            setattr(instance, name, value)
        instance.save()


Way = Callable[[Library], object]

WAYS: dict[str, tuple[Way, list[str]]] = {
    "save of a parent": (lambda library: library.save(library.book, pages=5), ["updated pages"]),
    "save of a parent's parent": (lambda library: library.save(library.product, name="odes"), ["updated name"]),
    "save of a parent whose key is not its own": (
        lambda library: library.save(library.exhibit, room="tower"),
        ["updated room"],
    ),
    "save of a parent's proxy": (lambda library: library.save(library.bestseller, name="odes"), ["updated name"]),
    "save, unchanged": (lambda library: library.product.save(), []),
    "save, update_fields": (
        lambda library: Product(pk=library.product.pk, name="odes", supplier=None).save(
            using=library.alias, update_fields=["name"]
        ),
        ["updated name"],
    ),
    "save, update_fields that are not told": (lambda library: library.product.save(update_fields=["price"]), []),
    "save, with text for a key": (
        lambda library: Exhibit(pk=str(library.exhibit.pk), room="tower").save(using=library.alias),
        ["updated room"],
    ),
    "save of a row that is no child": (lambda library: Product(name="cup").save(using=library.alias), []),
    "save of one that was": (
        lambda library: [
            library.manuscript.delete(keep_parents=True),
            library.save(library.product, name="odes"),
        ],
        ["deleted"],
    ),
    "asave": (
        lambda library: [
            setattr(library.exhibit, "room", "tower"),
            async_to_sync(library.exhibit.asave)(using=library.alias),
        ],
        ["updated room"],
    ),
    "update": (lambda library: library.products.update(name="odes"), ["updated name"]),
    "update of what is the filter": (
        lambda library: library.products.filter(name="psalms").update(name="odes"),
        ["updated name"],
    ),
    "update of others": (lambda library: library.products.filter(name="pen").update(name="ink"), []),
    "bulk_update": (
        lambda library: library.products.bulk_update([Product(pk=library.product.pk, name="odes")], ["name"]),
        ["updated name"],
    ),
    "bulk_create": (lambda library: library.products.bulk_create([Product(name="cup")]), []),
    "bulk_create, updating": (
        lambda library: library.products.bulk_create(
            [Product(pk=library.product.pk, name="odes"), Product(pk=1000, name="cup")],
            update_conflicts=True,
            update_fields=["name"],
            unique_fields=["pk"],
        ),
        ["updated name"],
    ),
    "relation, of a parent": (lambda library: library.product.tags.add(library.tag), ["updated tags"]),
    "relation, from the other side": (
        lambda library: library.tag.product_set.add(*library.products.all()),
        ["updated tags"],
    ),
    "relation, of a parent whose key is not its own": (
        lambda library: library.exhibit.themes.add(library.tag),
        ["updated themes"],
    ),
    "relation, of the child": (lambda library: library.manuscript.themes.add(library.tag), ["updated themes"]),
    "what a parent refers to is deleted": (lambda library: library.supplier.delete(), ["deleted"]),
    "a parent is deleted": (lambda library: library.exhibit.delete(), ["deleted"]),
    "a fixture": (lambda library: load_fixture(library.alias, "project.product", library.product.pk, name="odes"), []),
}


@pytest.mark.parametrize("block", [committed, rolled_back])
@pytest.mark.parametrize(("way", "expected"), situations(WAYS))
def test_a_way_through_a_parent(told: Told, alias: str, block: Any, way: Way, expected: list[str]) -> None:
    """The child's subscribers are told once what is committed, if there is a child."""
    library = Library(alias)
    told.messages.clear()

    with block(alias):
        way(library)

    assert told.words(LABEL) == (expected if block is committed else [])


IN_ONE: dict[str, tuple[Way, list[str]]] = {
    "both are saved": (
        lambda library: [
            library.save(library.product, name="odes"),
            library.save(library.exhibit, room="tower"),
            library.save(library.manuscript, name="odes", room="tower", language="el"),
        ],
        ["updated name room language"],
    ),
    "to and fro": (
        lambda library: [library.save(library.product, name="odes"), library.save(library.book, name="psalms")],
        [],
    ),
    "a parent is saved and deleted": (
        lambda library: [library.save(library.product, name="odes"), library.product.delete()],
        ["deleted"],
    ),
    "a child is made, and its parent saved": (
        lambda library: [
            library.manuscript.delete(),
            child := Manuscript.objects.using(library.alias).create(name="hymns", room="nave"),
            library.save(Exhibit.objects.using(library.alias).get(pk=child.exhibit_id), room="crypt"),
        ],
        ["deleted", "created"],
    ),
}


@pytest.mark.parametrize(("way", "expected"), situations(IN_ONE))
def test_a_child_and_its_parents_in_one_transaction(told: Told, alias: str, way: Way, expected: list[str]) -> None:
    """All of it is one event of a row."""
    library = Library(alias)
    told.messages.clear()

    with transaction.atomic(alias):
        way(library)

    assert told.words(LABEL) == expected


MOVES: dict[str, Way] = {
    "by a save": lambda library: library.save(library.product, supplier=library.other),
    "by a save of some fields": lambda library: Product(pk=library.product.pk, supplier=library.other).save(
        using=library.alias, update_fields=["supplier"]
    ),
    "by an old instance": lambda library: [
        library.products.filter(pk=library.product.pk).update(supplier=library.other),
        library.product.save(),
        library.save(library.bestseller, supplier=library.other),
    ],
    "by an update": lambda library: library.products.filter(supplier=library.supplier).update(supplier=library.other),
    "by the other side of a foreign key": lambda library: library.other.product_set.add(library.product, bulk=False),
}


@pytest.mark.parametrize("way", situations(MOVES))
def test_a_child_that_its_parent_moves(told: Told, alias: str, way: Way) -> None:
    """It leaves its group with the values from before, all of them, and enters the other."""
    library = Library(alias)
    told.messages.clear()

    with transaction.atomic(alias):
        way(library)

    (left,) = told.rows(LABEL, f"supplier-{library.supplier.pk}")
    (entered,) = told.rows(LABEL, f"supplier-{library.other.pk}")
    assert (left.pk, left.changed, left.move) == (library.manuscript.pk, ["supplier"], "left")
    assert (left.made.room, left.made.supplier_id) == ("crypt", library.supplier.pk)
    assert (entered.pk, entered.move, entered.made) == (library.manuscript.pk, "entered", None)
    assert told.words(LABEL, "room-crypt") == ["updated supplier"]


def test_parent_and_child_are_bridged(told: Told, alias: str, settings: Settings) -> None:
    """Each is told of whatever changes its own row, once, whichever of them is saved."""
    settings.GQLWS = {**settings.GQLWS, "MODELS": {LABEL: MANUSCRIPT, "project.Product": PRODUCT}}
    library = Library(alias)
    told.messages.clear()

    library.save(library.product, name="odes")
    library.save(library.manuscript, name="hymns", language="el")
    library.manuscript.save(update_fields=["language"])
    library.products.filter(name="hymns").update(name="psalms")

    assert told.words(LABEL) == ["updated name", "updated name language", "updated name"]
    assert told.words("project.Product") == ["updated name"] * 3


@pytest.mark.parametrize("order", [list, reversed], ids=["parents first", "child first"])
def test_a_fixture_of_a_child(told: Told, alias: str, settings: Settings, order: Any) -> None:
    """With `raw` its parents' rows count, and not what the child's own part of the fixture leaves open."""
    models = {LABEL: {**MANUSCRIPT, "raw": True}, "project.Product": {**PRODUCT, "raw": True}}
    settings.GQLWS = {**settings.GQLWS, "MODELS": models}
    library = Library(alias)
    new: list[tuple[str, dict[str, Any]]] = [
        ("project.product", {"name": "hymns", "supplier": library.other.pk}),
        ("project.book", {}),
        ("project.exhibit", {"room": "nave"}),
        ("project.manuscript", {"exhibit": 1000, "language": "el"}),
    ]
    told.messages.clear()

    with transaction.atomic(alias):
        for label, fields in order(new):
            load_fixture(alias, label, 1000, **fields)
    with transaction.atomic(alias):
        load_fixture(alias, "project.product", library.product.pk, name="odes", supplier=library.other.pk)
        load_fixture(alias, "project.manuscript", library.manuscript.pk, exhibit=library.exhibit.pk, language="el")

    entered = f"supplier-{library.other.pk}"
    assert told.words(LABEL, entered) == ["created", "updated name supplier language entered"]
    assert told.words("project.Product", entered) == ["created", "updated name supplier entered"]


MADE: list[Callable[[], Manuscript]] = [
    lambda: Manuscript(book_ptr_id=1000, name="hymns", room="nave"),
    lambda: Scroll(manuscript_ptr_id=1000, name="hymns", room="nave"),
]


@pytest.mark.parametrize("block", [no_transaction, committed])
@pytest.mark.parametrize("make", MADE, ids=["a child", "a child of a child"])
def test_a_child_that_is_made_with_its_own_key_alone(
    told: Told, alias: str, settings: Settings, make: Callable[[], Manuscript], block: Any
) -> None:
    """Its parent, whose key the database makes, is told of as new, and later as any other."""
    models = {LABEL: {**MANUSCRIPT, "groups": ["all"]}, "project.Exhibit": {}}
    settings.GQLWS = {**settings.GQLWS, "MODELS": models}
    Exhibit.objects.using(alias).create(number=1000, room="hall")
    told.messages.clear()

    with block(alias):
        manuscript = make()
        manuscript.save(using=alias)
    exhibit = Exhibit.objects.using(alias).get(pk=manuscript.exhibit_id)
    exhibit.room = "crypt"
    with block(alias):
        exhibit.save()

    assert told.words("project.Exhibit") == told.words(LABEL) == ["created", "updated room"]


@pytest.fixture
def saves_the_child() -> Any:
    """A receiver, older than the bridge's own, that saves the child of an exhibit that is saved."""

    def save_child(instance: Exhibit, using: str, **_: Any) -> None:
        manuscript = Manuscript.objects.using(using).get(exhibit=instance)
        manuscript.language = "el"
        manuscript.save(update_fields=["language"])

    yield lambda: [post_save.connect(save_child, sender=Exhibit, weak=False), connect()]
    post_save.disconnect(save_child, sender=Exhibit)


def test_a_child_that_is_saved_while_its_parent_is(told: Told, alias: str, saves_the_child: Any) -> None:
    """Both are one event, with what each has changed."""
    library = Library(alias)
    saves_the_child()
    told.messages.clear()

    with transaction.atomic(alias):
        library.save(library.exhibit, room="tower")

    assert told.words(LABEL, "room-tower") == ["updated room language entered"]


def test_models_that_are_no_parents() -> None:
    """Nobody listens to their saves."""
    concerned = [model for model in (Product, Book, Bestseller, Exhibit, Manuscript) if bridges_of(model)]

    assert concerned == [Product, Book, Bestseller, Exhibit, Manuscript]
    assert not [model for model in (Supplier, Tag, Shelf) if bridges_of(model)]
