"""The channel layer, and what we ask of it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol, TypeAlias, cast

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.core.exceptions import ImproperlyConfigured

from . import pubsub

SendMany: TypeAlias = Callable[[Sequence[tuple[str, dict[str, Any]]]], Awaitable[Sequence[Exception | None]]]
"""Sends messages to groups, in this order; says of each why it was not sent, None if it was."""

CHANNEL_PREFIX = "gqlws.hub"

CAPACITY = 10_000
"""Messages that may wait for one process. Layers drop silently beyond; their default is 100, less than a burst."""

_OUR_CHANNELS = re.compile(rf"{re.escape(CHANNEL_PREFIX)}\.")
_ALL_CHANNELS = re.compile(r"specific\.")


class Layer(Protocol):
    """The part of a channel layer that we use."""

    async def new_channel(self, prefix: str = ...) -> str: ...
    async def send(self, channel: str, message: dict[str, Any]) -> None: ...
    async def receive(self, channel: str) -> dict[str, Any]: ...
    async def group_add(self, group: str, channel: str) -> None: ...
    async def group_discard(self, group: str, channel: str) -> None: ...
    async def group_send(self, group: str, message: dict[str, Any]) -> None: ...


def get_layer() -> Layer:
    """The project's default channel layer, with room for our bursts. Raises ImproperlyConfigured."""
    layer = get_channel_layer()
    if layer is None:
        raise ImproperlyConfigured(
            "django_gqlws needs a channel layer: add CHANNEL_LAYERS ="
            ' {"default": {"BACKEND": "django_gqlws.layers.SqliteChannelLayer"}} to the settings'
            " (or channels_redis.pubsub.RedisPubSubChannelLayer beyond one host)."
        )
    if not hasattr(layer, "group_send"):
        raise ImproperlyConfigured(f"The channel layer {type(layer).__name__} has no groups.")
    _make_room(layer)
    return cast(Layer, layer)


def sender_of_many(layer: Layer) -> SendMany | None:
    """What sends several messages in one call; None: the layer takes one at a time."""
    if pubsub.is_known(layer):
        return partial(pubsub.publish_many, layer)
    return getattr(layer, "group_send_many", None)


def reaches_other_processes() -> bool:
    """Whether what this process sends arrives in others."""
    return not isinstance(get_channel_layer(), InMemoryChannelLayer)


async def new_channel(layer: Layer, prefix: str) -> str:
    """A channel for this process to receive from, named with the prefix where that is possible."""
    return await (layer.new_channel() if _has_one_queue(layer) else layer.new_channel(prefix))


def _has_one_queue(layer: Any) -> bool:
    # channels-redis' core layer has a queue for each prefix and process, and a process waits at one of them at a time.
    # Under a prefix of ours the project's other consumers would wait until something came for us, and we for them.
    return hasattr(layer, "client_prefix")


def _make_room(layer: Any) -> None:
    # The sender looks the capacity up, and both ends of the layer come here. The pub/sub layer has no capacities.
    rules = getattr(layer, "channel_capacity", None)
    rule = (_ALL_CHANNELS if _has_one_queue(layer) else _OUR_CHANNELS, CAPACITY)
    if rules is None or rule in rules:
        return
    if isinstance(rules, dict):
        rules = layer.compile_capacities(rules)
    layer.channel_capacity = [rule, *rules]
