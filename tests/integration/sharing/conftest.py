from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from channels.layers import channel_layers

from tests.support.peers import connected


@pytest.fixture(autouse=True)
async def own_process() -> AsyncIterator[None]:
    """Each test has a channel layer of its own, and its clients leave at the end."""
    channel_layers.backends.clear()
    yield
    while connected:
        await connected.pop().leave()
    channel_layers.backends.clear()
