"""The first page: where to go from there, and what to type."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from playwright.async_api import Browser, Page, expect

from demo.sample_data import PASSWORDS
from tests.conftest import one_loop
from tests.support.demo import PHONE, DemoServer, collect_problems, overflows

pytestmark = one_loop


async def test_it_leads_to_all_there_is(demo: DemoServer, browser: Browser) -> None:
    """Chat, GraphiQL and admin are there; a policy lets nothing foreign in; it fits on a phone."""
    page = await browser.new_page(viewport=PHONE)
    problems = collect_problems(page)

    response = await page.goto(demo.http_url)

    assert response is not None
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert not await overflows(page)
    for name in ("Chat", "GraphiQL", "Admin"):
        await expect(page.get_by_role("link", name=re.compile(f"^{name}"))).to_be_visible()
    for address in await links(page):
        answer = await page.request.get(urljoin(demo.http_url, address))
        assert answer.status == 200, address
    assert problems == []
    await page.close()


async def test_it_says_how_to_log_in_and_what_to_type(demo: DemoServer, browser: Browser) -> None:
    """The users of demo_setup, and commands that exist, with the address of this server."""
    page = await browser.new_page()

    await page.goto(demo.http_url)

    for password in PASSWORDS.values():
        await expect(page.get_by_role("cell", name=password)).to_be_visible()
    lines = await page.locator("dt code").all_text_contents()
    assert any(line.endswith(f"gqlws_check --url {demo.ws_url}") for line in lines)
    await page.close()


async def links(page: Page) -> list[str]:
    """Where the links of a page lead."""
    return [await link.get_attribute("href") or "" for link in await page.get_by_role("link").all()]
