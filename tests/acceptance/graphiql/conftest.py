"""GraphiQL of the demo under a strict Content-Security-Policy, and people who use it.

async def test_x(graphiql): ...       the page of a running demo
async def test_x(open_graphiql): ...  page = await open_graphiql(url)
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.acceptance.demo.conftest import demo_data, prepared_data  # noqa: F401 - fixtures
from tests.support.client import connect
from tests.support.demo import DemoServer
from tests.support.graphiql import GraphiQLPage

SETTINGS = "tests.acceptance.graphiql.settings"
OpenGraphiQL = Callable[..., Awaitable[GraphiQLPage]]


@pytest.fixture
def server(demo_data: Path) -> Iterator[DemoServer]:  # noqa: F811
    """The demo, of this test alone."""
    with DemoServer(demo_data, settings=SETTINGS) as server:
        yield server


@pytest.fixture
async def open_graphiql(browser: Browser) -> AsyncIterator[OpenGraphiQL]:
    """A function that opens the page for a new person."""
    pages: list[GraphiQLPage] = []

    async def visit(url: str) -> GraphiQLPage:
        context = await browser.new_context()
        page = GraphiQLPage(await context.new_page())
        pages.append(page)
        await page.open(url)
        return page

    yield visit
    for page in pages:
        await page.page.context.close()
    assert [problem for page in pages for problem in page.problems] == []


@pytest.fixture
async def graphiql(server: DemoServer, open_graphiql: OpenGraphiQL) -> GraphiQLPage:
    """The page, connected."""
    return await open_graphiql(f"{server.http_url}/graphiql/")


@pytest.fixture
def say(server: DemoServer) -> Callable[[str], Awaitable[None]]:
    """A function with which Alice says something in the lobby."""

    async def say(text: str) -> None:
        from tests.support.demo import log_in

        async with connect(server.ws_url) as client:
            await client.init()
            await log_in(client, "alice")
            mutation = f'mutation {{ sendChatMessage(room: "lobby", text: {json.dumps(text)}) {{ message {{ id }} }} }}'
            await client.execute("say", mutation)

    return say
