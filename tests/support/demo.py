"""The demo as real processes: its servers, a connection that can be cut, and what people see of the page."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlencode

from playwright.async_api import Locator, Page, ViewportSize, WebSocket, WebSocketRoute, expect

from demo.sample_data import PASSWORDS
from tests.support.client import Client
from tests.support.notes import LIMIT
from tests.support.server import HOST, Server, find_free_port

# Milliseconds: far above what a loaded machine needs, so that only what never comes reaches it.
expect.set_options(timeout=30_000)

LOGIN = (
    "mutation ($username: String!, $password: String!)"
    " { login(username: $username, password: $password) { me { username } token } }"
)

PHONE: ViewportSize = {"width": 360, "height": 640}
SETTINGS = "tests.acceptance.demo.settings"


def demo_environment(data: Path, redis_url: str = "", settings: str = SETTINGS) -> dict[str, str]:
    """The environment of a demo process that keeps its database and its secret key in `data`."""
    return {"DJANGO_SETTINGS_MODULE": settings, "DEMO_DATA": str(data), "REDIS_URL": redis_url}


class DemoServer(Server):
    """The demo on uvicorn, or as `manage.py runserver` serves it."""

    def __init__(
        self,
        data: Path,
        *,
        kind: Literal["uvicorn", "runserver"] = "uvicorn",
        redis_url: str = "",
        options: Sequence[str] = (),
        settings: str = SETTINGS,
        debug: bool = True,
    ) -> None:
        self.data = data
        env = {**demo_environment(data, redis_url, settings), "DEMO_DEBUG": str(int(debug))}
        super().__init__("demo.asgi:application", env=env, options=options)
        if kind == "runserver":
            self._command = [sys.executable, "manage.py", "runserver", "--noreload", f"{HOST}:{self.port}"]


async def log_in(client: Client, username: str) -> str:
    """Log in over the socket; the token that turns it into a cookie."""
    result = await client.execute("login", LOGIN, {"username": username, "password": PASSWORDS[username]})
    token: str = result["data"]["login"]["token"]
    return token


class Relay:
    """An address in front of a server, whose connections can be cut like a cable."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._port = find_free_port()
        self._listener: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.http_url = f"http://{HOST}:{self._port}"

    async def mend(self) -> None:
        """Let connections through."""
        self._listener = await asyncio.start_server(self._connect, HOST, self._port)

    async def cut(self) -> None:
        """Drop all connections, and accept none until it is mended."""
        assert self._listener is not None, "already cut"
        self._listener.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._listener.wait_closed()
        self._listener = None

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # From now on, so that a cut finds it also while the other half of the connection is made.
        self._writers.add(writer)
        server_reader, server_writer = await asyncio.open_connection(HOST, self._target)
        await asyncio.gather(self._pump(reader, server_writer), self._pump(server_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()
        self._writers.discard(writer)

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._listener is not None:
            await self.cut()


def collect_problems(page: Page) -> list[str]:
    """Errors that no code of the page has caught, and what its Content-Security-Policy has refused; it grows."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Security Policy" in message.text else None)
    return problems


async def overflows(page: Page) -> bool:
    """Whether one would have to scroll sideways."""
    return bool(await page.evaluate("document.documentElement.scrollWidth > innerWidth"))


class Subscriptions:
    """Those of a page, and which of them the server has not confirmed yet."""

    def __init__(self, page: Page) -> None:
        self._unconfirmed: set[str] = set()
        self._confirmed = asyncio.Event()
        page.on("websocket", self._listen)

    async def are_confirmed(self) -> None:
        """Return as soon as what is broadcast from now on misses none of them."""
        async with asyncio.timeout(LIMIT):
            while self._unconfirmed:
                self._confirmed.clear()
                await self._confirmed.wait()

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self._note_sent(json.loads(frame)))
        socket.on("framereceived", lambda frame: self._note_end(json.loads(frame)))

    def _note_sent(self, message: Any) -> None:
        if message["type"] == "subscribe" and message["payload"]["query"].startswith("subscription"):
            self._unconfirmed.add(message["id"])
        elif message["type"] == "complete":
            self._note_end(message)

    def _note_end(self, message: Any) -> None:
        self._unconfirmed.discard(message.get("id"))
        self._confirmed.set()


LOOK_OUT = """text => {
    window.hasSeen = new Promise(resolve =>
        new MutationObserver(() => document.body.innerText.includes(text) && resolve())
            .observe(document.body, { childList: true, characterData: true, subtree: true }));
}"""


class ChatPage:
    """What a person sees and does on the page of the demo."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems = collect_problems(page)
        self.subscriptions = Subscriptions(page)
        self.refuse: Callable[[], None]
        self.state: Locator = page.get_by_role("status")
        self.problem: Locator = page.get_by_role("alert")
        self.messages: Locator = page.get_by_role("log").locator("li:not(.pending) p")

    async def open(self, url: str, room: str = "") -> None:
        """Return when the page of the demo at `url` shows a room, and misses nothing any more."""
        await self.page.goto(f"{url}/chat/#{room}")
        await self.sees_state("connected")
        await expect(self.page.get_by_role("heading", level=2)).not_to_have_text(re.compile(r"^\s*$"))
        await self.subscriptions.are_confirmed()

    async def log_in(self, username: str) -> None:
        """Fill in the login form; return when the page says who one is."""
        await self.page.get_by_label("User name").fill(username)
        await self.page.get_by_label("Password").fill(PASSWORDS[username])
        async with self.page.expect_response("**/login/") as response:
            await self.page.get_by_role("button", name="Log in").click()
        assert (await response.value).ok
        await self.is_logged_in_as(username)
        await self.subscriptions.are_confirmed()

    async def enter(self, room: str) -> None:
        """Go to another room."""
        await self.page.get_by_role("link", name=room).click()
        await expect(self.page.get_by_role("heading", level=2)).to_have_text(room)
        await self.subscriptions.are_confirmed()

    async def write(self, text: str) -> None:
        """Send a message, without waiting for it to appear."""
        await self.page.get_by_label("Message", exact=True).fill(text)
        await self.page.get_by_role("button", name="Send").click()

    async def fail_before_each_event(self) -> None:
        """Let a result with errors arrive before each event; before the page is opened."""

        def connect(page: WebSocketRoute) -> None:
            server = page.connect_to_server()

            def pass_on(text: str | bytes) -> None:
                message = json.loads(text)
                fields = (message.get("payload") or {}).get("data") or {} if message["type"] == "next" else {}
                if any(name.startswith("on") and name != "online" for name in fields):
                    broken = {"data": dict.fromkeys(fields), "errors": [{"message": "It broke."}]}
                    page.send(json.dumps({**message, "payload": broken}))
                page.send(text)

            server.on_message(pass_on)

        await self.page.route_web_socket("**", connect)

    async def refuse_messages(self) -> None:
        """Let the server answer whoever sends a message with an error; before the page is opened."""

        def connect(page: WebSocketRoute) -> None:
            server = page.connect_to_server()

            def pass_on(text: str | bytes) -> None:
                message = json.loads(text)
                if "mutation Send(" in message.get("payload", {}).get("query", ""):
                    self.refuse = lambda: page.send(
                        json.dumps({"id": message["id"], "type": "error", "payload": [{"message": "Not now."}]})
                    )
                else:
                    server.send(text)

            page.on_message(pass_on)

        await self.page.route_web_socket("**", connect)

    async def is_logged_in_as(self, username: str) -> None:
        """Wait until the page says so."""
        await expect(self.page.get_by_text(f"You are {username}")).to_be_visible()

    async def is_anonymous(self) -> None:
        """Wait until the page asks for a login."""
        await expect(self.page.get_by_role("button", name="Log in")).to_be_visible()

    async def sees_state(self, text: str) -> None:
        """Wait until the page says this about its connection."""
        await expect(self.state).to_have_text(text)

    async def sees(self, *texts: str) -> None:
        """Wait until these are the last messages of the room, in this order and each of them once."""
        for position, text in enumerate(reversed(texts), start=1):
            await expect(self.messages.nth(-position)).to_have_text(text)
        shown = await self.messages.all_text_contents()
        assert [text for text in shown if text in texts] == list(texts)

    async def look_out_for(self, text: str) -> None:
        """Begin to wait for a text that is soon gone again."""
        await self.page.evaluate(LOOK_OUT, text)

    async def has_seen_it(self) -> None:
        """Return as soon as the text was there, though it may be gone."""
        async with asyncio.timeout(LIMIT):
            await self.page.evaluate("hasSeen")

    async def edit(self, text: str, new_text: str) -> None:
        """Change an own message."""
        await self._own(text, "Edit")
        await self.page.get_by_label("New text").fill(new_text)
        await self.page.get_by_role("button", name="Save").click()

    async def delete(self, text: str) -> None:
        """Delete an own message, and confirm it."""
        await self._own(text, "Delete")
        await self.page.get_by_role("button", name="Delete it?").click()

    async def _own(self, text: str, deed: str) -> None:
        message = self.page.get_by_role("log").locator("li", has_text=text)
        await message.hover()
        await message.get_by_role("button", name=deed).click()

    async def sees_online(self, *names: str) -> None:
        """Wait until these are the users who are online, guests aside."""
        users = self.page.get_by_role("complementary", name="Online").locator("li:not(.guests)")
        await expect(users).to_have_text([re.compile(rf"^{name}\b") for name in names])

    async def sees_unread(self, room: str, count: int) -> None:
        """Wait until the link to a room says how many of its messages are unread; 0: nothing is said."""
        name = f"{room} {count} unread" if count else room
        await expect(self.page.get_by_role("link", name=name, exact=True)).to_be_visible()

    async def scroll_up_to(self, text: str) -> None:
        """Go towards the beginning until this message is there."""
        log = self.page.get_by_role("log")
        shown = await self.messages.count()
        while not await self.messages.filter(has_text=text).count():
            await log.evaluate("log => log.scrollTo(0, 0)")
            await expect(self.messages).not_to_have_count(shown)
            shown = await self.messages.count()

    async def show(self, text: str) -> None:
        """Scroll so that this message can be seen."""
        await self.messages.filter(has_text=text).scroll_into_view_if_needed()

    async def position_of(self, text: str) -> float:
        """Where a message is on the screen, in pixels from its top."""
        box = await self.messages.filter(has_text=text).bounding_box()
        assert box is not None, "not shown"
        return box["y"]


class AdminPage:
    """The Django admin, with its user at work on the messages."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self._messages = f"{url}/admin/demo/message/"

    @classmethod
    async def open(cls, page: Page, url: str) -> Self:
        """Log in."""
        admin = cls(page, url)
        await page.goto(admin._messages)
        await page.get_by_label("Username").fill("admin")
        await page.get_by_label("Password").fill(PASSWORDS["admin"])
        await page.get_by_role("button", name="Log in").click()
        await page.get_by_role("heading", name="Select message").wait_for()
        return admin

    async def edit_message(self, text: str, new_text: str) -> None:
        """Replace the text of a message."""
        await self._open_message(text)
        await self.page.get_by_label("Text:").fill(new_text)
        await self.page.get_by_role("button", name="Save", exact=True).click()
        await self.page.get_by_text("was changed successfully").wait_for()

    async def delete_message(self, text: str) -> None:
        """Delete a message, and confirm it."""
        await self._open_message(text)
        await self.page.get_by_role("link", name="Delete").click()
        await self.page.get_by_role("button", name="Yes").click()
        await self.page.get_by_text("was deleted successfully").wait_for()

    async def _open_message(self, text: str) -> None:
        await self.page.goto(f"{self._messages}?{urlencode({'q': text})}")
        await self.page.get_by_role("link", name=text).click()
