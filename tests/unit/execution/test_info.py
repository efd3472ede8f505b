"""`info` notices every way to the context."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from typing import Any

import graphene
import pytest
from graphql import GraphQLResolveInfo

from django_gqlws import on_loop
from tests.support.tables import situations
from tests.unit.execution.run import execute, schema_of

CONTEXT = GraphQLResolveInfo._fields.index("context")


class Context:
    """Somebody's context, recognised by its name."""

    name = "the context"


Look = Callable[[Any], Any]


def unpacked(info: Any) -> Any:
    _, _, _, _, _, _, _, _, _, _, context, _ = info
    return context


def unpacked_with_star(info: Any) -> Any:
    *_, context, _ = info
    return context


def matched(info: Any) -> Any:
    match info:
        case (*_, context, _):
            return context


def matched_by_attribute(info: Any) -> Any:
    match info:
        case GraphQLResolveInfo(context=context):
            return context


WAYS: dict[str, Look] = {
    "the attribute": lambda info: info.context,
    "getattr": lambda info: getattr(info, "context"),  # noqa: B009
    "attrgetter": operator.attrgetter("context"),
    "an index": lambda info: info[CONTEXT],
    "a negative index": lambda info: info[-2],
    "itemgetter": operator.itemgetter(CONTEXT),
    "a slice": lambda info: info[CONTEXT:][0],
    "a slice from the end": lambda info: info[-2:][0],
    "a slice backwards": lambda info: info[::-1][1],
    "a full slice": lambda info: info[:][CONTEXT],
    "unpacking": unpacked,
    "unpacking with a star": unpacked_with_star,
    "matching": matched,
    "matching an attribute": matched_by_attribute,
    "arguments": lambda info: (lambda *args: args[CONTEXT])(*info),
    "iteration": lambda info: next(value for value in info if isinstance(value, Context)),
    "tuple()": lambda info: tuple(info)[CONTEXT],
    "list()": lambda info: list(info)[CONTEXT],
    "reversed()": lambda info: list(reversed(info))[1],
    "zip()": lambda info: dict(zip(info._fields, info, strict=True))["context"],
    "_asdict()": lambda info: info._asdict()["context"],
    "_replace()": lambda info: info._replace(field_name="other").context,
    "addition": lambda info: (info + ())[CONTEXT],  # noqa: RUF005
    "addition from the left": lambda info: (() + info)[CONTEXT],  # noqa: RUF005
    "multiplication": lambda info: (info * 2)[CONTEXT],
    "the method of tuple": lambda info: tuple.__getitem__(info, CONTEXT),
    "copy.copy": lambda info: copy.copy(info).context,
    "another info": lambda info: GraphQLResolveInfo(*info).context,
}


async def outcome_of(look: Look, **options: Any) -> Any:
    @on_loop
    def resolve(root: Any, info: Any) -> Any:
        return look(info)

    class Query(graphene.ObjectType):
        looked = graphene.String(resolver=resolve)

    return await execute(schema_of(Query), "{ looked }", context=Context(), **options)


@pytest.mark.parametrize("look", situations(WAYS))
async def test_a_way_to_the_context(look: Look) -> None:
    """It leads to the context, and is noticed."""
    outcome = await outcome_of(lambda info: look(info).name)

    assert (outcome.data, list(outcome.errors)) == ({"looked": "the context"}, [])
    assert outcome.touched


INNOCENT: dict[str, Look] = {
    "nothing": lambda info: None,
    "another attribute": lambda info: info.field_name,
    "all other attributes": lambda info: [getattr(info, name) for name in info._fields if name != "context"] and None,
    "another index": lambda info: info[0],
    "the last index": lambda info: info[-1] and None,
    "a slice before it": lambda info: info[:CONTEXT] and None,
    "its length": len,
    "its truth": bool,
    "a copy": lambda info: copy.copy(info) and None,
    "a copy with a change": lambda info: info._replace(field_name="other").field_name and None,
    "keeping it": lambda info: [info].clear(),
}


@pytest.mark.parametrize("look", situations(INNOCENT))
async def test_what_does_not_reach_the_context(look: Look) -> None:
    """The result may be shared."""
    outcome = await outcome_of(look)

    assert not outcome.errors
    assert not outcome.touched


async def test_a_middleware_that_looks() -> None:
    """It is noticed, also if no resolver looks."""

    async def middleware(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
        assert info.context.name == "the context"
        return resolve(root, info, **arguments)

    outcome = await outcome_of(lambda info: None, middleware=[middleware])

    assert outcome.touched


async def test_a_middleware_that_keeps_info() -> None:
    """What it kept is noticed wherever it is used."""
    kept: list[Any] = []

    async def middleware(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
        kept.append(info)
        return resolve(root, info, **arguments)

    untouched = await outcome_of(lambda info: None, middleware=[middleware])
    touched = await outcome_of(lambda info: kept[-1].context.name, middleware=[middleware])

    assert not untouched.touched
    assert touched.touched


async def test_each_execution_is_watched_by_itself() -> None:
    """One that was touched says nothing about the next."""
    assert (await outcome_of(lambda info: info.context and None)).touched
    assert not (await outcome_of(lambda info: None)).touched


async def test_what_is_kept_of_the_tuple_behind_our_back() -> None:
    """Attributes, items and membership of what stands in the context's place are noticed one by one."""
    looks: dict[str, Look] = {
        "attribute": lambda watch: watch.name,
        "item": lambda watch: watch["name"],
        "membership": lambda watch: "name" in watch,
    }

    class Mapped(dict[str, str]):
        name = "the context"

    for look in looks.values():

        @on_loop
        def resolve(root: Any, info: Any, look: Look = look) -> str:
            return str(look((info + ())[CONTEXT]))  # noqa: RUF005

        class Query(graphene.ObjectType):
            looked = graphene.String(resolver=resolve)

        outcome = await execute(schema_of(Query), "{ looked }", context=Mapped(name="the context"))

        assert outcome.data in ({"looked": "the context"}, {"looked": "True"})
        assert outcome.touched


async def test_somebody_elses_context() -> None:
    """A context of the caller's own may be put into a copy of `info`."""
    outcome = await outcome_of(lambda info: info._replace(context=type("Other", (), {"name": "other"})).context.name)

    assert outcome.data == {"looked": "other"}
