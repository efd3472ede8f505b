"""Which functions may run on the event loop, and which need a worker thread.

==============================================  =====================================================
``async def``                                   on the loop
graphene's and graphql-core's default resolver  on the loop, unless it would make a Django model query
marked with ``@on_loop``                        on the loop
any other function                              in a worker thread: it might block, it might use the ORM
==============================================  =====================================================

A plain function that returns an awaitable (``return loader.load(key)``) counts as "any other": it is called in
the worker thread, where ``asyncio.get_event_loop()`` works, and its result is awaited on the loop. One that
needs the *running* loop is what ``@on_loop`` is for.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from functools import lru_cache, partial
from inspect import isasyncgenfunction
from types import CoroutineType
from typing import Any, TypeVar

from asgiref.sync import iscoroutinefunction
from django.db.models import Model
from graphene.types.resolver import attr_resolver, dict_or_attr_resolver, dict_resolver
from graphene.types.schema import identity_resolve
from graphql import default_field_resolver
from graphql.pyutils import is_awaitable

from . import workers
from .connections import close_old_async_connections

F = TypeVar("F", bound=Callable[..., Any])

_DEFAULT_RESOLVERS = (attr_resolver, dict_resolver, dict_or_attr_resolver)

# Library resolvers that only read what is already there. Named, because the core imports no graphene-django.
_QUICK = {"graphene_django.types.DjangoObjectType.resolve_id"}


def on_loop(function: F) -> F:
    """Marks a plain function that never blocks, or needs the running event loop: it is called on the loop."""
    function.gqlws_on_loop = True  # type: ignore[attr-defined]
    return function


def runs_on_loop(function: Callable[..., Any]) -> bool:
    """Whether a function may be called on the event loop."""
    while isinstance(function, partial):
        if getattr(function, "gqlws_on_loop", False):
            return True
        function = function.func
    return _runs_on_loop(getattr(function, "__func__", function))


@lru_cache(maxsize=4096)
def _runs_on_loop(function: Callable[..., Any]) -> bool:
    return (
        iscoroutinefunction(function)
        or isasyncgenfunction(function)
        or function in (identity_resolve, default_field_resolver)
        or getattr(function, "gqlws_on_loop", False)
        or f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}" in _QUICK
    )


def default_attribute(resolver: Callable[..., Any] | None, field_name: str) -> str | None:
    """The attribute that a default resolver reads from the parent value; None for the user's own resolvers."""
    if resolver is None or resolver is default_field_resolver:
        return field_name
    if isinstance(resolver, partial) and only_reads(resolver):
        return str(resolver.args[0])
    return None


def only_reads(resolver: Callable[..., Any]) -> bool:
    """Whether a resolver reads its parent value and looks at nothing else, ``info`` included."""
    return isinstance(resolver, partial) and resolver.func in _DEFAULT_RESOLVERS


def is_loaded(instance: Model, attribute: str) -> bool:
    """Whether reading the attribute of a Django model is sure to make no query."""
    return attribute in instance.__dict__ or attribute in instance._state.fields_cache or attribute == "pk"


async def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Calls the user's function where it belongs, and awaits what it returns if that is awaitable."""
    if runs_on_loop(function):
        result = function(*args, **kwargs)
    else:
        result = await _call_in_worker(partial(function, *args, **kwargs))
    if not is_awaitable(result):
        return result
    try:
        return await result
    finally:
        close_old_async_connections()


def guard(function: Callable[..., Any]) -> Callable[..., Any]:
    """A resolver or middleware that may be called anywhere: what needs a worker thread goes there by itself."""
    attribute = default_attribute(function, "")
    if attribute is None and runs_on_loop(function):
        return function

    def guarded(first: Any, *args: Any, **kwargs: Any) -> Any | Awaitable[Any]:
        if workers.in_worker() or (attribute is not None and not isinstance(first, Model)):
            return function(first, *args, **kwargs)
        return _hop(function, first, *args, **kwargs)

    return guarded


async def _hop(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    result = await _call_in_worker(partial(function, *args, **kwargs))
    return await result if is_awaitable(result) else result


async def _call_in_worker(function: Callable[[], Any]) -> Any:
    try:
        return await workers.run(function)
    except workers.CancelledTooLate as late:
        if not is_awaitable(late.result):
            raise
        # It was in time: what matters is still to be awaited, and nobody will.
        if isinstance(late.result, CoroutineType):
            late.result.close()
        raise CancelledError from None
