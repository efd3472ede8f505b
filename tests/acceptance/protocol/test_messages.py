"""Every message: what is wrong closes the socket with 4400, what is hostile breaks nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.client import Client, Closed, connect
from tests.support.project import Inside, ProjectServer
from tests.support.tables import situations

ECHO_JSON = "query ($value: GenericScalar) { echoJson(value: $value) }"
RECORD = "mutation ($key: String!) { record(key: $key) }"


def message(**keys: Any) -> str:
    """The text of a message with these keys."""
    return json.dumps(keys)


def subscribe(**payload: Any) -> str:
    """The text of a subscribe that is well-formed but for these keys of its payload."""
    return json.dumps({"type": "subscribe", "id": "1", "payload": {"query": "{ value }", **payload}})


def echo_json(value: str) -> str:
    """The text of a subscribe with this JSON text as a variable."""
    return subscribe(query=ECHO_JSON, variables={"value": "?"}).replace('"?"', value)


MALFORMED = {
    # situation: (text, code, what the reason mentions)
    "no JSON": ("hello", 4400, "JSON"),
    "empty text": ("", 4400, "JSON"),
    "only a space": (" ", 4400, "JSON"),
    "single quotes": ("{'type': 'ping'}", 4400, "JSON"),
    "a comma too many": ('{"type": "ping",}', 4400, "JSON"),
    "a comment": ('{"type": "ping"} // hello', 4400, "JSON"),
    "cut": ('{"type": "ping"', 4400, "JSON"),
    "cut within a string": ('{"type": "pi', 4400, "JSON"),
    "a byte order mark": ('\ufeff{"type": "ping"}', 4400, "JSON"),
    "two values": ('{"type": "ping"}{"type": "ping"}', 4400, "JSON"),
    "two values in two lines": ('{"type": "ping"}\n{"type": "ping"}', 4400, "JSON"),
    "NaN": ('{"type": "ping", "payload": {"x": NaN}}', 4400, "JSON"),
    "Infinity": ('{"type": "ping", "payload": {"x": Infinity}}', 4400, "JSON"),
    "minus Infinity": ('{"type": "ping", "payload": {"x": -Infinity}}', 4400, "JSON"),
    "NaN beside a long integer": (
        '{"type": "ping", "payload": {"x": [12345678901234567890, NaN]}}',
        4400,
        "JSON",
    ),
    "a string": ('"ping"', 4400, "object"),
    "a number": ("1", 4400, "object"),
    "a boolean": ("true", 4400, "object"),
    "null": ("null", 4400, "object"),
    "an empty list": ("[]", 4400, "object"),
    "a list of messages": ('[{"type": "ping"}]', 4400, "object"),
    "no type": ("{}", 4400, "type"),
    "no type, but an id": (message(id="1", payload={}), 4400, "type"),
    "type: null": (message(type=None), 4400, "type"),
    "type: empty": (message(type=""), 4400, "type"),
    "type: a number": (message(type=1), 4400, "type"),
    "type: a boolean": (message(type=True), 4400, "type"),
    "type: a list": (message(type=["ping"]), 4400, "type"),
    "type: an object": (message(type={"ping": 1}), 4400, "type"),
    "type: unknown": (message(type="hello"), 4400, "type"),
    "type: a space behind it": (message(type="ping "), 4400, "type"),
    "type: in capitals": (message(type="PING"), 4400, "type"),
    "type: capitalised": (message(type="Subscribe", id="1", payload={"query": "{ value }"}), 4400, "type"),
    "type: far too long": (message(type="😀" * 1000), 4400, "type"),
    "legacy: start": (message(type="start", id="1", payload={"query": "{ value }"}), 4400, "type"),
    "legacy: stop": (message(type="stop", id="1"), 4400, "type"),
    "legacy: connection_terminate": (message(type="connection_terminate"), 4400, "type"),
    "legacy: ka": (message(type="ka"), 4400, "type"),
    "legacy: data": (message(type="data", id="1", payload={"data": None}), 4400, "type"),
    "legacy: connection_error": (message(type="connection_error", payload={}), 4400, "type"),
    "only servers send connection_ack": (message(type="connection_ack"), 4400, "type"),
    "only servers send next": (message(type="next", id="1", payload={"data": None}), 4400, "type"),
    "only servers send error": (message(type="error", id="1", payload=[{"message": "x"}]), 4400, "type"),
    "subscribe without an id": (message(type="subscribe", payload={"query": "{ value }"}), 4400, "id"),
    "subscribe, id: null": (message(type="subscribe", id=None, payload={"query": "{ value }"}), 4400, "id"),
    "subscribe, id: empty": (message(type="subscribe", id="", payload={"query": "{ value }"}), 4400, "id"),
    "subscribe, id: a number": (message(type="subscribe", id=1, payload={"query": "{ value }"}), 4400, "id"),
    "subscribe, id: zero": (message(type="subscribe", id=0, payload={"query": "{ value }"}), 4400, "id"),
    "subscribe, id: a boolean": (
        message(type="subscribe", id=True, payload={"query": "{ value }"}),
        4400,
        "id",
    ),
    "subscribe, id: a list": (
        message(type="subscribe", id=["1"], payload={"query": "{ value }"}),
        4400,
        "id",
    ),
    "subscribe, id: an object": (
        message(type="subscribe", id={}, payload={"query": "{ value }"}),
        4400,
        "id",
    ),
    "complete without an id": (message(type="complete"), 4400, "id"),
    "complete, id: null": (message(type="complete", id=None), 4400, "id"),
    "complete, id: empty": (message(type="complete", id=""), 4400, "id"),
    "complete, id: a number": (message(type="complete", id=1), 4400, "id"),
    "complete, id: a list": (message(type="complete", id=[]), 4400, "id"),
    "complete, id: an object": (message(type="complete", id={"a": 1}), 4400, "id"),
    "subscribe without a payload": (message(type="subscribe", id="1"), 4400, "payload"),
    "subscribe, payload: null": (message(type="subscribe", id="1", payload=None), 4400, "payload"),
    "subscribe, payload: text": (message(type="subscribe", id="1", payload="{ value }"), 4400, "payload"),
    "subscribe, payload: a number": (message(type="subscribe", id="1", payload=1), 4400, "payload"),
    "subscribe, payload: a list": (message(type="subscribe", id="1", payload=["{ value }"]), 4400, "payload"),
    "query is missing": (message(type="subscribe", id="1", payload={}), 4400, "query"),
    "query: null": (subscribe(query=None), 4400, "query"),
    "query: a number": (subscribe(query=1), 4400, "query"),
    "query: an object": (subscribe(query={"kind": "Document"}), 4400, "query"),
    "query: a list": (subscribe(query=["{ value }"]), 4400, "query"),
    "variables: text": (subscribe(variables="{}"), 4400, "variables"),
    "variables: empty text": (subscribe(variables=""), 4400, "variables"),
    "variables: zero": (subscribe(variables=0), 4400, "variables"),
    "variables: an empty list": (subscribe(variables=[]), 4400, "variables"),
    "variables: false": (subscribe(variables=False), 4400, "variables"),
    "extensions: text": (subscribe(extensions="{}"), 4400, "extensions"),
    "extensions: zero": (subscribe(extensions=0), 4400, "extensions"),
    "extensions: an empty list": (subscribe(extensions=[]), 4400, "extensions"),
    "extensions: false": (subscribe(extensions=False), 4400, "extensions"),
    "operationName: zero": (subscribe(operationName=0), 4400, "operationName"),
    "operationName: a list": (subscribe(operationName=["A"]), 4400, "operationName"),
    "operationName: an object": (subscribe(operationName={}), 4400, "operationName"),
    "operationName: false": (subscribe(operationName=False), 4400, "operationName"),
    "ping, payload: text": (message(type="ping", payload="x"), 4400, "payload"),
    "ping, payload: empty text": (message(type="ping", payload=""), 4400, "payload"),
    "ping, payload: zero": (message(type="ping", payload=0), 4400, "payload"),
    "ping, payload: false": (message(type="ping", payload=False), 4400, "payload"),
    "ping, payload: a list": (message(type="ping", payload=[]), 4400, "payload"),
    "pong, payload: text": (message(type="pong", payload="x"), 4400, "payload"),
    "pong, payload: a number": (message(type="pong", payload=1), 4400, "payload"),
    "pong, payload: true": (message(type="pong", payload=True), 4400, "payload"),
    "pong, payload: a list": (message(type="pong", payload=[1]), 4400, "payload"),
}

NESTED = 100_000
HOSTILE = {
    "100,000 opening brackets": "[" * NESTED,
    "100,000 nested lists": "[" * NESTED + "]" * NESTED,
    "100,000 nested lists in a ping": '{"type": "ping", "payload": {"x": ' + "[" * NESTED + "]" * NESTED + "}}",
    "100,000 nested objects in a ping": '{"type": "ping", "payload": ' + '{"x":' * NESTED + "1" + "}" * NESTED + "}",
    "1,500 nested lists in a ping": '{"type": "ping", "payload": {"x": ' + "[" * 1500 + "]" * 1500 + "}}",
    "100,000 nested lists in a variable": echo_json("[" * NESTED + "]" * NESTED),
    "500 nested lists in a variable": echo_json("[" * 500 + "]" * 500),
    "100,000 nested selections": subscribe(query="{ value " * NESTED + "}" * NESTED),
    "100,000 nested lists in a document": subscribe(query="{ echoJson(value: " + "[" * NESTED + "]" * NESTED + ") }"),
    "1,000 fields": subscribe(query="{" + " value" * 1_000 + "}"),
    "40,000 keys": '{"type": "ping", ' + ", ".join(f'"{n}": {n}' for n in range(40_000)) + "}",
    "a 5,000-digit integer": "1" * 5000,
    "a 5,000-digit integer in a ping": '{"type": "ping", "payload": {"x": ' + "1" * 5000 + "}}",
    "a 5,000-digit integer in a variable": echo_json("1" * 5000),
    "a 5,000-digit integer in a document": subscribe(query="{ echoInt(number: " + "1" * 5000 + ") }"),
    "a number too large for a float in a ping": '{"type": "ping", "payload": {"x": 1e999}}',
    "a number too large for a float in a variable": echo_json("1e999"),
    "a lone surrogate in a variable": echo_json(r'"\ud800"'),
    "a lone surrogate as a key in a variable": echo_json(r'{"\udc00": 1}'),
    "a lone surrogate in a document": subscribe(query='{ echoText(text: "\ud800") }'),
    "a lone surrogate as a field": subscribe(query="{ \ud800 }"),
    "a lone surrogate in an id": message(type="subscribe", id="\ud800", payload={"query": "{ value }"}),
    "a lone surrogate in an operationName": subscribe(operationName="\udfff"),
    "a lone surrogate in a ping": message(type="ping", payload={"x": "\ud800", "\udc00": 1}),
    "a lone surrogate in a type": message(type="\ud800"),
    "a NUL in an id": message(type="subscribe", id="\x00", payload={"query": "{ value }"}),
}

EXTRA_KEYS = {
    "an id and a query": message(type="ping", id=5, query=[], payload={"n": 1}),
    "names from JavaScript": message(type="ping", __proto__={}, constructor=1, payload={"n": 1}),
}

OPERATIONS = {
    # what runs: (document, what is noted in the server when it ends)
    "a query": ("query ($key: String!) { slowValue(key: $key) }", "CANCELLED"),
    "a native stream": ("subscription ($key: String!) { silent(key: $key) }", "RELEASED"),
    "a subscription": (
        'subscription ($key: String!) { onMessage(group: "room", key: $key) { text } }',
        "UNSUBSCRIBED",
    ),
    "a subscription that is preparing": (
        "subscription ($key: String!) { onSlowMessage(key: $key) { text } }",
        "CANCELLED",
    ),
}


class TestMalformed:
    @pytest.mark.parametrize(("text", "code", "mentioned"), situations(MALFORMED))
    async def test_it_closes_the_socket_and_says_why(
        self, project: ProjectServer, client: Client, text: str, code: int, mentioned: str
    ) -> None:
        """The very next thing is the close, and its reason names what is wrong."""
        await client.send_text(text)

        closed = await client.closed()
        assert closed.code == code
        assert (mentioned in closed.reason) == (project.reason("any") != ""), closed.reason

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(MALFORMED[situation][0], id=situation)
            for situation in (
                "no JSON",
                "a list of messages",
                "type: unknown",
                "query: null",
                "complete, id: a list",
            )
        ],
    )
    async def test_it_closes_with_4400_before_init_as_well(self, newcomer: Client, text: str) -> None:
        """The shape of a message is looked at before the state of the connection."""
        await newcomer.send_text(text)

        await newcomer.expect_close(4400)

    @pytest.mark.parametrize("data", [b'{"type": "ping"}', b"", b"\x00\xff"], ids=["JSON", "empty", "bytes"])
    async def test_a_binary_frame_closes_with_4400(self, project: ProjectServer, client: Client, data: bytes) -> None:
        """The protocol speaks in text frames."""
        await client.send_bytes(data)

        closed = await client.closed()
        assert closed.code == 4400
        assert ("inary" in closed.reason) == (project.reason("any") != "")

    async def test_text_that_is_not_utf8_closes(self, project: ProjectServer, client: Client) -> None:
        """The server underneath refuses it with 1007, or the package with 4400. (Daphne drops the connection.)"""
        await client.websocket.send(b'{"type": "ping", "payload": {"x": "\xff\xfe"}}', text=True)

        await client.expect_close([1007, 4400] if project.kind == "uvicorn" else [1006, 1007, 4400])

    @pytest.mark.parametrize("situation", ["no JSON", "type: unknown", "subscribe without an id", "variables: zero"])
    async def test_nothing_behind_it_is_executed(
        self, client: Client, inside: Inside, key: str, situation: str
    ) -> None:
        """A mutation in the same packet, behind the malformed message, never runs."""
        await client.send_together(
            MALFORMED[situation][0],
            {"type": "subscribe", "id": "1", "payload": {"query": RECORD, "variables": {"key": key}}},
        )

        await client.expect_close(4400)
        assert await inside.count("EXECUTED", key) == 0

    async def test_what_was_queued_before_it_is_not_executed(
        self, project: ProjectServer, inside: Inside, key: str
    ) -> None:
        """A mutation that waits behind another operation is dropped with the socket."""
        async with connect(project.url("ordered/")) as client:
            await client.init()
            await client.subscribe("1", "query ($key: String!) { slowValue(key: $key) }", {"key": key})
            await inside.reached("STARTED", key)
            await client.send_together(
                {"type": "subscribe", "id": "2", "payload": {"query": RECORD, "variables": {"key": key}}},
                "hello",
            )

            await client.expect_close(4400)

        await inside.reached("CANCELLED", key)
        assert await inside.count("EXECUTED", key) == 0

    @pytest.mark.parametrize(("document", "end"), situations(OPERATIONS))
    async def test_the_operations_of_the_socket_end(
        self, client: Client, inside: Inside, key: str, document: str, end: str
    ) -> None:
        """Whatever runs is cancelled and its source stream released."""
        await client.subscribe("1", document, {"key": key})
        await inside.reached("STARTED", key)

        await client.send_text("hello")

        await client.expect_close(4400)
        await inside.reached(end, key)

    async def test_other_sockets_do_not_notice(self, project: ProjectServer, client: Client) -> None:
        """Only the socket of the malformed message closes."""
        async with connect(project.url()) as other:
            await other.init()

            await other.send_text("hello")

            await other.expect_close(4400)
        assert await client.execute("1", "{ value }") == {"data": {"value": "value"}}


class TestExtraKeys:
    @pytest.mark.parametrize("text", situations(EXTRA_KEYS))
    async def test_they_are_ignored_in_a_ping(self, client: Client, text: str) -> None:
        """What the protocol does not name has no meaning."""
        await client.send_text(text)

        assert await client.receive() == {"type": "pong", "payload": {"n": 1}}

    async def test_they_are_ignored_in_connection_init(self, newcomer: Client) -> None:
        """Also beside the payload of the first message."""
        await newcomer.send(type="connection_init", id="1", hello=[])

        assert await newcomer.receive() == {"type": "connection_ack"}

    async def test_they_are_ignored_in_subscribe_and_its_payload(self, client: Client) -> None:
        """On both levels."""
        payload = {"query": "{ value }", "doc_id": 7, "key": None}
        await client.send(type="subscribe", id="1", payload=payload, query="{ nope }", variables=5)

        assert await client.receive() == {"id": "1", "type": "next", "payload": {"data": {"value": "value"}}}
        assert await client.receive() == {"id": "1", "type": "complete"}

    async def test_they_are_ignored_in_complete(self, client: Client, inside: Inside, key: str) -> None:
        """A payload of whatever type does not change what complete means."""
        await client.subscribe("1", "subscription ($key: String!) { silent(key: $key) }", {"key": key})
        await inside.reached("STARTED", key)

        await client.send(type="complete", id="1", payload="hello")

        await inside.reached("RELEASED", key)
        assert await client.barrier() == []

    @pytest.mark.parametrize("optional", ["operationName", "variables", "extensions"])
    async def test_null_is_as_good_as_absent(self, client: Client, optional: str) -> None:
        """Clients may send what they do not use as null."""
        await client.send(type="subscribe", id="1", payload={"query": "{ value }", optional: None})

        assert await client.receive() == {"id": "1", "type": "next", "payload": {"data": {"value": "value"}}}

    async def test_extensions_are_taken(self, client: Client) -> None:
        """An object of extensions has no effect of its own."""
        await client.send(type="subscribe", id="1", payload={"query": "{ value }", "extensions": {"trace": [1]}})

        assert await client.receive() == {"id": "1", "type": "next", "payload": {"data": {"value": "value"}}}


class TestHostile:
    @pytest.mark.parametrize("text", situations(HOSTILE))
    async def test_it_gets_an_answer_or_4400(self, client: Client, inside: Inside, text: str) -> None:
        """It is never a crash: neither of this socket nor of the process."""
        await client.send_text(text)

        outcome = await receive_or_close(client)
        if isinstance(outcome, Closed):
            assert outcome.code == 4400
        else:
            assert await is_alive(client)
        # Another socket of the same process is served as before.
        await inside.collect_garbage()

    async def test_integers_keep_every_digit(self, client: Client) -> None:
        """Integers beyond 64 bits come back as they went in."""
        number = 123456789012345678901234567890
        document = "query ($value: GenericScalar) { echoJson(value: $value) }"

        result = await client.execute("1", document, {"value": [number, -number, 2**53 + 1, 2**64]})

        assert result == {"data": {"echoJson": [number, -number, 2**53 + 1, 2**64]}}

    async def test_text_comes_back_as_it_went(self, client: Client) -> None:
        """All of Unicode, control characters included."""
        text = 'é€😀\x00\x1f\u2028\u2029\ufeff\uffff"\\/</script>'

        result = await client.execute("1", "query ($text: String) { echoText(text: $text) }", {"text": text})

        assert result == {"data": {"echoText": text}}


async def receive_or_close(client: Client) -> dict[str, Any] | Closed:
    try:
        return await client.receive()
    except Closed as closed:
        return closed


async def is_alive(client: Client) -> bool:
    payload = {"still": "alive"}
    await client.send(type="ping", payload=payload)
    while (message := await client.receive())["type"] != "pong":
        pass
    return message == {"type": "pong", "payload": payload}
