"""Documents are parsed and validated once."""

from __future__ import annotations

import asyncio
from typing import Any

import graphene
import pytest
from graphql import parse
from graphql.execution.values import get_variable_values

from django_gqlws.execution import documents
from django_gqlws.execution.documents import LIGHT_CHARACTERS, Document, DocumentCache, Operation
from tests.support.tables import situations
from tests.unit.execution.run import Hops, schema_of


class Query(graphene.ObjectType):
    a = graphene.Int(n=graphene.Int(), required_n=graphene.Int())


SCHEMA = schema_of(Query).graphql_schema


def cache() -> DocumentCache:
    return DocumentCache(SCHEMA)


def find(known: DocumentCache, text: str) -> Document:
    document = known.find(text)
    assert document is not None
    return document


def heavy(text: str = "{ a }") -> str:
    return text + "#" * LIGHT_CHARACTERS


@pytest.mark.parametrize("text", ["{ a }", "{ missing }", "{"])
def test_a_document_that_was_seen_before(text: str) -> None:
    """It is the same object, also if it is invalid."""
    known = cache()

    assert find(known, text) is find(known, text)


def test_the_number_of_documents_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was not used for the longest time goes."""
    monkeypatch.setattr(documents, "MAX_DOCUMENTS", 2)
    known = cache()
    first, second = find(known, "{ a }"), find(known, "{ b }")
    find(known, "{ a }")

    find(known, "{ c }")

    assert find(known, "{ a }") is first
    assert find(known, "{ b }") is not second


def test_the_size_of_all_documents_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long one displaces short ones, and one that is too long for the whole cache is still answered."""
    monkeypatch.setattr(documents, "MAX_CHARACTERS", 20)
    known = cache()
    short = find(known, "{ a }")

    assert find(known, "{ a } # 123456789012").operations
    assert find(known, "{ a }") is not short
    assert find(known, "{ a } # 1234567890123456789").operations


async def test_a_heavy_document_is_read_off_the_loop(hops: Hops) -> None:
    """It is not read by `find`, but in a worker thread, and known from then on."""
    known = cache()
    assert known.find(heavy()) is None

    document = await known.read(heavy())

    assert document.operations
    assert known.find(heavy()) is document
    assert hops.count == 1


async def test_the_same_heavy_document_twice_at_once() -> None:
    """Both get an answer, and the cache counts it once."""
    known = cache()

    first, second = await asyncio.gather(known.read(heavy()), known.read(heavy()))

    assert first.operations
    assert second.operations
    assert known.find(heavy()) in (first, second)


async def test_an_error_in_a_heavy_document() -> None:
    """It is reported like any other."""
    document = await cache().read(heavy("{"))

    assert [error.message for error in document.errors] == ["Syntax Error: Expected Name, found <EOF>."]


INVALID = {
    "syntax": ("{", ["Syntax Error: Expected Name, found <EOF>."]),
    "empty": ("", ["Syntax Error: Unexpected <EOF>."]),
    "validation: all of them": (
        "{ first second }",
        ["Cannot query field 'first' on type 'Query'.", "Cannot query field 'second' on type 'Query'."],
    ),
    "fragments in a circle": (
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        ["Cannot spread fragment 'A' within itself via 'B'."],
    ),
}


@pytest.mark.parametrize(("text", "messages"), situations(INVALID))
def test_an_invalid_document(text: str, messages: list[str]) -> None:
    """It gives its errors instead of an operation."""
    errors = find(cache(), text).select(None)

    assert isinstance(errors, list)
    assert [error.message for error in errors] == messages


@pytest.mark.parametrize("text", ["{a" * 300, "{ a(n: " + "[" * 300, "{ a " + "...{a " * 100], ids=len)
async def test_a_document_that_nests_deeply(text: str) -> None:
    """It is an error like any other."""
    assert (await cache().read(text)).errors


async def test_a_document_that_nests_100_000_levels() -> None:
    """It is an error like any other."""
    document = await cache().read("{a" * 100_000)

    assert document.errors


TWO = "query A { a } query B { b: a }"
FRAGMENTS_ONLY = "fragment F on Query { a }"
SELECTIONS: dict[str, tuple[str, str | None, str | None, str | None]] = {
    "the only one": ("query A { a }", None, "A", None),
    "the only one, without a name": ("{ a }", None, None, None),
    "by its name": (TWO, "B", "B", None),
    "no name, two operations": (
        TWO,
        None,
        None,
        "Must provide operation name if query contains multiple operations.",
    ),
    "an unknown name": (TWO, "C", None, "Unknown operation named 'C'."),
    "an empty name": (TWO, "", None, "Unknown operation named ''."),
    "a name where there are none": ("{ a }", "A", None, "Unknown operation named 'A'."),
}


@pytest.mark.parametrize(("text", "name", "selected", "message"), situations(SELECTIONS))
def test_which_operation_runs(text: str, name: str | None, selected: str | None, message: str | None) -> None:
    """The only one, or the one that is named."""
    operation = find(cache(), text).select(name)

    if isinstance(operation, Operation):
        assert (operation.name, message) == (selected, None)
    else:
        assert [error.message for error in operation] == [message]


def test_a_document_of_fragments_only() -> None:
    """There is nothing to run."""
    assert isinstance(find(cache(), FRAGMENTS_ONLY).select(None), list)


VARIABLES: dict[str, tuple[str, dict[str, Any], object]] = {
    "as they are": ("query ($n: Int) { a(n: $n) }", {"n": 1}, {"n": 1}),
    "a default": ("query ($n: Int = 2) { a(n: $n) }", {}, {"n": 2}),
    "unknown ones": ("query ($n: Int) { a(n: $n) }", {"m": 1}, {}),
    "a wrong type": ("query ($n: Int) { a(n: $n) }", {"n": "1"}, 1),
    "a missing one": ("query ($n: Int!) { a(n: $n) }", {}, 1),
    "an integer beyond the type": ("query ($n: Int) { a(n: $n) }", {"n": 10**30}, 1),
    "two wrong ones": ("query ($n: Int!, $m: Int!) { a(n: $n, requiredN: $m) }", {"m": "x"}, 2),
}


@pytest.mark.parametrize(("text", "given", "expected"), situations(VARIABLES))
def test_variables(text: str, given: dict[str, Any], expected: object) -> None:
    """Coerced to the schema's types, or all that is wrong with them."""
    operation = find(cache(), text).select(None)
    assert isinstance(operation, Operation)

    variables = operation.coerce_variables(given)

    assert (len(variables) if isinstance(variables, list) else variables) == expected


KINDS = ("String", "String!", "ID", "Boolean!", "Int", "Int!", "Float", "[String]", 'String = "d"')
GIVEN = (
    {},
    *({"v": value} for value in ("a", "", True, 1, 0.0, None, ["a"], "\ud800")),
    *({"v": value} for value in (2**31 - 1, 2**31, -(2**31), -(2**31) - 1)),
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given", GIVEN, ids=repr)
def test_variables_of_plain_types(kind: str, given: dict[str, Any]) -> None:
    """They are what graphql-core makes of them, with fewer detours."""
    [operation] = cache()._operations(parse(f"query ($v: {kind}, $s: String) {{ a }}")).values()
    expected = get_variable_values(SCHEMA, operation.node.variable_definitions, {**given, "s": "s"})

    variables = operation.coerce_variables({**given, "s": "s"})

    assert repr(variables) == repr(expected)
