"""GraphiQL of the demo under a strict Content-Security-Policy, and people who use it.

async def test_x(graphiql): ...       the page of the running demo
async def test_x(open_graphiql): ...  page = await open_graphiql(url)

One server and one browser serve all tests; each test has pages of its own. Their modules say `pytestmark = one_loop`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from tests.support.client import connect
from tests.support.demo import demo_environment, log_in
from tests.support.graphiql import GraphiQLPage, Link
from tests.support.server import Server

OpenGraphiQL = Callable[..., Awaitable[GraphiQLPage]]


@pytest.fixture(scope="session")
def data(prepared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server has its database."""
    return Path(shutil.copytree(prepared_data, tmp_path_factory.mktemp("graphiql") / "data"))


@pytest.fixture(scope="session")
def server(data: Path) -> Iterator[Server]:
    """The demo, with the consumers of `asgi.py` and a page for each of them."""
    env = demo_environment(data, settings="tests.acceptance.graphiql.settings")
    with Server("tests.acceptance.graphiql.asgi:application", env=env) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def person(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Somebody whose browser keeps the page's files from test to test, and nothing else."""
    # The certificate of a test is signed by nobody.
    context = await browser.new_context(ignore_https_errors=True)
    await context.add_init_script("localStorage.clear()")
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_graphiql(person: BrowserContext) -> AsyncIterator[OpenGraphiQL]:
    """A function that opens a page: `await open_graphiql(url, state="connected", link=None)`."""
    pages: list[GraphiQLPage] = []

    async def visit(url: str, *, state: str = "connected", link: Link | None = None) -> GraphiQLPage:
        page = GraphiQLPage(await person.new_page())
        pages.append(page)
        if link is not None:
            await page.put_between(link)
        await page.open(url, state)
        return page

    yield visit
    for page in pages:
        await page.page.close()
    await person.clear_cookies()
    assert [problem for page in pages for problem in page.problems] == []


@pytest_asyncio.fixture(loop_scope="session")
async def graphiql(server: Server, open_graphiql: OpenGraphiQL) -> GraphiQLPage:
    """The page of the demo, connected."""
    return await open_graphiql(f"{server.http_url}/graphiql/")


@pytest.fixture
def say(server: Server) -> Callable[[str], Awaitable[None]]:
    """A function with which Alice says something in the lobby."""

    async def say(text: str) -> None:
        async with connect(server.ws_url) as client:
            await client.init()
            await log_in(client, "alice")
            mutation = f'mutation {{ sendChatMessage(room: "lobby", text: {json.dumps(text)}) {{ message {{ id }} }} }}'
            await client.execute("say", mutation)

    return say
