"""The admin in a browser, as a member of staff sees it, and users with a session."""

from __future__ import annotations

from playwright.async_api import Browser, Locator, Page, expect

from demo.sample_data import PASSWORDS
from tests.support.client import connect
from tests.support.demo import DemoServer, log_in

expect.set_options(timeout=30_000)


class AdminPage:
    """What a person sees and does in the admin."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = f"{url}/admin/"
        self.problems: list[str] = []
        """Errors that no code has caught, and what the Content-Security-Policy has refused."""
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: self._read_console(message.text))
        self.state: Locator = page.locator("#gqlws-live").get_by_role("status")
        self.rows: Locator = page.locator("#result_list tbody tr")
        self.message: Locator = page.locator(".messagelist")

    def _read_console(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.problems.append(text)

    async def log_in(self) -> None:
        """As the admin of the demo."""
        await self.page.goto(self.url)
        await self.page.get_by_label("Username").fill("admin")
        await self.page.get_by_label("Password").fill(PASSWORDS["admin"])
        await self.page.get_by_role("button", name="Log in").click()
        await expect(self.page.get_by_text("Site administration")).to_be_visible()

    async def open(self, path: str) -> None:
        """One of the pages that refresh themselves, below those of the app."""
        await self.page.goto(f"{self.url}django_gqlws/{path}")
        await expect(self.state).to_have_text("Live")

    def row(self, text: str) -> Locator:
        """The rows of a list with this text."""
        return self.rows.filter(has_text=text)

    async def filter_by(self, title: str, value: str) -> None:
        """Choose a value of a filter."""
        filters = self.page.locator(f'#changelist-filter details[data-filter-title="{title}"]')
        await filters.get_by_role("link", name=value, exact=True).click()
        await expect(self.state).to_have_text("Live")

    async def choose_action(self, name: str) -> None:
        """Run an action for what is selected, up to the page that asks."""
        await self.page.get_by_label("Action:").select_option(label=name)
        # "Go" before Django 6.1, "Run" since.
        await self.page.locator("button[name=index]").first.click()

    async def confirm(self, name: str) -> None:
        """Press the button of the page that asks."""
        await self.page.locator(".submit-row").get_by_role("button", name=name).click()

    async def has_focus(self, locator: Locator) -> bool:
        """Whether what somebody types would go there."""
        focused: bool = await locator.evaluate("(element) => element === document.activeElement")
        return focused


async def session_of(browser: Browser, server: DemoServer, username: str) -> dict[str, str]:
    """The headers of somebody who has logged in on the demo's page."""
    async with connect(server.ws_url) as client:
        await client.init()
        token = await log_in(client, username)
    context = await browser.new_context()
    await context.request.get(f"{server.http_url}/chat/")
    csrf = {cookie["name"]: cookie["value"] for cookie in await context.cookies()}["csrftoken"]
    response = await context.request.post(
        f"{server.http_url}/login/", form={"token": token}, headers={"X-CSRFToken": csrf}
    )
    assert response.ok
    cookies = await context.cookies()
    await context.close()
    return {"Cookie": "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in cookies)}
