"""Which functions run on the event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial, wraps
from typing import Any

import pytest
from graphene.types.resolver import dict_or_attr_resolver
from graphql import default_field_resolver

from django_gqlws import on_loop
from django_gqlws.execution.kinds import call, default_attribute, guard, is_loaded, runs_on_loop
from tests.project.models import Product, Supplier
from tests.support.tables import situations
from tests.unit.execution.run import Hops, on_the_loop


def plain(*args: Any) -> bool:
    return on_the_loop()


async def coroutine(*args: Any) -> bool:
    return on_the_loop()


async def generator(*args: Any) -> AsyncIterator[int]:
    yield 1


@on_loop
def marked(*args: Any) -> bool:
    return on_the_loop()


@wraps(coroutine)
def decorated(*args: Any) -> Any:
    return coroutine(*args)


class Resolvers:
    def method(self) -> bool:
        return on_the_loop()

    async def async_method(self) -> bool:
        return on_the_loop()

    @on_loop
    def marked_method(self) -> bool:
        return on_the_loop()

    @staticmethod
    async def async_static() -> bool:
        return on_the_loop()

    @classmethod
    async def async_class(cls) -> bool:
        return on_the_loop()

    def __call__(self) -> bool:
        return on_the_loop()


KINDS: dict[str, tuple[Callable[..., Any], bool]] = {
    "a plain function": (plain, False),
    "async def": (coroutine, True),
    "an async generator": (generator, True),
    "a marked function": (marked, True),
    "a partial of a plain function": (partial(plain, 1), False),
    "a partial of an async function": (partial(partial(coroutine, 1), 2), True),
    "a plain wrapper around an async function": (decorated, False),
    "a bound method": (Resolvers().method, False),
    "a bound async method": (Resolvers().async_method, True),
    "a bound marked method": (Resolvers().marked_method, True),
    "an async static method": (Resolvers.async_static, True),
    "an async class method": (Resolvers.async_class, True),
    "a callable object": (Resolvers(), False),
    "graphql-core's default resolver": (default_field_resolver, True),
    "a builtin": (len, False),
}


@pytest.mark.parametrize(("function", "expected"), situations(KINDS))
def test_where_a_function_runs(function: Callable[..., Any], expected: bool) -> None:
    """On the loop only where it is sure not to block."""
    assert runs_on_loop(function) is expected


CALLS: dict[str, tuple[Callable[..., Any], bool, int]] = {
    "a plain function": (plain, False, 1),
    "an async function": (coroutine, True, 0),
    "a marked function": (marked, True, 0),
    "a plain function that returns an awaitable": (decorated, True, 1),
}


@pytest.mark.parametrize(("function", "sees_loop", "expected_hops"), situations(CALLS))
async def test_calling_a_function_of_the_user(
    hops: Hops, function: Callable[..., Any], sees_loop: bool, expected_hops: int
) -> None:
    """It runs where it belongs, and what it returns is awaited on the loop."""
    assert await call(function) is sees_loop
    assert hops.count == expected_hops


@pytest.mark.parametrize(("function", "sees_loop", "expected_hops"), situations(CALLS))
async def test_a_guarded_function(
    hops: Hops, function: Callable[..., Any], sees_loop: bool, expected_hops: int
) -> None:
    """It may be called anywhere: a thread hop comes by itself."""
    result = guard(function)("root")

    assert (result if isinstance(result, bool) else await result) is sees_loop
    assert hops.count == expected_hops


DEFAULTS: dict[str, tuple[Callable[..., Any] | None, str | None]] = {
    "no resolver": (None, "name"),
    "graphql-core's": (default_field_resolver, "name"),
    "graphene's": (partial(dict_or_attr_resolver, "attribute", None), "attribute"),
    "the user's": (plain, None),
    "a partial of the user's": (partial(plain, "attribute"), None),
}


@pytest.mark.parametrize(("resolver", "attribute"), situations(DEFAULTS))
def test_the_attribute_that_a_default_resolver_reads(
    resolver: Callable[..., Any] | None, attribute: str | None
) -> None:
    """None for a function of the user."""
    assert default_attribute(resolver, "name") == attribute


def test_what_a_model_has_loaded() -> None:
    """Its own fields and cached relations; reading others makes a query."""
    product = Product(name="pen", supplier_id=1)
    assert [is_loaded(product, name) for name in ("name", "supplier_id", "pk")] == [True, True, True]
    assert [is_loaded(product, name) for name in ("supplier", "tags", "shelf")] == [False, False, False]

    product.supplier = Supplier(name="maker")

    assert is_loaded(product, "supplier")
