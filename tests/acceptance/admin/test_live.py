"""A member of staff watches who is connected, and stops one."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from tests.acceptance.admin.conftest import Servers
from tests.conftest import one_loop
from tests.support.admin import AdminPage, session_of
from tests.support.client import Client, connect, is_let_in

pytestmark = one_loop


async def listen(client: Client, id: str, room: str) -> None:
    """Return when the subscription can miss nothing any more."""
    name = f"{room.title()}{id}"
    await client.subscribe(id, f'subscription {name} {{ onNotice(room: "{room}") {{ text }} }}')
    assert (await client.receive())["type"] == "next"


async def test_staff_ends_one_of_two_subscriptions(browser: Browser, servers: Servers, staff: AdminPage) -> None:
    """The list shows both without a reload, and keeps its filter; one client gets `complete`, the other goes on."""
    url = servers.clients.ws_url
    alice_session = await session_of(browser, servers.clients, "alice")
    bob_session = await session_of(browser, servers.clients, "bob")
    await staff.open("subscription/")
    async with connect(url, headers=alice_session) as alice, connect(url, headers=bob_session) as bob:
        for client in (alice, bob):
            await client.init()
            await listen(client, "1", "lobby")
        await expect(staff.row("alice")).to_have_count(1)
        await expect(staff.row("bob")).to_have_count(1)

        await staff.open("subscription/")  # The filters know users since they have come.
        await staff.filter_by("user", "alice")
        await listen(bob, "2", "garden")
        await listen(alice, "2", "garden")
        await expect(staff.row("Garden2")).to_have_count(1)
        await expect(staff.row("bob")).to_have_count(0)

        await staff.row("Lobby1").get_by_role("checkbox").check()
        await staff.choose_action("End the selected subscriptions")
        await expect(staff.page.get_by_text("End 1 subscription?")).to_be_visible()
        await staff.confirm("End")

        await expect(staff.message).to_contain_text("1 subscription was ended.")
        assert await alice.receive() == {"id": "1", "type": "complete"}
        await expect(staff.row("Lobby1")).to_have_count(0)
        await send_from_admin(staff, "lobby", '"Tea is ready"')
        notice = (await bob.receive())["payload"]["data"]["onNotice"]["text"]
        assert notice == "Tea is ready"
        assert await alice.barrier() == []


async def send_from_admin(staff: AdminPage, group: str, payload: str) -> None:
    """Broadcast from the form, by way of its preview."""
    await staff.page.goto(f"{staff.url}django_gqlws/membership/broadcast/")
    await staff.page.get_by_label("Subscription class").select_option("demo.schema.live.OnNotice")
    await staff.page.get_by_label("Group").fill(group)
    await staff.page.get_by_label("Payload").fill(payload)
    await staff.page.get_by_role("button", name="Preview").click()
    await expect(staff.page.get_by_text("1 live subscription gets it now.")).to_be_visible()
    await staff.page.get_by_role("button", name="Send").click()
    await expect(staff.message).to_contain_text("The broadcast was sent.")


async def test_what_is_selected_and_focused(servers: Servers, staff: AdminPage) -> None:
    """It stays so when rows come and go."""
    async with connect(servers.clients.ws_url) as client:
        await client.init()
        await listen(client, "1", "workshop")
        await staff.open("subscription/?q=Workshop")
        first = staff.row("Workshop1").get_by_role("checkbox")
        await first.check()
        await first.focus()

        await listen(client, "2", "workshop")
        await expect(staff.row("Workshop2")).to_have_count(1)

        await expect(first).to_be_checked()
        assert await staff.has_focus(first)
        await expect(staff.page.locator(".action-counter")).to_have_text("1 of 2 selected")
        await staff.page.locator("#action-toggle").check()
        await expect(staff.row("Workshop2").get_by_role("checkbox")).to_be_checked()


async def test_a_user_who_is_blocked(browser: Browser, servers: Servers, staff: AdminPage) -> None:
    """From the page of a connection: its socket is closed with the reason, and a new one is refused until unblocked."""
    url = servers.clients.ws_url
    # By its name: the connection over which bob has logged in may still be listed.
    session = {**await session_of(browser, servers.clients, "bob"), "User-Agent": "flooder"}
    async with connect(url, headers=session) as bob:
        await bob.init()
        await staff.open("connection/?q=flooder")
        await expect(staff.rows).to_have_count(1)
        await staff.rows.get_by_role("link", name="bob").click()
        await staff.page.get_by_role("button", name="Block the user").click()
        await staff.page.get_by_label("Reason").fill("Flooding")
        await staff.confirm("Block the user")

        await expect(staff.message).to_contain_text("1 user was blocked.")
        closed = await bob.closed()
        assert closed.code == 4401
        assert closed.reason.endswith("Flooding")
    async with connect(url, headers=session) as bob:
        await bob.send(type="connection_init")
        await bob.expect_close([4401, 4403])

    await staff.open("blockeduser/")
    await staff.row("bob").get_by_role("checkbox").check()
    await staff.choose_action("Unblock the selected users")
    await staff.confirm("Unblock")
    await expect(staff.message).to_contain_text("may connect again")
    await is_let_in(url, session)


@pytest.mark.parametrize(("afterwards", "code"), [("may connect again", 4499), ("stay away", 4401)])
async def test_a_client_that_is_disconnected(afterwards: str, code: int, servers: Servers, staff: AdminPage) -> None:
    """It is told the reason, and by the code whether to come back."""
    async with connect(servers.clients.ws_url, headers={"User-Agent": afterwards}) as client:
        await client.init()
        await staff.open(f"connection/?q={afterwards}")
        await expect(staff.rows).to_have_count(1)
        await staff.rows.get_by_role("checkbox").check()
        await staff.choose_action("Disconnect the selected clients")
        await staff.page.get_by_label(afterwards).check()
        await staff.page.get_by_label("Reason").fill("Tea time")
        await staff.confirm("Disconnect")

        await client.expect_close(code, "Tea time")


async def test_the_overview(servers: Servers, staff: AdminPage) -> None:
    """Its charts are drawn, say their numbers to those who do not see them, and to the keyboard."""
    async with connect(servers.clients.ws_url) as client:
        await client.init()
        await staff.open("sample/")
        chart = staff.page.locator(".gqlws-chart", has_text="Connections")

        await expect(chart.locator(".line, .dot")).not_to_have_count(0)
        await expect(chart.get_by_role("img")).to_have_attribute("aria-label", re.compile(r"^Now \d"))
        await chart.get_by_role("img").focus()
        await staff.page.keyboard.press("ArrowLeft")
        await expect(chart.locator("output")).to_contain_text("·")


async def test_a_server_that_does_not_answer(staff: AdminPage) -> None:
    """The page says so, and goes on by itself when it does."""
    await staff.open("process/")

    await staff.page.context.set_offline(True)
    await expect(staff.state).to_contain_text("does not answer")

    await staff.page.context.set_offline(False)
    await expect(staff.state).to_have_text("Live")


async def test_a_page_that_nobody_looks_at(staff: AdminPage) -> None:
    """It asks for nothing while it is hidden or paused, and at once when it is looked at again."""
    await staff.page.clock.install()
    await staff.open("process/")
    asked: list[str] = []

    await staff.page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    await staff.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    staff.page.on("request", lambda request: asked.append(request.url))
    await staff.page.clock.run_for(600_000)
    assert asked == []

    await staff.page.evaluate("Object.defineProperty(document, 'hidden', { value: false, configurable: true })")
    async with staff.page.expect_request("**/process/"):
        await staff.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await staff.page.get_by_role("button", name="Pause").click()
    await expect(staff.state).to_have_text("Paused")
