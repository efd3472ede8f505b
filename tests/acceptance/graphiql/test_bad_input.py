"""What goes wrong between the page and a real server: the page says what happened and what to do, and goes on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, expect

from demo.sample_data import PASSWORDS
from tests.acceptance.graphiql.conftest import OpenGraphiQL
from tests.conftest import one_loop
from tests.support.client import connect
from tests.support.graphiql import GraphiQLPage, Link
from tests.support.server import Server
from tests.support.tables import situations

pytestmark = one_loop

LogIn = Callable[[str], Awaitable[None]]

SUBSCRIBE = json.dumps({"type": "subscribe", "id": "early", "payload": {"query": "{ value }"}})


def unchanged(message: str) -> list[str]:
    """A link that only can be cut."""
    return [message]


def everything_twice(message: str) -> list[str]:
    """A link that repeats what the page sends."""
    return [message, message]


def operations_twice(message: str) -> list[str]:
    """A link that repeats each `subscribe`."""
    return [message, message] if '"type":"subscribe"' in message else [message]


def an_operation_first(message: str) -> list[str]:
    """A link that asks before it has introduced itself."""
    return [SUBSCRIBE, message]


def nothing(message: str) -> list[str]:
    """A link that swallows what the page sends."""
    return []


REFUSALS: dict[str, tuple[str, Link | None, str, list[str]]] = {
    "nothing is at the endpoint": (
        "nowhere",
        None,
        "reconnecting",
        ["opens no WebSocket at this address", "Is the endpoint right?"],
    ),
    "another origin is expected": (
        "partner",
        None,
        "closed",
        ["does not serve pages of this origin (4403: Origin not allowed)", "Add 'http://127.0.0.1:", "ALLOWED_ORIGINS"],
    ),
    # The server closes with 4406, which no browser passes on: it has given up before.
    "another subprotocol is expected": (
        "legacy-only",
        None,
        "reconnecting",
        ["opens no WebSocket at this address", 'graphql-transport-ws in GQLWS["SUBPROTOCOLS"]'],
    ),
    "a message is too large": ("narrow", None, "closed", ["4400", "too large"]),
    "the server has no schema": ("schemaless", None, "closed", ["4500", "Look into its log"]),
    "the first message never arrives": ("impatient", nothing, "reconnecting", ["4408", "tried again by itself"]),
    "the first message comes twice": ("confirming", everything_twice, "closed", ["4429", "Connect again"]),
    "an operation comes twice": ("confirming", operations_twice, "closed", ["4409", "Connect again"]),
    "an operation comes before the first message": (
        "confirming",
        an_operation_first,
        "closed",
        ["4401", "Connect again"],
    ),
}


@pytest.mark.parametrize(("endpoint", "link", "state", "words"), situations(REFUSALS))
async def test_a_refusal(
    server: Server, open_graphiql: OpenGraphiQL, endpoint: str, link: Link | None, state: str, words: list[str]
) -> None:
    """The page says what happened, in words and with the code, and what to do."""
    page = await open_graphiql(f"{server.http_url}/{endpoint}/graphiql/", state=state, link=link)

    for text in words:
        await expect(page.advice).to_contain_text(text)
    await expect(page.page.get_by_role("button", name="Connect now")).to_be_visible()


class TestSession:
    @pytest.fixture
    def log_in(self, person: BrowserContext) -> LogIn:
        """A function that logs a member of staff in, in a tab of its own."""

        async def log_in(url: str) -> None:
            tab = await person.new_page()
            await tab.goto(f"{url}/admin/login/")
            await tab.get_by_label("Username").fill("admin")
            await tab.get_by_label("Password").fill(PASSWORDS["admin"])
            await tab.get_by_role("button", name="Log in").click()
            await expect(tab.get_by_role("button", name="Log out")).to_be_visible()
            await tab.close()

        return log_in

    async def test_it_ends(self, server: Server, data: Path, open_graphiql: OpenGraphiQL, log_in: LogIn) -> None:
        """The page asks for a login when it has to connect again, and goes on after it."""
        await log_in(server.http_url)
        page = await open_graphiql(f"{server.http_url}/staff/graphiql/", link=unchanged)
        end_all_sessions(data)
        await page.lose_socket()
        await page.sees_state("closed")
        await expect(page.advice).to_contain_text("Your session has ended")
        await expect(page.advice).to_contain_text("Log in in another tab")
        await log_in(server.http_url)

        await page.page.get_by_role("button", name="Connect now").click()

        await page.sees_state("connected")
        await expect(page.advice).to_have_count(0)

    async def test_it_ends_where_anybody_may_connect(
        self, server: Server, data: Path, open_graphiql: OpenGraphiQL, log_in: LogIn
    ) -> None:
        """The page connects again, and says that this is not as whom it was connected before."""
        await log_in(server.http_url)
        page = await open_graphiql(f"{server.http_url}/open/graphiql/", link=unchanged)
        end_all_sessions(data)

        await page.lose_socket()

        await expect(page.advice).to_contain_text("Your session has ended")
        await page.sees_state("connected")


def end_all_sessions(data: Path) -> None:
    """Delete them where the server keeps them."""
    with closing(sqlite3.connect(data / "db.sqlite3", timeout=20)) as database, database:
        database.execute("DELETE FROM django_session")


class TestTooMuch:
    @pytest_asyncio.fixture(loop_scope="session")
    async def page(self, server: Server, open_graphiql: OpenGraphiQL) -> GraphiQLPage:
        """The page of a consumer that confirms subscriptions."""
        return await open_graphiql(f"{server.http_url}/confirming/graphiql/")

    async def test_a_result_of_a_mebibyte(self, page: GraphiQLPage) -> None:
        """It is shown, and the page goes on."""
        await page.write("query Long { longText(length: 1048576) }")
        await page.run()
        await page.sees_result("xxxxxxxxxx")

        await page.write("query Short { value }")
        await page.run()

        await page.sees_result('"value": "value"')

    async def test_a_large_event(self, server: Server, page: GraphiQLPage) -> None:
        """The log shows its beginning, and says how much is left out."""
        await page.write('subscription Large { onMessage(group: "large") { text } }')
        await page.run()
        await expect(page.log).to_contain_text("Confirmed")
        await ask(server, 'mutation ($text: String!) { broadcast(group: "large", text: $text) }', text="y" * 900_000)

        await page.events.click()

        await expect(page.log.get_by_text("850,")).to_have_text("850,126 more characters are not shown.")
        assert len(await page.log.locator("pre").inner_text()) == 50_000

    async def test_a_flood_of_events(self, server: Server, page: GraphiQLPage) -> None:
        """All are counted, none is dropped on the way because the page is slow, and the newest can be read."""
        await page.write('subscription Flood { onMessage(group: "flood") { text } }')
        await page.run()
        await expect(page.log).to_contain_text("Confirmed")

        await ask(server, 'mutation { broadcastNumbers(group: "flood", n: 2000) }')

        await expect(page.log).to_contain_text("2,000 events, running")
        await expect(page.log).not_to_contain_text("dropped")
        await expect(page.events).to_have_count(500)
        await expect(page.events.first).to_contain_text('"text":"2000"')
        await page.sees_result('"2000"')

    async def test_dropped_events(self, server: Server, open_graphiql: OpenGraphiQL) -> None:
        """The log says how many the server had to leave out, all together and by each event."""
        page = await open_graphiql(f"{server.http_url}/brief/graphiql/")
        await page.write('subscription Brief { onMessage(group: "brief") { text } }')
        await page.run()
        await expect(page.log).to_contain_text("Confirmed")

        await ask(server, 'mutation { broadcast(group: "brief", text: "0", gate: "brief") }')
        await ask(server, '{ reached(event: STARTED, key: "brief") }')
        async with connect(f"ws://127.0.0.1:{server.port}/confirming/") as witness:
            await witness.init()
            await witness.subscribe("1", 'subscription Witness { onMessage(group: "brief") { text } }')
            await witness.receive()
            await ask(server, 'mutation { broadcastNumbers(group: "brief", n: 5) }')
            for _ in range(5):  # Sent is not received: they come over the channel layer.
                await witness.receive()
        await ask(server, 'mutation { openGate(key: "brief") }')

        await expect(page.log).to_contain_text("3 events, running, 3 dropped on the way")
        await expect(page.events.filter(has_text="3 dropped")).to_have_count(1)

    async def test_too_many_operations(self, server: Server, open_graphiql: OpenGraphiQL) -> None:
        """The one that is too many says so; the other goes on."""
        page = await open_graphiql(f"{server.http_url}/crowded/graphiql/")
        await page.write('subscription First { onMessage(group: "crowd") { text } }')
        await page.run()
        await expect(page.log).to_contain_text("Confirmed")
        await page.open_tab()
        await page.write("query Second { value }")

        await page.run()

        await page.sees_result("operations")
        await expect(page.log).to_contain_text("In other tabs: First (0 events)")


async def ask(server: Server, document: str, **variables: str) -> None:
    """Ask the consumer that confirms subscriptions."""
    async with connect(f"ws://127.0.0.1:{server.port}/confirming/") as client:
        await client.init()
        assert "errors" not in await client.execute("ask", document, variables)
