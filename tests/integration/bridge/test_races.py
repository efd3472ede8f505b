"""Two transactions that change one row at the same time: each is told as it was committed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from django.db.models.signals import pre_save

from django_gqlws.bridge.capture import connect
from tests.project.models import Product, Supplier
from tests.support.notes import LIMIT

from .conftest import Told

pytestmark = pytest.mark.usefixtures("bridged")

postgres_alone = pytest.mark.parametrize("database", ["postgres"], indirect=True)
sqlite_alone = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

Change = Callable[[Product], object]

LATER: dict[str, tuple[Change, str]] = {
    "save": (lambda product: product.save(), "updated supplier left"),
    "save of some fields": (lambda product: product.save(update_fields=["supplier"]), "updated supplier left"),
    "update": (
        lambda product: Product.objects.using(product._state.db).update(supplier=product.supplier),
        "updated supplier left",
    ),
    "delete": (lambda product: product.delete(), "deleted"),
}
"""What the second transaction does, and what it means to the group in which the first one has put the row."""


def suppliers(alias: str) -> list[Supplier]:
    return [Supplier.objects.using(alias).create(name=name) for name in "abc"]


def wait_until_it_waits(changing: Future[None], alias: str) -> None:
    """Wait until PostgreSQL keeps somebody waiting, or who was to wait has failed."""
    with connections[alias].cursor() as cursor:
        waiting = 0
        while not waiting and not changing.done():
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            (waiting,) = cursor.fetchone()


@postgres_alone
@pytest.mark.parametrize(("later", "expected"), LATER.values(), ids=LATER)
def test_a_row_that_is_moved_twice(told: Told, alias: str, later: Change, expected: str) -> None:
    """The second move begins where the first one has led, and not where its instance was loaded."""
    first, second, third = suppliers(alias)
    product = Product.objects.using(alias).create(name="pen", supplier=first)

    def change(loaded: Product) -> None:
        loaded.supplier = third
        try:
            with transaction.atomic(alias):
                later(loaded)
        finally:
            connections[alias].close()

    with ThreadPoolExecutor() as pool:
        loaded = Product.objects.using(alias).get(pk=product.pk)
        with transaction.atomic(alias):
            product.supplier = second
            product.save()
            changed = pool.submit(change, loaded)
            wait_until_it_waits(changed, alias)
        changed.result(LIMIT)

    assert told.words(group=f"supplier-{first.pk}") == ["created", "updated supplier left"]
    assert told.words(group=f"supplier-{second.pk}") == ["updated supplier entered", expected]


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


@contextmanager
def before_each_save(receiver: Callable[..., None]) -> Iterator[None]:
    """The receiver is called behind that of the bridge."""
    connect()
    pre_save.connect(receiver, sender=Product)
    yield
    pre_save.disconnect(receiver, sender=Product)


@sqlite_alone
def test_who_writes_between_the_read_and_the_save_on_sqlite(told: Told, alias: str) -> None:
    """Nobody can. Otherwise SQLite would let the save fail: its transaction would have begun by reading."""
    product = Product.objects.using(alias).create(name="pen")
    refused = []

    def write_elsewhere(**_: Any) -> None:
        other = sqlite3.connect(connections[alias].settings_dict["NAME"], timeout=0)
        try:
            other.execute("UPDATE project_product SET stock = 9")
        except sqlite3.OperationalError as error:
            refused.append(str(error))
        other.close()

    with before_each_save(write_elsewhere), transaction.atomic(alias):
        product.name = "ink"
        product.save()

    assert refused == ["database is locked"]
    assert told.words() == ["created", "updated name"]
