"""Somebody works with GraphiQL: every operation goes over one socket, and the page says how that fares."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import expect

from demo.sample_data import PASSWORDS
from tests.acceptance.graphiql.conftest import OpenGraphiQL
from tests.conftest import one_loop
from tests.support.graphiql import GraphiQLPage
from tests.support.server import Server

pytestmark = one_loop

Say = Callable[[str], Awaitable[None]]

LOBBY = 'subscription Lobby { onNewChatMessage(room: "lobby") { message { text } } }'
GARDEN = 'subscription Garden { onNewChatMessage(room: "garden") { message { text } } }'
LOGIN = f'mutation Login {{ login(username: "alice", password: "{PASSWORDS["alice"]}") {{ me {{ username }} }} }}'


class TestOperations:
    async def test_a_query(self, graphiql: GraphiQLPage) -> None:
        """Its result is shown."""
        await graphiql.write("query Rooms { rooms { slug } }")

        await graphiql.run()

        await graphiql.sees_result('"garden"')
        assert graphiql.sent_types() == ["connection_init", "subscribe"]

    async def test_a_mutation(self, graphiql: GraphiQLPage) -> None:
        """It acts on the page's connection: what follows is asked by the user who has logged in."""
        await graphiql.write(LOGIN)
        await graphiql.run()
        await graphiql.sees_result('"alice"')

        await graphiql.open_tab()
        await graphiql.write("query Me { me { id username } }")
        await graphiql.run()

        await graphiql.sees_result('"alice"')

    async def test_an_invalid_query(self, graphiql: GraphiQLPage) -> None:
        """The server's words are shown, and the page goes on."""
        await graphiql.write("query Wrong { nothing }")
        await graphiql.run()
        await graphiql.sees_result("Cannot query field 'nothing'")

        await graphiql.write("query Right { rooms { slug } }")
        await graphiql.run()

        await graphiql.sees_result('"garden"')

    async def test_the_keyboard(self, graphiql: GraphiQLPage) -> None:
        """Ctrl-Enter runs what is written."""
        await graphiql.write("query Rooms { rooms { slug } }")

        await graphiql.page.keyboard.press("ControlOrMeta+Enter")

        await graphiql.sees_result('"garden"')


class TestSubscriptions:
    async def test_three_events(self, graphiql: GraphiQLPage, say: Say) -> None:
        """Each event stays to be read, with its time and number, and whether it was shared; not only the last one."""
        await graphiql.write(LOBBY)
        await graphiql.run()
        await expect(graphiql.log).to_contain_text("Confirmed")

        for text in ("one", "two", "three"):
            await say(text)

        await expect(graphiql.log).to_contain_text("3 events, running")
        await expect(graphiql.events).to_have_count(3)
        for event, (number, text) in zip(
            await graphiql.events.all(), [(3, "three"), (2, "two"), (1, "one")], strict=True
        ):
            await expect(event.locator("code")).to_have_text(f'{{"message":{{"text":"{text}"}}}}')
            await expect(event.locator(".gqlws-number")).to_have_text(str(number))
            await expect(event).to_contain_text("personal")
        await graphiql.sees_result('"three"')

    async def test_stopping(self, graphiql: GraphiQLPage, say: Say) -> None:
        """`complete` is sent, and nothing more arrives."""
        await graphiql.write(LOBBY)
        await graphiql.run()
        await expect(graphiql.log).to_contain_text("Confirmed")

        await graphiql.stop()

        await expect(graphiql.log).to_contain_text("stopped by you")
        await say("into the void")
        assert graphiql.sent_types() == ["connection_init", "subscribe", "complete"]
        await expect(graphiql.events).to_have_count(0)

    async def test_two_tabs(self, graphiql: GraphiQLPage, say: Say) -> None:
        """A subscription goes on while another tab is looked at, and its tab shows what came meanwhile."""
        await graphiql.write(LOBBY)
        await graphiql.run()
        await expect(graphiql.log).to_contain_text("Confirmed")
        await graphiql.open_tab()
        await graphiql.write(GARDEN)
        await graphiql.run()
        await expect(graphiql.log).to_contain_text("Confirmed")
        await say("for the other tab")
        await expect(graphiql.log).to_contain_text("In other tabs: Lobby (1 event)")

        await graphiql.choose_tab("Lobby")

        await expect(graphiql.log).to_contain_text("1 event, running")
        await graphiql.sees_result('"for the other tab"')
        assert graphiql.sent_types() == ["connection_init", "subscribe", "subscribe"]

    async def test_a_closed_tab(self, graphiql: GraphiQLPage) -> None:
        """Its subscription ends."""
        await graphiql.open_tab()
        await graphiql.write(LOBBY)
        await graphiql.run()
        await expect(graphiql.log).to_contain_text("Confirmed")

        await graphiql.page.get_by_role("button", name="Close Tab").last.click()

        await expect(graphiql.log).to_have_count(0)
        assert graphiql.sent_types() == ["connection_init", "subscribe", "complete"]


class TestConnection:
    async def test_a_restart_of_the_server(self, server: Server, graphiql: GraphiQLPage, say: Say) -> None:
        """The page says what happened, connects again by itself, and the subscription goes on; what it showed stays."""
        await graphiql.write(LOBBY)
        await graphiql.run()
        await expect(graphiql.log).to_contain_text("Confirmed")
        await say("before the restart")
        await graphiql.sees_result('"before the restart"')
        server.stop()
        await graphiql.sees_state("reconnecting")
        await expect(graphiql.advice).to_contain_text("The server does not answer")
        await expect(graphiql.advice).to_contain_text("tried again by itself")

        server.start()

        await graphiql.sees_state("connected")
        await expect(graphiql.advice).to_have_count(0)
        await expect(graphiql.log.get_by_text("Confirmed")).to_have_count(2)
        await graphiql.sees_result('"before the restart"')
        await say("after the restart")
        await graphiql.sees_result('"after the restart"')
        await expect(graphiql.log.get_by_text("events may be missing here")).to_have_count(1)

    async def test_somebody_disconnects_it(self, server: Server, open_graphiql: OpenGraphiQL) -> None:
        """The page says so, with the words that came with it, and stays away until one presses the button."""
        page = await open_graphiql(f"{server.http_url}/graphiql/", link=lambda message: [message])

        await page.lose_socket(4401, "Blocked until noon")

        await page.sees_state("closed")
        await expect(page.advice).to_contain_text("server has disconnected you (4401: Blocked until noon)")
        await expect(page.page.get_by_role("button", name="Connect now")).to_be_visible()

    async def test_other_connection_params(self, graphiql: GraphiQLPage) -> None:
        """They are sent with the next `connection_init`."""
        await graphiql.page.get_by_text("Connection params").click()
        await graphiql.page.get_by_label("JSON").fill('{"token": "abc"}')

        await graphiql.page.get_by_role("button", name="Reconnect with these").click()

        await graphiql.sees_state("connected")
        inits = [message for message in graphiql.sent if message["type"] == "connection_init"]
        assert [init["payload"] for init in inits] == [{}, {"token": "abc"}]

    async def test_params_that_are_no_json(self, graphiql: GraphiQLPage) -> None:
        """The page says what to write, and stays connected."""
        await graphiql.page.get_by_text("Connection params").click()
        await graphiql.page.get_by_label("JSON").fill("token")

        await graphiql.page.get_by_role("button", name="Reconnect with these").click()

        await expect(graphiql.page.get_by_text('Write a JSON object such as {"token": "..."}')).to_be_visible()
        await graphiql.sees_state("connected")


async def test_under_another_name_of_the_host(server: Server, open_graphiql: OpenGraphiQL) -> None:
    """The socket's address is that of the page: what is allowed there works here."""
    page = await open_graphiql(f"http://localhost:{server.port}/graphiql/")

    await expect(page.page.get_by_text(f"ws://localhost:{server.port}/graphql/")).to_be_visible()
