"""Two server processes that share a channel layer, and the command line beside them.

async def test_x(here): ...     done = await here("gqlws_broadcast", ...): typed beside the servers
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pytest_django import DjangoDbBlocker, Settings

from django_gqlws.broker import census, process
from tests.support.notes import LIMIT
from tests.support.server import HOST, Server

from .running import PATIENTLY, Environment, Here


class Process(Server):
    """A server process of the test project."""

    def url(self, path: str) -> str:
        """The WebSocket address of a path."""
        return f"ws://{HOST}:{self.port}/{path}"


@pytest.fixture(scope="package", params=["sqlite", "redis_pubsub"])
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What makes a process use the shared channel layer."""
    environment = {"DJANGO_SETTINGS_MODULE": "tests.project.settings", "GQLWS_TEST_LAYER": request.param}
    if request.param == "sqlite":
        environment["GQLWS_TEST_LAYER_FILE"] = str(tmp_path_factory.mktemp("layer") / "channels.sqlite3")
    else:
        environment["REDIS_URL"] = request.getfixturevalue("redis_url")
    return environment


@pytest.fixture(scope="package")
def processes(environment: Environment) -> Iterator[tuple[Process, Process]]:
    """Two server processes."""
    with ExitStack() as stack:
        yield stack.enter_context(Process(env=environment)), stack.enter_context(Process(env=environment))


@pytest.fixture(autouse=True)
def checks(django_db_setup: None, django_db_blocker: DjangoDbBlocker, settings: Settings) -> Iterator[None]:
    """Commands run Django's checks, and these ask each database whether it knows JSON: no reason to empty it behind
    each test, as the mark does."""
    settings.SILENCED_SYSTEM_CHECKS = ["gqlws.W004", "gqlws.E024"]  # Other tests leave model subscriptions.
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def here(environment: Environment, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    """Commands in this process, on the layer of the servers."""
    monkeypatch.setattr(census, "FIRST_ANSWER", LIMIT)
    settings.CHANNEL_LAYERS = {"default": layer_of(environment)}
    yield Here()
    process._background.stop()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command in this process waits patiently for each server."""
    monkeypatch.setattr(census, "NEXT_ANSWER", PATIENTLY)


def layer_of(environment: Environment) -> dict[str, object]:
    """What CHANNEL_LAYERS says in a process of this environment."""
    config: dict[str, object]
    if environment["GQLWS_TEST_LAYER"] == "sqlite":
        backend, config = "django_gqlws.layers.SqliteChannelLayer", {"path": environment["GQLWS_TEST_LAYER_FILE"]}
    else:
        backend, config = "channels_redis.pubsub.RedisPubSubChannelLayer", {"hosts": [environment["REDIS_URL"]]}
    return {"BACKEND": backend, "CONFIG": config}
