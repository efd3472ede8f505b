"""Two processes of the demo, and a member of staff in front of the admin of the first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.admin import AdminPage
from tests.support.demo import DemoServer

SETTINGS = "tests.acceptance.admin.settings"


class Servers(NamedTuple):
    """The one with the admin, and the one that clients are connected to."""

    admin: DemoServer
    clients: DemoServer


@pytest.fixture(scope="module")
def servers(prepared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Two processes with one database."""
    data = copytree(prepared_data, tmp_path_factory.mktemp("admin") / "data")
    with DemoServer(data, settings=SETTINGS) as admin, DemoServer(data, settings=SETTINGS) as clients:
        yield Servers(admin, clients)


@pytest.fixture(scope="module")
def cookies() -> list[Any]:
    """Those of the admin's user, as soon as there are some: it logs in once."""
    return []


@pytest_asyncio.fixture(loop_scope="session")
async def staff(browser: Browser, servers: Servers, cookies: list[Any]) -> AsyncIterator[AdminPage]:
    """The admin's user, logged in. Nothing of the pages may have failed."""
    context = await browser.new_context()
    admin = AdminPage(await context.new_page(), servers.admin.http_url)
    if cookies:
        await context.add_cookies(cookies)
    else:
        await admin.log_in()
        cookies.extend(await context.cookies())
    yield admin
    await context.close()
    assert admin.problems == []
