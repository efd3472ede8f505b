"""What an operation selects, and how much of that is kept."""

from __future__ import annotations

from itertools import product

import graphene
from graphql import (
    DirectiveLocation,
    GraphQLArgument,
    GraphQLDirective,
    GraphQLList,
    GraphQLString,
    specified_directives,
)

from django_gqlws.execution.executor import get_executor
from django_gqlws.execution.selection import MAX_VARIANTS
from tests.unit.execution.run import execute, prepare, schema_of


class Query(graphene.ObjectType):
    a = graphene.Int(n=graphene.Int())
    b = graphene.Field(lambda: Query)


SCHEMA = schema_of(Query)


def test_the_same_conditions() -> None:
    """Other variables do not matter: the selected fields are looked up once."""
    operation = prepare(get_executor(SCHEMA, None), "query ($a: Boolean!, $n: Int) { a(n: $n) @skip(if: $a) }")

    assert operation.selected.find({"a": True, "n": 1}) is operation.selected.find({"a": True})
    assert operation.selected.find({"a": True}) is not operation.selected.find({"a": False})


async def test_variables_of_a_directive_of_the_application() -> None:
    """They do not decide what is selected, and may be of any type."""
    tags = GraphQLDirective("tags", [DirectiveLocation.FIELD], {"names": GraphQLArgument(GraphQLList(GraphQLString))})
    schema = graphene.Schema(query=Query, directives=[*specified_directives, tags])
    text = "query ($names: [String]) { a @tags(names: $names) }"
    operation = prepare(get_executor(schema, None), text)

    outcome = await execute(schema, text, {"names": ["x"]}, root={"a": 1})

    assert outcome.data == {"a": 1}
    assert operation.selected.find({"names": ["x"]}) is operation.selected.find({"names": ["y"]})


async def test_more_conditions_than_are_kept() -> None:
    """A client may try them all: each execution has its fields, and memory has a bound."""
    names = ["a", "b", "c", "d", "e"]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    text = f"query ({declared}) {{ b {{ {' '.join(f'{name}: a @include(if: ${name})' for name in names)} }} }}"
    operation = prepare(get_executor(SCHEMA, None), text)

    for values in product([True, False], repeat=5):
        outcome = await execute(SCHEMA, text, dict(zip(names, values, strict=True)), root={"b": {"a": 1}})

        assert outcome.data == {"b": {name: 1 for name, value in zip(names, values, strict=True) if value}}
    assert len(operation.selected._known) == MAX_VARIANTS
