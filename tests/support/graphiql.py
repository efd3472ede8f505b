"""GraphiQL in a browser, as somebody sees it who works with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from playwright.async_api import Locator, Page, WebSocket, WebSocketRoute, expect

Link = Callable[[str], list[str]]
"""What comes out of it on the server's side for a message of the page."""

expect.set_options(timeout=30_000)


class GraphiQLPage:
    """What a person sees and does on the page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.sent: list[dict[str, Any]] = []
        """The messages that the page has sent, of all its sockets."""
        self.problems: list[str] = []
        """Errors that no code has caught, and what the Content-Security-Policy has refused."""
        self._ends: list[WebSocketRoute] = []
        page.on("websocket", self._listen)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: self._read_console(message.text))
        self.state: Locator = page.get_by_role("status")
        self.advice: Locator = page.locator(".gqlws-bar > [role=alert]")
        self.log: Locator = page.get_by_role("region", name="Events")
        self.events: Locator = self.log.locator("details")

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self.sent.append(json.loads(frame)))

    def _read_console(self, text: str) -> None:
        if "Content Security Policy" in text or "worker" in text:
            self.problems.append(text)

    async def open(self, url: str, state: str = "connected") -> None:
        """Return when the page says this about its connection, and one can write."""
        await self.page.goto(url)
        await self.sees_state(state)
        await expect(self._editor("query")).to_be_visible()

    async def put_between(self, link: Link) -> None:
        """Let what the page sends pass through the link; what the server sends comes as it is."""

        def connect(page: WebSocketRoute) -> None:
            server = page.connect_to_server()
            self._ends = [page, server]

            def pass_on(message: str | bytes) -> None:
                for text in link(str(message)):
                    server.send(text)

            page.on_message(pass_on)

        await self.page.route_web_socket("**", connect)

    async def lose_socket(self, code: int = 1012, reason: str = "") -> None:
        """Cut the socket, and nothing else of the page; there has to be a link in it."""
        for end in self._ends:
            await end.close(code=code, reason=reason)

    async def write(self, document: str) -> None:
        """Put a document into the place of what the tab has."""
        await self._editor("query").click()
        await self.page.keyboard.press("ControlOrMeta+A")
        await self.page.keyboard.insert_text(document)
        # GraphiQL takes over what was written in its own time: it names the tab by the operation.
        name = document.split("{")[0].split("(")[0].split()[-1]
        await expect(self.page.get_by_role("tab", name=name)).to_be_visible()

    async def run(self) -> None:
        """Press the button, as it is before."""
        await self.page.get_by_role("button", name="Execute query").click()

    async def stop(self) -> None:
        """Press the same button again."""
        await self.page.get_by_role("button", name="Stop query").click()

    async def open_tab(self) -> None:
        """Begin another tab."""
        await self.page.get_by_role("button", name="New tab").click()

    async def choose_tab(self, name: str) -> None:
        """Go to a tab that is there."""
        await self.page.get_by_role("tab", name=name).click()

    async def sees_state(self, text: str) -> None:
        """Wait until the page says this about its connection."""
        await expect(self.state).to_contain_text(text)

    async def sees_result(self, text: str) -> None:
        """Wait until the result contains this."""
        await expect(self._editor("response")).to_contain_text(text)

    def sent_types(self) -> list[str]:
        """The types of the messages sent so far; without pings and the page's own query for the schema."""
        own = {message["id"] for message in self.sent if "IntrospectionQuery" in json.dumps(message)}
        return [message["type"] for message in self.sent if message.get("id") not in own and message["type"] != "ping"]

    def _editor(self, name: str) -> Locator:
        scope = {"query": ".graphiql-query-editor", "response": ".result-window"}[name]
        return self.page.locator(f"{scope} .view-lines")
