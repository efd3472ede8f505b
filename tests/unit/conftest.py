from __future__ import annotations

from collections.abc import Iterator

import pytest
from channels.layers import channel_layers


@pytest.fixture(autouse=True)
def own_channel_layer() -> Iterator[None]:
    """Each test has a channel layer of its own: its event loop is one, too."""
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()
