"""The field of a `Subscription` in the schema, and what it listens to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine
from functools import partial
from inspect import isawaitable
from typing import Any

import graphene
from asgiref.sync import iscoroutinefunction
from graphql import located_error

from ..broker.mailbox import WhenFull
from ..broker.source import GroupSource
from ..conf import get_settings
from ..counters import counters
from ..execution.info import skip_result
from ..execution.kinds import call, on_loop, runs_on_loop
from ..execution.workers import CancelledTooLate

logger = logging.getLogger(__name__)

# Calls of `unsubscribed` that run; one in a worker thread may go on when it has been cut.
_ending: set[asyncio.Task[None]] = set()


class SubscriptionField(graphene.Field):  # type: ignore[misc]
    """The field of a `Subscription`: graphql-core finds the source stream where it looks for it."""

    def __init__(self, subscription: type[Any], **options: Any) -> None:
        meta = subscription._meta
        super().__init__(meta.output, args=meta.arguments, resolver=_resolver(meta.publish), **options)
        self._subscription = subscription

    def wrap_subscribe(self, parent_subscribe: Any) -> Callable[..., Awaitable[AsyncIterable[Any]]]:
        open_source = partial(_open_source, self._subscription)
        open_source.subscription = self._subscription  # type: ignore[attr-defined]
        return open_source


async def _open_source(subscription: type[Any], root: Any, info: Any, /, **arguments: Any) -> GroupSource:
    meta = subscription._meta

    async def end(timeout: float | None = get_settings().notification_timeout) -> None:
        if meta.unsubscribed is not None:
            await _end(call(meta.unsubscribed, root, info, **arguments), subscription._topic(), timeout)

    groups = None
    if meta.subscribe is not None:
        try:
            groups = await call(meta.subscribe, root, info, **arguments)
        except CancelledTooLate:
            await end()  # `subscribe` returned normally: its counterpart must run.
            raise
    try:
        names = tuple(subscription._group_names(groups))
        share_key = None if meta.share_key is None else await call(meta.share_key, root, info, **arguments)
        hash(share_key)
        when_full = WhenFull(subscription.notification_queue_policy)
    except BaseException:
        await end()
        raise
    limit = subscription.notification_queue_limit
    return GroupSource(
        subscription,
        names,
        tuple(groups or ()),
        limit if limit and limit > 0 else None,
        when_full,
        subscription.shared,
        share_key,
        end if meta.unsubscribed is not None else None,
        meta.name_of,
        None if meta.initial is None else partial(_first_payload, meta.initial, root, info, arguments),
    )


async def _end(unsubscribed: Coroutine[Any, Any, Any], topic: str, timeout: float | None) -> None:
    """Awaits the user's ``unsubscribed``: nobody but the timeout cuts it, and nobody waits for it longer."""
    ending = asyncio.create_task(unsubscribed)
    _ending.add(ending)
    ending.add_done_callback(_ending.discard)
    await asyncio.wait([ending], timeout=timeout or None)
    if not ending.done():
        counters.cut += 1
        logger.warning("%s.unsubscribed took more than %g seconds and was cut.", topic, timeout)
        ending.cancel()
    elif not ending.cancelled() and (error := ending.exception()) is not None:
        logger.error("%s.unsubscribed failed: %r", topic, error, exc_info=error)


async def _first_payload(initial: Callable[..., Any], root: Any, info: Any, arguments: dict[str, Any]) -> Any:
    try:
        return await call(initial, root, info, **arguments)
    except Exception as error:
        raise located_error(error, info.field_nodes, info.path.as_list()) from error


def _resolver(publish: Callable[..., Any]) -> Callable[..., Any]:
    """The root resolver of a notification: the user's ``publish``, sync or async as it is."""

    async def resolve_async(payload: Any, info: Any, **arguments: Any) -> Any:
        return _noted(await publish(payload, info, **arguments), info)

    def resolve(payload: Any, info: Any, **arguments: Any) -> Any:
        result = publish(payload, info, **arguments)
        return _note_later(result, info) if isawaitable(result) else _noted(result, info)

    if iscoroutinefunction(publish):
        return resolve_async
    return on_loop(resolve) if runs_on_loop(publish) else resolve


def _noted(result: Any, info: Any) -> Any:
    if result is None:
        skip_result(info)
    return result


async def _note_later(result: Awaitable[Any], info: Any) -> Any:
    return _noted(await result, info)
