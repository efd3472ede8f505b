"""The executors of a process, and the source streams of subscriptions."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

import graphene
import pytest
from graphql import GraphQLError, MiddlewareManager

from django_gqlws.execution.executor import get_executor
from tests.support.tables import situations
from tests.unit.execution.run import prepare, schema_of


class Query(graphene.ObjectType):
    a = graphene.Int()


class Subscriptions(graphene.ObjectType):
    numbers = graphene.Int(upto=graphene.Int(default_value=3))
    sync_numbers = graphene.Int()
    failing = graphene.Int()
    returning_an_error = graphene.Int()
    not_a_stream = graphene.Int()
    without_subscribe = graphene.Int()

    @staticmethod
    async def subscribe_numbers(root: Any, info: Any, upto: int) -> AsyncIterator[int]:
        for number in range(upto):
            yield number

    @staticmethod
    def subscribe_sync_numbers(root: Any, info: Any) -> AsyncIterator[int]:
        return Subscriptions.subscribe_numbers(root, info, 2)

    @staticmethod
    async def subscribe_failing(root: Any, info: Any) -> Any:
        raise ValueError("a secret")

    @staticmethod
    async def subscribe_returning_an_error(root: Any, info: Any) -> Any:
        return GraphQLError("no")

    @staticmethod
    async def subscribe_not_a_stream(root: Any, info: Any) -> Any:
        return [1, 2]


SCHEMA = schema_of(Query, subscription=Subscriptions)


async def middleware(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
    return resolve(root, info, **arguments)


SAME: dict[str, tuple[Any, Any, Any]] = {
    "without middleware": (SCHEMA, None, []),
    "graphene's and graphql-core's schema": (SCHEMA.graphql_schema, None, None),
    "the same middleware": (SCHEMA, [middleware], (middleware,)),
    "a MiddlewareManager": (SCHEMA, [middleware], MiddlewareManager(middleware)),
}


@pytest.mark.parametrize(("schema", "first", "second"), situations(SAME))
def test_one_executor_for_all_connections(schema: Any, first: Any, second: Any) -> None:
    """A schema and its middleware have one, and with it one cache of documents."""
    assert get_executor(SCHEMA, first) is get_executor(schema, second)


def test_another_middleware() -> None:
    """It has an executor of its own."""
    assert get_executor(SCHEMA, None) is not get_executor(SCHEMA, [middleware])


async def open_source(field: str) -> AsyncIterable[Any]:
    executor = get_executor(SCHEMA, None)
    operation = prepare(executor, f"subscription {{ {field} }}")
    return await executor.open_source(operation, {}, None)


STREAMS = {
    "an async generator": ("numbers", [0, 1, 2]),
    "with an argument": ("numbers(upto: 1)", [0]),
    "a plain function that returns one": ("syncNumbers", [0, 1]),
}


@pytest.mark.parametrize(("field", "values"), situations(STREAMS))
async def test_a_source_stream(field: str, values: list[int]) -> None:
    """It is what the field's `subscribe` makes."""
    assert [value async for value in await open_source(field)] == values


FAILURES: dict[str, tuple[str, str, type[Exception] | None]] = {
    "it raises": ("failing", "a secret", ValueError),
    "it returns an error": ("returningAnError", "no", None),
    "it returns something else": ("notAStream", "Subscription field must return AsyncIterable", None),
    "there is none": ("withoutSubscribe", "Subscription field must return AsyncIterable", None),
}


@pytest.mark.parametrize(("field", "message", "cause"), situations(FAILURES))
async def test_no_source_stream(field: str, message: str, cause: type[Exception] | None) -> None:
    """The error says why and where."""
    with pytest.raises(GraphQLError, match=message) as caught:
        await open_source(field)

    assert caught.value.path == [field]
    assert caught.value.locations
    assert cause is None or isinstance(caught.value.original_error, cause)
