"""Two transactions that change one row at the same time: each is told as it was committed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from pytest_django import Settings

from tests.project.models import Book, Manuscript, Product, Shelf, Supplier, Tag
from tests.support.notes import LIMIT

from .conftest import PRODUCT, Told

pytestmark = pytest.mark.usefixtures("bridged")

postgres_alone = pytest.mark.parametrize("database", ["postgres"], indirect=True)
sqlite_alone = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

Change = Callable[[Product], object]


def save_child(product: Product, **options: Any) -> None:
    child = Manuscript.objects.using(product._state.db).get(pk=product.pk)
    child.supplier = product.supplier
    child.save(**options)


LATER: dict[str, tuple[type[Product], Change, str]] = {
    "save": (Product, lambda product: product.save(), "updated supplier left"),
    "save of some fields": (Product, lambda product: product.save(update_fields=["supplier"]), "updated supplier left"),
    "update": (
        Product,
        lambda product: Product.objects.using(product._state.db).update(supplier=product.supplier),
        "updated supplier left",
    ),
    "delete": (Product, lambda product: product.delete(), "deleted"),
    "of a child, save": (Manuscript, save_child, "updated supplier left"),
    "of a child, save of some fields": (
        Manuscript,
        partial(save_child, update_fields=["supplier"]),
        "updated supplier left",
    ),
    "of a child, save of its parent": (Manuscript, lambda product: product.save(), "updated supplier left"),
    "of a child, delete": (
        Manuscript,
        lambda product: Manuscript.objects.using(product._state.db).get(pk=product.pk).delete(),
        "deleted",
    ),
}
"""The bridged model, what the second transaction does to the product, and what that means to the group in which the
first one has put the row."""


def suppliers(alias: str) -> list[Supplier]:
    return [Supplier.objects.using(alias).create(name=name) for name in "abc"]


def in_transaction_of_a_thread(alias: str, change: Callable[[], object]) -> None:
    """What a thread of a pool does: its connection goes with it."""
    try:
        with transaction.atomic(alias):
            change()
    finally:
        connections[alias].close()


def wait_until_it_waits(changing: Future[None], alias: str) -> None:
    """Wait until PostgreSQL keeps somebody waiting, or who was to wait has failed."""
    with connections[alias].cursor() as cursor:
        waiting = 0
        while not waiting and not changing.done():
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            (waiting,) = cursor.fetchone()


@postgres_alone
@pytest.mark.parametrize(("model", "later", "expected"), LATER.values(), ids=LATER)
def test_a_row_that_is_moved_twice(
    told: Told, alias: str, settings: Settings, model: type[Product], later: Change, expected: str
) -> None:
    """The second move begins where the first one has led, and not where its instance was loaded."""
    label = model._meta.label
    settings.GQLWS = {**settings.GQLWS, "MODELS": {label: PRODUCT}}
    first, second, third = suppliers(alias)
    product = model._base_manager.using(alias).create(name="pen", supplier=first)

    def change(loaded: Product) -> None:
        loaded.supplier = third
        in_transaction_of_a_thread(alias, partial(later, loaded))

    with ThreadPoolExecutor() as pool:
        loaded = Product.objects.using(alias).get(pk=product.pk)
        with transaction.atomic(alias):
            product.supplier = second
            product.save()
            changed = pool.submit(change, loaded)
            wait_until_it_waits(changed, alias)
        changed.result(LIMIT)

    assert told.words(label, f"supplier-{first.pk}") == ["created", "updated supplier left"]
    # Two connections: which of them tells first is open.
    assert sorted(told.words(label, f"supplier-{second.pk}")) == sorted(["updated supplier entered", expected])


@postgres_alone
def test_a_save_that_does_not_get_its_lock(told: Told, alias: str) -> None:
    """It fails with PostgreSQL's own error, as it would without the bridge, and so it can be tried again."""
    product = Product.objects.using(alias).create(name="pen")

    def save() -> None:
        try:
            with transaction.atomic(alias), connections[alias].cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '10ms'")
                product.save()
        finally:
            connections[alias].close()

    with ThreadPoolExecutor() as pool, transaction.atomic(alias):
        Product.objects.using(alias).select_for_update().get(pk=product.pk)
        with pytest.raises(OperationalError, match="lock timeout"):
            pool.submit(save).result(LIMIT)

    assert told.words() == ["created"]


@postgres_alone
def test_a_row_that_an_update_would_find_since(told: Told, alias: str) -> None:
    """It is left alone: whatever an update changes is told."""
    first, second, _ = suppliers(alias)
    moved = Product.objects.using(alias).create(name="pen", supplier=first)
    there = Product.objects.using(alias).create(name="ink", supplier=second)

    def update() -> int:
        try:
            return int(Product.objects.using(alias).filter(supplier=second).update(name="new"))
        finally:
            connections[alias].close()

    with ThreadPoolExecutor() as pool:
        with transaction.atomic(alias):
            there.save()
            moved.supplier = second
            moved.save()
            updated = pool.submit(update)
            wait_until_it_waits(updated, alias)
        count = updated.result(LIMIT)

    moved.refresh_from_db()
    assert (count, moved.name) == (1, "pen")
    told_second = told.words(group=f"supplier-{second.pk}")
    assert sorted(told_second) == ["created", "updated name", "updated supplier entered"]


def save_pages(book: Book) -> None:
    book.pages = 5
    book.save(update_fields=["pages"])


ELSEWHERE: dict[str, tuple[str, Callable[[Book], object]]] = {
    "what it is related to is deleted": (
        "project.Product",
        lambda book: Tag.objects.using(book._state.db).get().delete(),
    ),
    "a column of its child is saved": ("project.Product", save_pages),
    "a column of the child that is bridged is saved": ("project.Book", save_pages),
}
"""The bridged model, and what is done while somebody else has the product."""


@postgres_alone
@pytest.mark.parametrize(("label", "change"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_change_that_leaves_the_row_alone(
    told: Told, alias: str, settings: Settings, label: str, change: Callable[[Book], object]
) -> None:
    """It does not wait for who has changed the row: there is no lock that it would not need without the bridge."""
    settings.GQLWS = {**settings.GQLWS, "MODELS": {label: {}}}
    book = Book.objects.using(alias).create(name="pen")
    book.tags.add(Tag.objects.using(alias).create(name="red"))

    def change_elsewhere() -> None:
        try:
            with transaction.atomic(alias), connections[alias].cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '100ms'")
                change(book)
        finally:
            connections[alias].close()

    with ThreadPoolExecutor() as pool, transaction.atomic(alias):
        Product.objects.using(alias).get(pk=book.pk).save()
        pool.submit(change_elsewhere).result(LIMIT)


Write = Callable[[Manuscript], object]

IN_ORDER: dict[str, tuple[dict[str, dict[str, Any]], Write, Write]] = {
    "save, of which the last table counts": (
        {"project.Book": {"fields": ["pages"]}},
        lambda manuscript: manuscript.save(update_fields=["name"]),
        lambda manuscript: manuscript.save(),
    ),
    "save of some fields": (
        {"project.Book": {"fields": ["pages"]}},
        lambda manuscript: manuscript.save(update_fields=["name"]),
        lambda manuscript: manuscript.save(update_fields=["name", "pages"]),
    ),
    "save, of which a second parent counts": (
        {"project.Exhibit": {}},
        lambda manuscript: manuscript.save(update_fields=["name"]),
        lambda manuscript: manuscript.save(),
    ),
    "save, of which several models count": (
        {"project.Exhibit": {}, "project.Product": {"fields": ["name"]}, "project.Manuscript": {"fields": ["room"]}},
        lambda manuscript: manuscript.save(update_fields=["name"]),
        lambda manuscript: manuscript.save(),
    ),
    "delete": (
        {"project.Manuscript": {"fields": ["name", "language"]}},
        lambda manuscript: manuscript.save(update_fields=["language"]),
        lambda manuscript: manuscript.delete(),
    ),
}
"""The bridged models, the table of a manuscript that one transaction writes first, and what two then do."""


@postgres_alone
@pytest.mark.parametrize(("models", "begin", "change"), IN_ORDER.values(), ids=IN_ORDER)
def test_two_who_change_the_row_of_a_child(
    told: Told,
    alias: str,
    settings: Settings,
    models: dict[str, dict[str, Any]],
    begin: Write,
    change: Write,
) -> None:
    """Its tables are held in the order in which Django writes them: nobody waits for who waits for him."""
    settings.GQLWS = {**settings.GQLWS, "MODELS": models}
    key = Manuscript.objects.using(alias).create(name="psalms", room="crypt").pk
    manuscript, same = (Manuscript.objects.using(alias).get(pk=key) for _ in "ab")

    with ThreadPoolExecutor() as pool:
        with transaction.atomic(alias):
            begin(manuscript)
            changed = pool.submit(in_transaction_of_a_thread, alias, partial(change, same))
            wait_until_it_waits(changed, alias)
            change(manuscript)
        changed.result(LIMIT)


def save_in_transaction(product: Product) -> None:
    with transaction.atomic(product._state.db):
        product.save()


ON_SQLITE: dict[str, Change] = {
    "save": save_in_transaction,
    "update": lambda product: Product.objects.using(product._state.db).filter(name="pen").update(stock=2),
    "delete": lambda product: product.delete(),
    "deletion of what it is related to": lambda product: Tag.objects.using(product._state.db).get().delete(),
}


@sqlite_alone
@pytest.mark.parametrize("change", ON_SQLITE.values(), ids=ON_SQLITE)
def test_who_writes_between_the_read_and_the_change_on_sqlite(told: Told, alias: str, change: Change) -> None:
    """Nobody can. Otherwise SQLite would let the change fail: its transaction would have begun by reading."""
    product = Product.objects.using(alias).create(name="pen")
    product.tags.add(Tag.objects.using(alias).create(name="red"))
    attempts = []

    def write_elsewhere(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        result = execute(sql, *arguments)
        if connections[alias].in_atomic_block and sql.startswith("SELECT"):
            with closing(sqlite3.connect(connections[alias].settings_dict["NAME"], timeout=0)) as other:
                try:
                    other.execute("BEGIN IMMEDIATE")
                    attempts.append(sql)
                except sqlite3.OperationalError as error:
                    attempts.append(str(error))
        return result

    with connections[alias].execute_wrapper(write_elsewhere):
        change(product)

    assert set(attempts) == {"database is locked"}
    assert len(told.words()) >= 2


def test_a_row_with_a_composite_key_that_changes_in_a_transaction(told: Told, alias: str) -> None:
    """It is held, and told of, as any other."""
    with transaction.atomic(alias):
        shelf = Shelf.objects.using(alias).create(aisle=1, number=2)
    with transaction.atomic(alias):
        shelf.delete()

    assert told.words("project.Shelf") == ["created", "deleted"]
