"""Two server processes with one database and one channel layer, which the test shares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_django import Settings

from django_gqlws.broker import process as broker_process
from tests.integration.conftest import sqlite_layer
from tests.support.server import Server

from .serving import LEASE, environment


@pytest.fixture(scope="package")
def layer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("layer")


@pytest.fixture(scope="package")
def servers(layer_folder: Path) -> Iterator[tuple[Server, Server]]:
    """Two server processes."""
    with ExitStack() as stack:
        one, two = (stack.enter_context(Server(env=environment(layer_folder))) for _ in range(2))
        yield one, two


@pytest.fixture(autouse=True)
def this_process(settings: Settings, layer_folder: Path) -> Iterator[None]:
    """The test speaks to the servers over the same channel layer."""
    settings.CHANNEL_LAYERS = sqlite_layer(layer_folder)
    settings.GQLWS = {**settings.GQLWS, "MONITORING": True, "MONITORING_LEASE": LEASE}
    yield
    broker_process._background.stop()
