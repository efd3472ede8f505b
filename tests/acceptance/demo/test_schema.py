"""The chat's schema over a socket: what it gives, and how it says no."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from demo.sample_data import MESSAGES, ROOMS
from tests.support.client import Client, connect
from tests.support.demo import DemoServer, log_in

SEND = """mutation ($room: String!, $text: String!, $key: UUID) {
  sendChatMessage(room: $room, text: $text, key: $key) {
    message { id text sender { username } room { slug } }
  }
}"""
LISTEN = """subscription ($room: String!) {
  onNewChatMessage(room: $room) { message { id text sender { username } } }
}"""
CONFIRMED = {"data": None}

OpenConnection = Callable[..., Awaitable[Client]]


@pytest.fixture
async def open_connection(demo: DemoServer) -> AsyncIterator[OpenConnection]:
    """A function that opens an acknowledged connection, logged in on request."""
    async with AsyncExitStack() as stack:

        async def open_one(username: str | None = None) -> Client:
            client = await stack.enter_async_context(connect(demo.ws_url))
            await client.init()
            if username is not None:
                await log_in(client, username)
            return client

        yield open_one


@pytest.fixture
async def anonymous(open_connection: OpenConnection) -> Client:
    """A connection of nobody in particular."""
    return await open_connection()


@pytest.fixture
async def alice(open_connection: OpenConnection) -> Client:
    """A connection on which alice has logged in."""
    return await open_connection("alice")


async def listen(client: Client, room: str) -> None:
    """Subscribe to a room; from the return on nothing is missed."""
    await client.subscribe("live", LISTEN, {"room": room})
    assert await client.receive() == {"id": "live", "type": "next", "payload": CONFIRMED}


class TestReading:
    async def test_rooms_and_who_one_is(self, anonymous: Client) -> None:
        """Who has not logged in is nobody, and may look around."""
        result = await anonymous.execute("1", "{ me { username } rooms { slug title } }")

        assert result["data"]["me"] is None
        assert {room["slug"]: room["title"] for room in result["data"]["rooms"]} == ROOMS

    async def test_the_history_ends_with_the_newest(self, anonymous: Client) -> None:
        """The last messages come in the order in which they were sent."""
        query = '{ history(room: "workshop", last: 1) { text sender { username } } }'

        result = await anonymous.execute("1", query)

        (_, sender, text) = [message for message in MESSAGES if message[0] == "workshop"][-1]
        assert result["data"]["history"] == [{"text": text, "sender": {"username": sender}}]

    async def test_messages_can_be_searched(self, anonymous: Client) -> None:
        """The filters of graphene-django work over the socket, also below another object."""
        result = await anonymous.execute(
            "1",
            """{ messages(text_Icontains: "TOMATOES") { edges { node { room { title messages(first: 1) {
                 edges { node { sender { username } } } } } } } } }""",
        )

        (edge,) = result["data"]["messages"]["edges"]
        assert edge["node"]["room"] == {
            "title": "Garden",
            "messages": {"edges": [{"node": {"sender": {"username": "bob"}}}]},
        }


class TestSending:
    async def test_the_message_reaches_the_others_of_the_room(self, alice: Client, anonymous: Client) -> None:
        """The connection that sends has the answer, every other one of the room the notification."""
        await listen(alice, "lobby")
        await listen(anonymous, "lobby")

        await alice.subscribe("send", SEND, {"room": "lobby", "text": "  hello  "})

        answer = (await alice.receive())["payload"]["data"]["sendChatMessage"]["message"]
        assert answer == {
            "id": answer["id"],
            "text": "hello",
            "sender": {"username": "alice"},
            "room": {"slug": "lobby"},
        }
        told = (await anonymous.receive())["payload"]["data"]["onNewChatMessage"]["message"]
        assert told == {"id": answer["id"], "text": "hello", "sender": {"username": "alice"}}
        assert await alice.barrier() == [{"id": "send", "type": "complete"}]

    async def test_sent_again_with_its_key_it_is_stored_and_told_once(
        self, alice: Client, open_connection: OpenConnection, anonymous: Client
    ) -> None:
        """Who did not get the answer may ask again, on another connection too."""
        await listen(anonymous, "garden")
        message = {"room": "garden", "text": "once", "key": uuid4().hex}
        reconnected = await open_connection("alice")

        first = await alice.execute("1", SEND, message)
        second = await reconnected.execute("1", SEND, message)
        await alice.execute("2", SEND, {"room": "garden", "text": "the next one"})

        assert first == second
        told = [(await anonymous.receive())["payload"]["data"]["onNewChatMessage"] for _ in range(2)]
        assert [each["message"]["text"] for each in told] == ["once", "the next one"]


class TestCatchingUp:
    async def test_history_goes_on_before_what_is_known(self, anonymous: Client) -> None:
        """Page by page back to the beginning, without a gap or a double."""
        query = 'query ($before: ID) { history(room: "workshop", last: 1, before: $before) { id text } }'
        texts, before = [], None

        while page := (await anonymous.execute("1", query, {"before": before}))["data"]["history"]:
            before = page[0]["id"]
            texts.insert(0, page[0]["text"])

        assert texts == [text for room, _, text in MESSAGES if room == "workshop"]

    async def test_what_was_missed_begins_with_what_is_known(self, alice: Client) -> None:
        """The first message that a page shows, and all behind it."""
        texts = ["one", "two", "three"]
        sent = [await alice.execute("1", SEND, {"room": "garden", "text": text}) for text in texts]
        since = sent[0]["data"]["sendChatMessage"]["message"]["id"]

        missed = await alice.execute(
            "1", 'query ($since: ID!) { catchUp(room: "garden", since: $since) { text } }', {"since": since}
        )

        assert [message["text"] for message in missed["data"]["catchUp"]] == texts

    async def test_own_messages_are_never_unread(self, alice: Client, anonymous: Client) -> None:
        """What others have said behind the mark is counted."""
        query = 'query ($read: ID!) { unread(marks: [{room: "workshop", read: $read}]) { room count } }'
        sent = await alice.execute("1", SEND, {"room": "workshop", "text": "mine"})
        mark = {"read": str(int(sent["data"]["sendChatMessage"]["message"]["id"]) - 1)}

        counted = [await client.execute("1", query, mark) for client in (alice, anonymous)]

        assert [each["data"]["unread"] for each in counted] == [
            [{"room": "workshop", "count": 0}],
            [{"room": "workshop", "count": 1}],
        ]


class TestRefusals:
    @pytest.mark.parametrize("deed", ['editChatMessage(id: %s, text: "x")', "deleteChatMessage(id: %s)"])
    async def test_who_has_not_written_a_message_cannot_change_it(
        self, deed: str, alice: Client, anonymous: Client, open_connection: OpenConnection
    ) -> None:
        """Neither another user, nor somebody who has not logged in; the message stays as it was."""
        sent = await alice.execute("1", SEND, {"room": "garden", "text": "mine"})
        message = sent["data"]["sendChatMessage"]["message"]
        mutation = f"mutation {{ {deed % message['id']} {{ __typename }} }}"

        refusals = [await client.execute("1", mutation) for client in (anonymous, await open_connection("bob"))]

        assert [each["errors"][0]["message"].split(":")[0] for each in refusals] == [
            "Log in first",
            "This message is not there any more, or it is not yours.",
        ]
        now = await alice.execute("1", f'{{ catchUp(room: "garden", since: {message["id"]}) {{ text }} }}')
        assert now["data"]["catchUp"] == [{"text": "mine"}]

    @pytest.mark.parametrize("number", ["x", "99999999999999999999999"])
    async def test_what_is_no_id_is_named(self, alice: Client, number: str) -> None:
        """Or nothing is found: neither is an internal error."""
        query = f'mutation {{ deleteChatMessage(id: "{number}") {{ id }} }}'

        result = await alice.execute("1", query)

        assert "message" in result["errors"][0]["message"]
        assert "Internal" not in result["errors"][0]["message"]

    async def test_who_is_not_logged_in_cannot_send(self, anonymous: Client) -> None:
        """The error names the mutation that helps."""
        result = await anonymous.execute("1", SEND, {"room": "lobby", "text": "hello"})

        assert result["data"] is None
        assert "Log in first" in result["errors"][0]["message"]

    async def test_after_the_logout_one_cannot_send(self, alice: Client) -> None:
        """The connection forgets its user at once."""
        result = await alice.execute("1", "mutation { logout { ok } }")
        assert result == {"data": {"logout": {"ok": True}}}

        result = await alice.execute("2", SEND, {"room": "lobby", "text": "hello"})

        assert "Log in first" in result["errors"][0]["message"]

    @pytest.mark.parametrize("text", ["", "   \n", "x" * 2001])
    async def test_a_message_has_1_to_2000_characters(self, alice: Client, text: str) -> None:
        """The error says how long a message is."""
        result = await alice.execute("1", SEND, {"room": "lobby", "text": text})

        assert "write 1 to 2000" in result["errors"][0]["message"]

    async def test_an_unknown_room_is_named(self, alice: Client) -> None:
        """The error says where the rooms are listed, for each way to use one."""
        for query in [
            'mutation { sendChatMessage(room: "nowhere", text: "hello") { message { id } } }',
            '{ history(room: "nowhere") { id } }',
        ]:
            result = await alice.execute("1", query)
            assert result["errors"][0]["message"] == "There is no room 'nowhere': ask for { rooms { slug } }."
        await alice.subscribe("1", LISTEN, {"room": "nowhere"})
        message = await alice.receive()
        assert message["type"] == "error"
        assert message["payload"][0]["message"] == "There is no room 'nowhere': ask for { rooms { slug } }."

    @pytest.mark.parametrize("last", [0, -1, 201])
    async def test_a_history_has_limits(self, anonymous: Client, last: int) -> None:
        """The error says how many messages one may ask for."""
        result = await anonymous.execute("1", f'{{ history(room: "lobby", last: {last}) {{ id }} }}')

        assert "ask for 1 to 200" in result["errors"][0]["message"]

    async def test_a_user_has_no_password_to_read(self, anonymous: Client) -> None:
        """Only the name of a user is in the schema."""
        await anonymous.subscribe("1", '{ history(room: "lobby") { sender { password } } }')

        assert (await anonymous.receive())["type"] == "error"
