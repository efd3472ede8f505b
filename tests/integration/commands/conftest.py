"""Two server processes that share a channel layer, and the command line beside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.server import HOST, Server

from .running import Environment


class Process(Server):
    """A server process of the test project."""

    def url(self, path: str) -> str:
        """The WebSocket address of a path."""
        return f"ws://{HOST}:{self.port}/{path}"


@pytest.fixture(scope="module", params=["sqlite", "redis_pubsub"])
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What makes a process use the shared channel layer."""
    environment = {"DJANGO_SETTINGS_MODULE": "tests.project.settings", "GQLWS_TEST_LAYER": request.param}
    if request.param == "sqlite":
        environment["GQLWS_TEST_LAYER_FILE"] = str(tmp_path_factory.mktemp("layer") / "channels.sqlite3")
    else:
        environment["REDIS_URL"] = request.getfixturevalue("redis_url")
    return environment


@pytest.fixture(scope="module")
def processes(environment: Environment) -> Iterator[tuple[Process, Process]]:
    """Two server processes."""
    with ExitStack() as stack:
        yield stack.enter_context(Process(env=environment)), stack.enter_context(Process(env=environment))
