from __future__ import annotations

from collections.abc import Iterator

import pytest
from channels.layers import channel_layers

from django_gqlws.broker import process
from tests.unit.broker.layer import FakeLayer, RoomyLayer


@pytest.fixture
async def layer() -> FakeLayer:
    """The project's channel layer."""
    layer = FakeLayer()
    channel_layers.set("default", layer)
    return layer


@pytest.fixture
async def roomy_layer() -> RoomyLayer:
    """The project's channel layer: one that takes several messages in one call."""
    layer = RoomyLayer()
    channel_layers.set("default", layer)
    return layer


@pytest.fixture
def sync_layer() -> Iterator[FakeLayer]:
    """The project's channel layer, for a test without a loop; what sends in the background ends with the test."""
    layer = FakeLayer()
    channel_layers.set("default", layer)
    yield layer
    process._background.stop()
