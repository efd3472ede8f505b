"""Random transactions: who replays what was told has the same rows."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_gqlws.bridge.rows import RowEvent, RowMove
from tests.project.models import Product, Supplier

from .conftest import Told

pytestmark = pytest.mark.usefixtures("bridged")

ROWS, SUPPLIERS = 4, 2

Step = tuple[str, Any, Any]

number = st.integers(0, ROWS - 1)
single = st.one_of(
    st.tuples(st.just("save"), number, st.tuples(st.sampled_from("xyz"), st.integers(0, SUPPLIERS - 1))),
    st.tuples(st.just("move"), number, st.integers(0, SUPPLIERS - 1)),
    st.tuples(st.just("update"), st.sampled_from("xyz"), st.sampled_from("xyz")),
    st.tuples(st.just("create"), st.sets(number, min_size=1), st.sampled_from("xyz")),
    st.tuples(st.just("delete"), number, st.none()),
    st.tuples(st.just("delete supplier"), st.integers(0, SUPPLIERS - 1), st.none()),
)
steps = st.recursive(
    single,
    lambda inner: st.tuples(st.just("block"), st.booleans(), st.lists(inner, max_size=5)),
    max_leaves=15,
)


class Undone(Exception):
    """Ends a block without its commit."""


def take(step: Step, alias: str) -> None:
    """Change something. Rows and suppliers have keys from a small range, so that they meet again."""
    kind, one, other = step
    products, suppliers = Product.objects.using(alias), Supplier.objects.using(alias)
    if kind == "block":
        with suppress(Undone), transaction.atomic(alias):
            for inner in other:
                take(inner, alias)
            if not one:
                raise Undone
    elif kind == "save":
        supplier, _ = suppliers.get_or_create(pk=other[1] + 1, defaults={"name": "s"})
        Product(pk=one + 1, name=other[0], supplier=supplier).save(using=alias)
    elif kind == "move":
        for product in products.filter(pk=one + 1):
            product.supplier, _ = suppliers.get_or_create(pk=other + 1, defaults={"name": "s"})
            product.save(update_fields=["supplier"])
    elif kind == "update":
        products.filter(name=one).update(name=other, supplier=suppliers.order_by("pk").values("pk")[:1])
    elif kind == "create":
        products.bulk_create([Product(pk=pk + 1, name=other) for pk in one], ignore_conflicts=True)
    elif kind == "delete":
        Product(pk=one + 1).delete(using=alias)
    else:
        suppliers.filter(pk=one + 1).delete()


def committed(alias: str, **values: Any) -> dict[Any, tuple[str, Any]]:
    """The rows with these values."""
    rows = Product.objects.using(alias).filter(**values)
    return {product.pk: (product.name, product.supplier_id) for product in rows}


class Mirror(dict[Any, Any]):
    """The rows of a group, as somebody has them who was told of changes and has looked only at what was told of."""

    def __init__(self, group: str, **values: Any) -> None:
        super().__init__()
        self.group = group
        self.values_ = values

    def follow(self, told: Told, alias: str) -> None:
        """Take in what is new; nothing is told that does not fit."""
        for row in told.rows(group=self.group):
            comes = row.event == RowEvent.CREATED or row.move == RowMove.ENTERED
            assert (row.pk in self) is not comes
            if row.event == RowEvent.DELETED or row.move == RowMove.LEFT:
                last = self.pop(row.pk)
                assert isinstance(row.made, Model)
                assert (row.made.name, row.made.supplier_id) == last  # type: ignore[attr-defined]
            else:
                self[row.pk] = committed(alias)[row.pk]
        assert self == committed(alias, **self.values_)


@given(st.lists(steps, max_size=6))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_a_mirror(told: Told, alias: str, script: list[Step]) -> None:
    """After each transaction, whoever follows a group has exactly its rows."""
    Supplier.objects.using(alias).all().delete()
    Product.objects.using(alias).all().delete()
    told.messages.clear()
    mirrors = [Mirror("all"), *(Mirror(f"supplier-{pk}", supplier_id=pk) for pk in (1, 2))]

    for step in script:
        # One transaction each, so that what is told can be looked up as of its commit.
        take(("block", True, [step]), alias)
        for mirror in mirrors:
            mirror.follow(told, alias)
        told.messages.clear()
