"""What we ask of a channel layer."""

from __future__ import annotations

from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer, channel_layers
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisSingleShardConnection
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_gqlws.broker.layer import CAPACITY, CHANNEL_PREFIX, get_layer, new_channel, sender_of_many
from tests.support.tables import situations

CAPACITIES: dict[str, tuple[dict[Any, int] | None, int]] = {
    "the default": (None, 100),
    "rules of the project": ({"http.*": 7}, 100),
}


@pytest.mark.parametrize(("rules", "default"), situations(CAPACITIES))
async def test_the_capacity_of_our_channel(rules: dict[Any, int] | None, default: int) -> None:
    """It has room for a burst; all other channels are as they were."""
    layer = InMemoryChannelLayer(channel_capacity=rules)
    channel_layers.set("default", layer)

    for _ in range(2):
        assert get_layer() is layer

    assert layer.get_capacity(await new_channel(layer, CHANNEL_PREFIX)) == CAPACITY
    assert layer.get_capacity("other") == default
    assert layer.get_capacity("http.request") == (7 if rules else default)


async def test_a_layer_with_one_queue() -> None:
    """Our channel is named as those of all consumers, which share the queue and its room."""
    layer = RedisChannelLayer(hosts=[])
    channel_layers.set("default", layer)

    name = await new_channel(get_layer(), CHANNEL_PREFIX)

    assert name.startswith("specific.")
    assert layer.get_capacity(name) == CAPACITY


async def test_redis_pubsub_takes_several() -> None:
    """In the release that is installed, whatever it looks like inside."""
    assert sender_of_many(RedisPubSubChannelLayer(hosts=["redis://127.0.0.1"])) is not None


async def test_a_layer_that_sends_in_a_way_of_its_own() -> None:
    """It is never passed by, also if it is Redis' pub/sub layer below."""

    class Careful(RedisPubSubChannelLayer):
        pass

    assert sender_of_many(Careful(hosts=["redis://127.0.0.1"])) is None


async def test_a_later_release_of_redis_pubsub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it looks different inside it gets one message after the other."""
    monkeypatch.delattr(RedisSingleShardConnection, "_ensure_redis")

    assert sender_of_many(RedisPubSubChannelLayer(hosts=["redis://127.0.0.1"])) is None


@override_settings(CHANNEL_LAYERS={})
def test_no_layer() -> None:
    """The error says what to write into the settings."""
    channel_layers.backends.clear()

    with pytest.raises(ImproperlyConfigured, match="add CHANNEL_LAYERS"):
        get_layer()


def test_a_layer_without_groups() -> None:
    """The error names it."""
    channel_layers.set("default", object())

    with pytest.raises(ImproperlyConfigured, match="The channel layer object has no groups"):
        get_layer()
