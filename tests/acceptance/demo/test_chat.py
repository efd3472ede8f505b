"""People chat in real browser windows, and their connections break."""

from __future__ import annotations

from pathlib import Path

import pytest_asyncio
from playwright.async_api import expect

from demo.sample_data import MESSAGES
from tests.acceptance.demo.conftest import Visitor
from tests.conftest import one_loop
from tests.support.demo import PHONE, ChatPage, DemoServer, Relay, overflows

pytestmark = one_loop


@pytest_asyncio.fixture(loop_scope="session")
async def alice(demo: DemoServer, visitor: Visitor) -> ChatPage:
    """Alice in the lobby."""
    return await visitor(demo.http_url, "alice")


@pytest_asyncio.fixture(loop_scope="session")
async def bob(demo: DemoServer, visitor: Visitor) -> ChatPage:
    """Bob in the lobby."""
    return await visitor(demo.http_url, "bob")


class TestTwoWindows:
    async def test_what_one_writes_appears_in_the_other(self, alice: ChatPage, bob: ChatPage, key: str) -> None:
        """Both windows show the talk in the same order, without a reload."""
        await alice.write(f"question {key}")
        await bob.sees(f"question {key}")
        await bob.write(f"answer {key}")

        await alice.sees(f"question {key}", f"answer {key}")
        await bob.sees(f"question {key}", f"answer {key}")

    async def test_another_window_of_the_sender_shows_it(
        self, demo: DemoServer, alice: ChatPage, visitor: Visitor, key: str
    ) -> None:
        """Windows of one user are as any two windows."""
        second_window = await visitor(demo.http_url, "alice")

        await alice.write(key)

        await second_window.sees(key)

    async def test_a_message_stays_in_its_room(self, alice: ChatPage, bob: ChatPage, key: str) -> None:
        """Who is in another room sees it on entering."""
        await bob.enter("Garden")
        await alice.write(f"lobby {key}")
        await alice.enter("Garden")
        await alice.write(f"garden {key}")

        await bob.sees(f"garden {key}")
        await expect(bob.page.get_by_text(f"lobby {key}")).to_have_count(0)
        await bob.enter("Lobby")
        await bob.sees(f"lobby {key}")

    async def test_markup_is_shown_as_it_was_typed(self, alice: ChatPage, bob: ChatPage, key: str) -> None:
        """A message is text, never HTML."""
        text = f"<img src=x onerror=alert(1)> & <b>{key}</b>"

        await alice.write(text)

        await bob.sees(text)


class TestVisitor:
    async def test_who_is_not_logged_in_reads_the_history(self, demo: DemoServer, visitor: Visitor) -> None:
        """The sample messages are there; the field to write is not open."""
        page = await visitor(demo.http_url, room="workshop")

        await page.sees(*(text for room, _, text in MESSAGES if room == "workshop"))
        await expect(page.page.get_by_label("Message", exact=True)).to_be_disabled()
        await page.page.set_viewport_size(PHONE)
        assert not await overflows(page.page)


class TestAttention:
    async def test_what_is_said_elsewhere_is_counted_until_it_is_read(
        self, alice: ChatPage, bob: ChatPage, key: str
    ) -> None:
        """The room's link and the title say how much is unread, in the window of who has not said it."""
        for room in ("Garden", "Workshop"):
            await bob.enter(room)
            await expect(bob.messages.last).to_be_visible()
            await bob.sees_unread(room, 0)

        await alice.write(f"one {key}")
        await alice.write(f"two {key}")

        await bob.sees_unread("Lobby", 2)
        await expect(bob.page).to_have_title("(2) Workshop - Chat")
        await bob.enter("Lobby")
        await bob.sees(f"one {key}", f"two {key}")
        await expect(bob.page).to_have_title("Lobby - Chat")
        await alice.sees_unread("Lobby", 0)

    async def test_who_writes_is_named_until_it_is_said(self, alice: ChatPage, bob: ChatPage, key: str) -> None:
        """The others see it while one types, and no more when the message is there."""
        await bob.look_out_for("alice is writing")
        await alice.page.get_by_label("Message", exact=True).press_sequentially(key[:8])
        await bob.has_seen_it()

        await alice.page.keyboard.press("Enter")

        await bob.sees(key[:8])
        await expect(bob.page.get_by_text("alice is writing")).to_have_count(0)


class TestErrors:
    async def test_an_event_with_errors(self, demo: DemoServer, bob: ChatPage, visitor: Visitor, key: str) -> None:
        """The page says so, and shows what comes behind it."""
        alice = await visitor(demo.http_url, "alice", prepare=ChatPage.fail_before_each_event)

        await bob.write(key)

        await alice.sees(key)
        await expect(alice.problem).to_have_text("It broke.")

    async def test_a_message_that_is_refused(self, demo: DemoServer, visitor: Visitor, key: str) -> None:
        """It becomes the draft of the room that it was written in, not of the one that is open by then."""
        alice = await visitor(demo.http_url, "alice", prepare=ChatPage.refuse_messages)
        await alice.write(key)
        await alice.enter("Garden")

        alice.refuse()

        await expect(alice.problem).to_have_text("Not now.")
        text = alice.page.get_by_label("Message", exact=True)
        await expect(text).to_have_value("")
        await alice.enter("Lobby")
        await expect(text).to_have_value(key)


class TestBrokenConnections:
    async def test_what_was_said_meanwhile_is_shown_once_and_in_order(
        self, demo: DemoServer, bob: ChatPage, visitor: Visitor, key: str
    ) -> None:
        """A page whose connection was cut shows what it has missed as soon as it is back."""
        async with Relay(demo.port) as relay:
            alice = await visitor(relay.http_url, "alice")
            await bob.write(f"before {key}")
            await alice.sees(f"before {key}")
            await relay.cut()
            await alice.sees_state("connection lost, trying again")
            await bob.write(f"missed {key}")
            await bob.sees(f"before {key}", f"missed {key}")

            await relay.mend()

            await alice.sees(f"before {key}", f"missed {key}")
            await bob.write(f"after {key}")
            await alice.sees(f"before {key}", f"missed {key}", f"after {key}")

    async def test_what_was_written_meanwhile_is_sent_once_and_in_order(
        self, demo: DemoServer, bob: ChatPage, visitor: Visitor, key: str
    ) -> None:
        """A page without a connection keeps the messages for later."""
        async with Relay(demo.port) as relay:
            alice = await visitor(relay.http_url, "alice")
            await relay.cut()
            await alice.sees_state("connection lost, trying again")
            await alice.write(f"one {key}")
            await alice.write(f"two {key}")

            await relay.mend()

            for page in (alice, bob):
                await page.sees(f"one {key}", f"two {key}")

    async def test_after_a_restart_of_the_server_the_pages_go_on(self, demo_data: Path, visitor: Visitor) -> None:
        """They reconnect by themselves, still logged in, and no message is lost or doubled."""
        with DemoServer(demo_data) as server:
            alice = await visitor(server.http_url, "alice")
            bob = await visitor(server.http_url, "bob")
            await alice.write("before the restart")
            await bob.sees("before the restart")
            server.stop()
            await alice.sees_state("connection lost, trying again")
            await alice.write("while it was down")

            server.start()

            await bob.sees("before the restart", "while it was down")
            await bob.write("after the restart")
            for page in (alice, bob):
                await page.sees("before the restart", "while it was down", "after the restart")
