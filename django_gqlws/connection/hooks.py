"""What an application may have its say in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..execution.kinds import call

Prepare = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Called before each operation with its id and payload; returns what belongs into its context, or raises."""


class Hooks:
    """Each hook may be async or plain. A hook that is not overridden costs nothing."""

    async def on_connect(self, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Called after ``connection_init``. An exception refuses the client; a dict becomes the payload of the ack."""
        return None

    async def on_operation(self, op_id: str, payload: Mapping[str, Any]) -> None:
        """Called before each operation, with its id and the payload of its message. A GraphQLError refuses it."""

    async def get_context(self, op_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Called before each operation, after `on_operation`: what it returns becomes attributes of ``info.context``.

        A GraphQLError refuses the operation.
        """
        return None

    async def on_disconnect(self, code: int) -> None:
        """Called once with the close code when a connection is over, if `on_connect` let the client in.

        The connection's operations are told at the same time; nothing waits for this hook. Its exceptions are logged.
        """


def overridden(hooks: Hooks, name: str) -> Callable[..., Any] | None:
    """A hook as the application defined it; None if it did not."""
    hook: Callable[..., Any] = getattr(hooks, name)
    return None if getattr(hook, "__func__", hook) is getattr(Hooks, name) else hook


def preparation(hooks: Hooks, channel_name: str | None) -> Prepare | None:
    """What is to be done before each operation of a connection; None: nothing."""
    on_operation, get_context = overridden(hooks, "on_operation"), overridden(hooks, "get_context")
    if on_operation is None and get_context is None and channel_name is None:
        return None

    async def prepare(op_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        entries = {} if channel_name is None else {"channel_name": channel_name}
        if on_operation is not None:
            await call(on_operation, op_id, payload)
        if get_context is not None:
            entries.update(_entries(hooks, await call(get_context, op_id, payload)))
        return entries

    return prepare


def _entries(hooks: Hooks, returned: Any) -> Mapping[str, Any]:
    if returned is None:
        return {}
    if not isinstance(returned, Mapping) or not all(isinstance(name, str) for name in returned):
        raise TypeError(
            f"{type(hooks).__qualname__}.get_context returned {returned!r}: return a dict whose keys are the names of"
            " attributes of info.context, or None."
        )
    return returned
