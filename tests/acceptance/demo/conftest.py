"""The demo with its sample data, and people in front of its page.

def test_x(demo): ...               a running server of the demo, shared by the whole run
def test_x(demo_data): ...          a folder with a freshly set up database, for own servers
async def test_x(visitor): ...      page = await visitor(demo.http_url): a person with own cookies; `one_loop`
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.demo import ChatPage, DemoServer

Visitor = Callable[..., Awaitable[ChatPage]]


@pytest.fixture
def demo_data(prepared_data: Path, tmp_path: Path) -> Path:
    """A database with the sample data, of this test alone."""
    return Path(shutil.copytree(prepared_data, tmp_path / "data"))


@pytest.fixture(scope="session")
def demo(prepared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    """The running demo."""
    data = shutil.copytree(prepared_data, tmp_path_factory.mktemp("shared-demo") / "data")
    with DemoServer(data) as server:
        yield server


@pytest.fixture
def key() -> str:
    """A text that nobody else writes."""
    return uuid4().hex


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser) -> AsyncIterator[Visitor]:
    """A function that opens the page for a new person: `await visitor(url, username=None, room="", prepare=None)`."""
    pages: list[ChatPage] = []

    async def visit(
        url: str,
        username: str | None = None,
        room: str = "",
        prepare: Callable[[ChatPage], Awaitable[None]] | None = None,
    ) -> ChatPage:
        context = await browser.new_context()
        page = ChatPage(await context.new_page())
        pages.append(page)
        if prepare is not None:
            await prepare(page)
        await page.open(url, room)
        if username is not None:
            await page.log_in(username)
        return page

    yield visit
    for page in pages:
        await page.page.context.close()
    assert [problem for page in pages for problem in page.problems] == []
