"""Every way of changing a row, noticed by PostgreSQL: what subscribers are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connections

from tests.integration.bridge.conftest import Told
from tests.integration.bridge.test_ways import IN_ONE, WAYS, Shop, Way, committed, savepoint_rolled_back
from tests.project.models import Money, Product
from tests.support.tables import situations

from .conftest import Follower, sql

RAW: dict[str, tuple[list[str], list[str]]] = {
    "insert": (["INSERT INTO project_product SELECT * FROM copies"], ["created", "created"]),
    "insert or update": (
        [
            "INSERT INTO project_product SELECT * FROM project_product UNION ALL SELECT * FROM copies"
            " ON CONFLICT (id) DO UPDATE SET name = 'ink'"
        ],
        ["updated name", "updated name", "created", "created"],
    ),
    "update": (["UPDATE project_product SET name = 'ink', stock = stock + 1"], ["updated name stock"] * 2),
    "update, to the same": (["UPDATE project_product SET name = name"], []),
    "update, a field that is not told": (["UPDATE project_product SET price = 5"], []),
    "update, the key": (
        ["UPDATE project_product SET id = 1000 WHERE name = 'cup'"],
        ["deleted", "created"],
    ),
    "update and delete in one statement": (
        ["WITH gone AS (DELETE FROM project_product WHERE name = 'cup') UPDATE project_product SET stock = 9"
         " WHERE name = 'pen'"],
        ["deleted", "updated stock"],
    ),
    "merge": (
        [
            "MERGE INTO project_product p USING copies c ON p.name = c.name WHEN MATCHED AND p.name = 'pen' THEN DELETE"
            " WHEN MATCHED THEN UPDATE SET stock = 9"
        ],
        ["deleted", "updated stock"],
    ),
    "delete": (["DELETE FROM project_product_tags", "DELETE FROM project_product WHERE name = 'pen'"], ["deleted"]),
    "delete, cascading in the database": (["DELETE FROM project_supplier"], ["deleted"]),
    "truncate": (["TRUNCATE project_product CASCADE"], ["deleted", "deleted"]),
    "relation, insert": (
        ["INSERT INTO project_product_tags (product_id, tag_id) SELECT p.id, t.id FROM project_product p, project_tag t"
         " WHERE t.name = 'new'"],
        ["updated tags"] * 2,
    ),
    "relation, update": (
        ["UPDATE project_product_tags SET tag_id = (SELECT max(id) FROM project_tag)"],
        ["updated tags"],
    ),
    "relation, delete": (["DELETE FROM project_product_tags"], ["updated tags"]),
    "relation, truncate": (["TRUNCATE project_product_tags"], ["updated tags"]),
    "created, updated and deleted": (
        ["INSERT INTO project_product SELECT * FROM copies", "UPDATE project_product SET stock = 9 WHERE id > 1000",
         "DELETE FROM project_product WHERE id > 1000"],
        [],
    ),
    "created and updated": (
        ["INSERT INTO project_product SELECT * FROM copies", "UPDATE project_product SET stock = 9 WHERE id > 1000"],
        ["created", "created"],
    ),
    "to and fro": (["UPDATE project_product SET stock = 9", "UPDATE project_product SET stock = 1"], []),
    "a savepoint is rolled back": (
        ["UPDATE project_product SET name = 'ink'", "SAVEPOINT s", "UPDATE project_product SET stock = 9",
         "ROLLBACK TO s"],
        ["updated name"] * 2,
    ),
}  # fmt: skip
"""Statements of one transaction. ``copies`` has the products with other keys."""


@pytest.mark.parametrize(("way", "expected"), situations({**WAYS, **IN_ONE}))
def test_a_way_through_django(told: Told, relay: Follower, way: Way, expected: list[str]) -> None:
    """It is told as it is by Django's signals, but for a fixture, which is told as well."""
    shop = Shop(relay.using)
    relay.follow()
    told.messages.clear()

    with committed(relay.using):
        way(shop)
    relay.follow()

    assert sorted(told.words()) == (["created"] if way is WAYS["a fixture"][0] else sorted(expected))
    assert len(told.broadcasts("project.Product", "all")) <= 1


@pytest.fixture
def shop(relay: Follower) -> Shop:
    """A pen with a supplier and a tag, and a cup."""
    shop = Shop(relay.using)
    sql(
        relay.using,
        "DELETE FROM project_book",
        "UPDATE project_product SET name = 'cup', stock = 1 WHERE name = 'tale'",
        "CREATE TEMPORARY TABLE IF NOT EXISTS copies (LIKE project_product)",
        "TRUNCATE copies",
        "INSERT INTO copies SELECT * FROM project_product",
        "UPDATE copies SET id = id + 1000",
    )
    relay.follow()
    relay.told.messages.clear()
    return shop


@pytest.mark.parametrize("block", [committed, savepoint_rolled_back])
@pytest.mark.parametrize(("statements", "expected"), situations(RAW))
def test_raw_sql(
    told: Told, relay: Follower, shop: Shop, block: Any, statements: list[str], expected: list[str]
) -> None:
    """It is told as if Django had done it; a TRUNCATE is the deletion of all rows."""
    with block(relay.using):
        sql(relay.using, *statements)
    relay.follow()

    assert sorted(told.words()) == ([] if block is savepoint_rolled_back else sorted(expected))


def test_copy(told: Told, relay: Follower, shop: Shop) -> None:
    """The rows of a COPY are told in one broadcast."""
    with connections[relay.using].cursor() as cursor:
        columns = "id, name, kind, attributes, manual, preview, stock"
        with cursor.copy(f"COPY project_product ({columns}) FROM STDIN") as copy:
            for number in range(50):
                copy.write_row((number + 1000, str(number), "paper", "{}", "", b"", 0))
    relay.follow()

    assert [[row.pk for row in rows] for rows in told.broadcasts("project.Product", "all")] == [
        [number + 1000 for number in range(50)]
    ]


def test_a_row_moves(told: Told, relay: Follower, shop: Shop) -> None:
    """It leaves one group with its values from before, and enters another."""
    old, pk = shop.supplier.pk, shop.product.pk
    sql(
        relay.using,
        "INSERT INTO project_supplier (id, name) VALUES (1000, 'b')",
        "UPDATE project_product SET supplier_id = 1000, name = 'ink' WHERE name = 'pen'",
    )
    relay.follow()

    (left,), (entered,) = told.rows(group=f"supplier-{old}"), told.rows(group="supplier-1000")
    assert left[:4] == (pk, "updated", ["name", "supplier"], "left")
    assert isinstance(left.made, Product)
    assert (left.made.name, left.made.supplier_id) == ("pen", old)
    assert entered == (pk, "updated", ["name", "supplier"], "entered", None)


def test_values_of_all_kinds(told: Told, relay: Follower, settings: Any) -> None:
    """The last values of a row are what Django would have read."""
    settings.GQLWS = {"MODELS": {**settings.GQLWS["MODELS"], "project.Product": {"source": "triggers"}}}
    call_command("gqlws_triggers", database=relay.using, stdout=StringIO())
    values = {
        "name": "a \"b\" 'c' \\ %s %% \n ☃",
        "price": Decimal("12.50"),
        "cost": Money("5", "EUR"),
        "code": UUID(int=7),
        "attributes": {"a": [1, None, "x"], "b": 10**20},
        "added": datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
        "warranty": timedelta(days=-3, seconds=5, microseconds=7),
        "preview": b"\x00\xff",
        "stock": -(2**63),
    }
    with Follower(relay.using, told) as other:
        product = Product.objects.using(relay.using).create(**values)
        pk = product.pk
        Product.objects.using(relay.using).filter(pk=pk).delete()
        other.begin()

    (last,) = (row.made for row in told.rows() if row.event == "deleted" and row.pk == pk)
    assert {name: getattr(last, name) for name in values} == values
