"""The servers, as data."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from benchmarks.deployment import Deployment
from benchmarks.environments import Environment, Here, NodeEnvironment, PythonEnvironment

ROOT = Path(__file__).parent.parent
_SERVERS = Path(__file__).parent / "servers"


class Server(Protocol):
    """One column of the tables."""

    @property
    def name(self) -> str:
        """What ``--servers`` calls it."""

    @property
    def title(self) -> str:
        """What the tables call it."""

    @property
    def variables(self) -> dict[str, str]:
        """Its environment variables."""

    @property
    def speaks_graphql(self) -> bool:
        """False: it only takes connections."""

    @property
    def in_quick(self) -> bool:
        """Whether a quick run includes it."""

    def command(self, port: int, deployment: Deployment, runner: Sequence[str]) -> list[str]:
        """What starts one process of it on a port; prepares its environment first."""


@dataclass(frozen=True, slots=True)
class Asgi:
    """An ASGI application of ``servers/`` on uvicorn or daphne."""

    name: str
    title: str
    module: str
    environment: Environment = Here()
    variables: dict[str, str] = field(default_factory=lambda: _settings("settings"))
    speaks_graphql: bool = True
    in_quick: bool = True

    def command(self, port: int, deployment: Deployment, runner: Sequence[str]) -> list[str]:
        """The ASGI server as it is installed, but for its log."""
        application = f"benchmarks.servers.{self.module}:application"
        arguments = {
            "uvicorn": ("--ws", "websockets-sansio", "--log-level", "warning", "--host", "127.0.0.1", "--port"),
            "daphne": ("--verbosity", "0", "--bind", "127.0.0.1", "--port"),
        }
        modules = [*runner, deployment.asgi]
        python = str(self.environment.prepare())
        return [python, "-m", *modules, *arguments[deployment.asgi], str(port), application]


@dataclass(frozen=True, slots=True)
class Node:
    """A program for Node.js, on its own server whatever the deployment."""

    name: str
    title: str
    script: str
    environment: NodeEnvironment = NodeEnvironment()
    variables: dict[str, str] = field(default_factory=dict)
    speaks_graphql: bool = True
    in_quick: bool = False

    def command(self, port: int, deployment: Deployment, runner: Sequence[str]) -> list[str]:
        """Node runs a copy of the script, next to its packages."""
        node = self.environment.prepare()
        script = shutil.copy(_SERVERS / self.script, self.environment.folder)
        return [str(node), str(script), str(port)]


def _settings(module: str) -> dict[str, str]:
    return {"DJANGO_SETTINGS_MODULE": f"benchmarks.servers.{module}"}


OURS = Asgi("ours", "django_gqlws", "ours", variables=_settings("settings_ours"))

LINEUP: tuple[Server, ...] = (
    OURS,
    Asgi("unwatched", "without registry", "ours", variables=_settings("settings_unwatched"), in_quick=False),
    Asgi("peer", "channels_graphql_ws 1.0.0rc7", "peer", PythonEnvironment("peer")),
    Asgi("strawberry", "strawberry", "strawberry_channels", PythonEnvironment("strawberry"), in_quick=False),
    Asgi("ariadne", "ariadne", "ariadne_asgi", PythonEnvironment("ariadne"), in_quick=False),
    Node("graphql-ws", "npm graphql-ws", "graphql_ws.mjs"),
    Asgi("raw", "raw", "raw"),
    Asgi("layer", "bare layer", "bare_layer"),
    Asgi("empty", "empty consumer", "empty", speaks_graphql=False),
)

SERVERS = {server.name: server for server in LINEUP}
