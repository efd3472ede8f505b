"""Which parts of an operation need a worker thread, found once per document."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import graphene
import pytest

from django_gqlws.execution.documents import DocumentCache, Operation
from django_gqlws.execution.plan import Plan
from tests.project.models import Product, Supplier
from tests.support.tables import situations
from tests.unit.execution.run import schema_of


class Query(graphene.ObjectType):
    name = graphene.String()
    sync_one = graphene.String()
    async_one = graphene.String()
    supplier = graphene.Field(lambda: Query)

    @staticmethod
    def resolve_sync_one(root: Any, info: Any) -> str:
        return ""

    @staticmethod
    async def resolve_async_one(root: Any, info: Any) -> str:
        return ""


def plan_of(text: str, every_field_blocks: bool = False) -> tuple[Plan, Operation]:
    document = DocumentCache(schema_of(Query).graphql_schema, every_field_blocks).find(text)
    assert document is not None
    operation = document.select(None)
    assert isinstance(operation, Operation), operation
    return operation.plan, operation


STARTS = {
    "async": ("{ asyncOne }", False),
    "default": ("{ name }", False),
    "sync": ("{ asyncOne syncOne }", True),
    "sync below a default": ("{ supplier { syncOne } }", True),
    "async below a default": ("{ supplier { asyncOne } }", False),
    "sync in a fragment": ("{ ...F } fragment F on Query { syncOne }", True),
    "typename": ("{ __typename }", False),
    "introspection": ("{ __schema { types { name } } }", True),
    "introspection of one type": ('{ __type(name: "Query") { name } }', True),
}


@pytest.mark.parametrize(("text", "in_worker"), situations(STARTS))
def test_where_an_operation_starts(text: str, in_worker: bool) -> None:
    """In a worker thread if sync resolvers follow, or if it is long work for the loop."""
    assert plan_of(text)[0].starts_in_worker is in_worker


def test_sync_middleware() -> None:
    """It makes every operation start in a worker thread."""
    assert plan_of("{ asyncOne }", every_field_blocks=True)[0].starts_in_worker


def test_fragments_that_spread_fragments() -> None:
    """They are looked at once each, not 2 ** 60 times."""
    names = [f"F{number}" for number in range(60)]
    fragments = [f"fragment {a} on Query {{ ...{b} x: name ...{b} }}" for a, b in pairwise(names)]
    heavy = " ".join(["{ ...F0 }", *fragments, "fragment F59 on Query { syncOne }"])
    cache = DocumentCache(schema_of(Query).graphql_schema)

    operation = cache._read(heavy).select(None)

    assert isinstance(operation, Operation)
    assert operation.plan.starts_in_worker


def test_models_whose_default_resolvers_would_query() -> None:
    """Only what the document reads counts, and only what is not loaded."""
    plan, operation = plan_of("{ supplier { name supplier { name } } }")
    outer: Any = operation.node.selection_set.selections[0]
    loaded = Product(name="pen", supplier=Supplier(name="maker"))

    assert plan.queries(Product(name="pen", supplier_id=1), [outer])
    assert not plan.queries(loaded, [outer])
    assert not plan.queries(Product(name="pen", supplier_id=1), [outer.selection_set.selections[1]])
