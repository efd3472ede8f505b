"""The servers, as data."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.environments import Environment, Here, NodeEnvironment, PythonEnvironment

ROOT = Path(__file__).parent.parent
_SERVERS = Path(__file__).parent / "servers"


class Server(Protocol):
    """One column of the table."""

    @property
    def name(self) -> str:
        """What ``--servers`` calls it."""

    @property
    def title(self) -> str:
        """What the table calls it."""

    @property
    def speaks_graphql(self) -> bool:
        """False: it only takes connections."""

    @property
    def in_quick(self) -> bool:
        """Whether a quick run includes it."""

    def command(self, port: int) -> list[str]:
        """What starts it on a port; prepares its environment first."""


@dataclass(frozen=True, slots=True)
class Uvicorn:
    """An ASGI application of ``servers/`` on uvicorn."""

    name: str
    title: str
    module: str
    environment: Environment = Here()
    settings: str = "benchmarks.servers.settings"
    speaks_graphql: bool = True
    in_quick: bool = True

    def command(self, port: int) -> list[str]:
        """uvicorn as it is installed, but for its log."""
        return [
            *("env", f"DJANGO_SETTINGS_MODULE={self.settings}"),
            *(str(self.environment.prepare()), "-m", "uvicorn", f"benchmarks.servers.{self.module}:application"),
            *("--ws", "websockets-sansio", "--log-level", "warning", "--host", "127.0.0.1", "--port", str(port)),
        ]


@dataclass(frozen=True, slots=True)
class Node:
    """A program for Node.js."""

    name: str
    title: str
    script: str
    environment: NodeEnvironment = NodeEnvironment()
    speaks_graphql: bool = True
    in_quick: bool = False

    def command(self, port: int) -> list[str]:
        """Node runs a copy of the script, next to its packages."""
        node = self.environment.prepare()
        script = shutil.copy(_SERVERS / self.script, self.environment.folder)
        return [str(node), str(script), str(port)]


LINEUP: tuple[Server, ...] = (
    Uvicorn("ours", "django_gqlws", "ours", settings="benchmarks.servers.settings_ours"),
    Uvicorn("peer", "channels_graphql_ws 1.0.0rc7", "peer", PythonEnvironment("peer")),
    Uvicorn("strawberry", "strawberry", "strawberry_channels", PythonEnvironment("strawberry"), in_quick=False),
    Uvicorn("ariadne", "ariadne", "ariadne_asgi", PythonEnvironment("ariadne"), in_quick=False),
    Node("graphql-ws", "npm graphql-ws", "graphql_ws.mjs"),
    Uvicorn("raw", "raw uvicorn", "raw"),
    Uvicorn("empty", "empty consumer", "empty", speaks_graphql=False),
)

SERVERS = {server.name: server for server in LINEUP}
