"""The prefix of a subscription's groups: of the settings, or of a consumer class."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import graphene
import pytest
from channels.layers import channel_layers
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_gqlws import GraphqlWsConsumer, Subscription
from django_gqlws.checks import check_group_name_prefixes
from tests.support.peers import Peer
from tests.unit.broker.layer import FakeLayer

Consumers = tuple[type[GraphqlWsConsumer], type[Subscription]]


class Query(graphene.ObjectType):
    value = graphene.String()


def make() -> Consumers:
    """A consumer class, and the subscription in its schema."""

    class OnEvent(Subscription):
        text = graphene.String()

        @staticmethod
        async def publish(payload: str, info: Any) -> Any:
            return OnEvent(text=payload)

    class Subscriptions(graphene.ObjectType):
        on_event = OnEvent.Field()

    class Consumer(GraphqlWsConsumer):
        schema = graphene.Schema(query=Query, subscription=Subscriptions)
        confirm_subscriptions = True

    return Consumer, OnEvent


@pytest.fixture(autouse=True)
def no_consumers_left() -> Iterator[None]:
    """The classes of a test are known to the next one until they are collected."""
    yield
    gc.collect()


@pytest.fixture
async def layer() -> FakeLayer:
    layer = FakeLayer()
    channel_layers.set("default", layer)
    return layer


def prefix(subscription: type[Subscription]) -> str:
    return subscription._group_name("room").rpartition("-")[0]


async def test_a_prefix_of_a_consumer(layer: FakeLayer) -> None:
    """Its subscribers join groups with it, and broadcasts reach them."""
    consumer, on_event = make()
    consumer.group_name_prefix = "SHOP"  # type: ignore[attr-defined]
    peer = await Peer.connect(consumer.as_asgi())
    await peer.subscribe("1", "subscription { onEvent { text } }")

    await on_event.broadcast_async(payload="hello")

    assert await peer.data("1", 1) == [{"onEvent": {"text": "hello"}}]
    groups = [call.split()[1] for call in layer.calls if call.startswith(("add", "send"))]
    assert {group.rpartition("-")[0] for group in groups if "SHOP" in group} == {"SHOP"}
    assert on_event._group_name(None) in groups
    await peer.leave()


def test_a_prefix_that_is_set_later() -> None:
    """It counts from then on, and wins over the settings."""
    consumer, on_event = make()
    with override_settings(GQLWS={"GROUP_NAME_PREFIX": "ALL"}):
        assert prefix(on_event) == "ALL"

        consumer.group_name_prefix = "SHOP"  # type: ignore[attr-defined]

        assert prefix(on_event) == "SHOP"


def test_the_subscriptions_of_other_schemas() -> None:
    """They keep the prefix of the settings."""
    consumer, _ = make()
    _, other = make()
    consumer.group_name_prefix = "SHOP"  # type: ignore[attr-defined]

    assert prefix(other) == "GQLWS"


def test_a_second_consumer_of_the_schema() -> None:
    """Without a prefix of its own it shares the first one's: who broadcasts knows neither."""
    consumer, on_event = make()
    consumer.group_name_prefix = "SHOP"  # type: ignore[attr-defined]

    class Second(GraphqlWsConsumer):
        schema = consumer.schema  # type: ignore[attr-defined]

    assert prefix(on_event) == "SHOP"
    del Second


def test_consumers_that_disagree() -> None:
    """The error names both."""
    consumer, on_event = make()
    consumer.group_name_prefix = "SHOP"  # type: ignore[attr-defined]

    class Second(GraphqlWsConsumer):
        schema = consumer.schema  # type: ignore[attr-defined]
        group_name_prefix = "OTHER"

    with pytest.raises(ImproperlyConfigured, match=r"Consumer and .*Second have the same schema"):
        prefix(on_event)


def test_a_prefix_of_the_base_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts for all subscriptions, and wins over the settings."""
    _, on_event = make()
    monkeypatch.setattr(GraphqlWsConsumer, "group_name_prefix", "MINE", raising=False)

    with override_settings(GQLWS={"GROUP_NAME_PREFIX": "ALL"}):
        assert prefix(on_event) == "MINE"
    assert check_group_name_prefixes() == []


def test_the_check() -> None:
    """It warns of a prefix that a process may not know."""
    consumer, _ = make()
    consumer.group_name_prefix = "SHOP"  # type: ignore[attr-defined]

    [warning] = check_group_name_prefixes()

    assert warning.id == "gqlws.W005"
    assert "GROUP_NAME_PREFIX" in str(warning.hint)
