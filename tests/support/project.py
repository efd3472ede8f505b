"""The test project served by a real server, and a look inside its process over a socket of its own."""

from __future__ import annotations

import itertools
import json
from typing import Any

from tests.support.client import Client
from tests.support.server import HOST, Kind, Server


class ProjectServer(Server):
    """The server that serves `tests.project`, and what it can and cannot do."""

    def __init__(self, kind: Kind) -> None:
        super().__init__("tests.project.asgi:application", kind=kind)
        self.kind = kind

    @property
    def host(self) -> str:
        """The host and port of its address, as a browser names them in the Host header."""
        return f"{HOST}:{self.port}"

    def url(self, path: str = "graphql/") -> str:
        """The address of one of the project's consumers."""
        return f"ws://{self.host}/{path}"

    def reason(self, text: str) -> str:
        """What a client reads of this close reason: daphne always drops it."""
        return text if self.kind == "uvicorn" else ""


class Inside:
    """The journal and the gates of a server's process: how a test waits for what no client is told."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ids = map(str, itertools.count())

    async def reached(self, event: str, key: str, count: int = 1) -> None:
        """Return as soon as this has happened `count` times."""
        await self._ask(f"{{ reached(event: {event}, key: {json.dumps(key)}, count: {count}) }}")

    async def count(self, event: str, key: str) -> int:
        """How often this has happened so far."""
        return int(await self._ask(f"{{ count(event: {event}, key: {json.dumps(key)}) }}"))

    async def open(self, key: str) -> None:
        """Let go what waits at this gate, now and later."""
        await self._ask("mutation ($key: String!) { openGate(key: $key) }", key=key)

    async def broadcast(self, group: str, text: str | None, **wishes: str) -> None:
        """Broadcast a message; `error` or `gate` say what its `publish` does."""
        await self._ask(
            "mutation ($group: String!, $text: String, $error: String, $gate: String)"
            " { broadcast(group: $group, text: $text, error: $error, gate: $gate) }",
            group=group,
            text=text,
            **wishes,
        )

    async def broadcast_numbers(self, group: str, n: int) -> None:
        """Broadcast the texts 1 to n."""
        document = "mutation ($group: String!, $n: Int!) { broadcastNumbers(group: $group, n: $n) }"
        await self._ask(document, group=group, n=n)

    async def unsubscribe(self, group: str) -> None:
        """End the subscriptions of a group, from the server's side."""
        await self._ask("mutation ($group: String!) { unsubscribe(group: $group) }", group=group)

    async def send_to_channel(self, name: str, key: str) -> None:
        """Send a message to a consumer's own channel; its handler notes PUBLISHED with the key."""
        document = "mutation ($name: String!, $key: String!) { sendToChannel(name: $name, key: $key) }"
        await self._ask(document, name=name, key=key)

    async def collect_garbage(self) -> None:
        """Run the server's garbage collector."""
        await self._ask("mutation { collectGarbage }")

    async def _ask(self, document: str, **variables: Any) -> Any:
        result = await self._client.execute(next(self._ids), document, variables)
        assert "errors" not in result, result["errors"]
        (answer,) = result["data"].values()
        return answer
