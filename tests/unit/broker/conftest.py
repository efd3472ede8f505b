from __future__ import annotations

import pytest
from channels.layers import channel_layers

from tests.unit.broker.layer import FakeLayer


@pytest.fixture
async def layer() -> FakeLayer:
    """The project's channel layer."""
    layer = FakeLayer()
    channel_layers.set("default", layer)
    return layer
