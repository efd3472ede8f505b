"""channels-redis' pub/sub layer: several messages in one round trip to Redis.

The layer has no call for that: it publishes one message, waits for the answer, and publishes the next one. A round trip
takes ten times the CPU of what it carries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

_LAYER = "channels_redis.pubsub.RedisPubSubChannelLayer"
_SHARD = ("_ensure_redis", "_lock", "_redis")
"""What we use of a layer's connection to one Redis."""


def class_of(thing: object) -> str:
    """The dotted name of the class, as settings name it: what is compared with it need not be installed."""
    kind = type(thing)
    return f"{kind.__module__}.{kind.__qualname__}"


def is_pubsub(layer: Any) -> bool:
    """Whether it is the layer itself: a subclass may send in a way of its own."""
    return class_of(layer) == _LAYER


def is_known(layer: Any) -> bool:
    """Whether `publish_many` can be used. A later release may send in a way of its own, too."""
    if not is_pubsub(layer):
        return False
    here = getattr(layer, "_get_layer", object)()
    if not (hasattr(here, "_get_shard") and hasattr(here, "_get_group_channel_name")):
        return False
    shard = here._get_shard("")
    return all(hasattr(shard, name) for name in _SHARD)


async def publish_many(layer: Any, messages: Iterable[tuple[str, dict[str, Any]]]) -> Sequence[Exception | None]:
    """Sends messages to groups, in this order, also where they go to several Redis. Says of each why it was not sent;
    where a connection fails that is the same for all that were on their way over it."""
    here = layer._get_layer()
    errors: list[Exception | None] = []
    published = ((here._get_group_channel_name(group), layer.serialize(message)) for group, message in messages)
    for shard, run in groupby(published, lambda message: here._get_shard(message[0])):
        errors += await _publish(shard, list(run))
    return errors


async def _publish(shard: Any, messages: Sequence[tuple[str, bytes]]) -> Sequence[Exception | None]:
    try:
        async with shard._lock:
            shard._ensure_redis()
            pipeline = shard._redis.pipeline(transaction=False)
            for channel, message in messages:
                pipeline.publish(channel, message)
            answers = await pipeline.execute(raise_on_error=False)
    except Exception as error:
        return [error] * len(messages)
    return [answer if isinstance(answer, Exception) else None for answer in answers]
