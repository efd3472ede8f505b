"""What goes over the wire, in both subprotocols."""

from typing import Any

import pytest
from application.consumers import Doorman
from application.diary import diary
from application.subscriptions import OnMessage
from channels_graphql_ws import GraphqlWsResponseError
from channels_graphql_ws.testing import GraphqlWsClient

from .conftest import NEW, OLD, Connect
from .lines import line
from .speaking import hear, hear_text, listen, next_message


class TestResults:
    @line("protocol.result")
    @pytest.mark.parametrize(
        ("document", "data"),
        [
            ("{ value }", {"value": "value"}),
            ('mutation { say(room: "a", text: "b") { ok } }', {"say": {"ok": True}}),
        ],
    )
    async def test_a_result_then_complete(
        self, connect: Connect, subprotocol: str, document: str, data: dict[str, Any]
    ) -> None:
        """There is no errors key when there are none."""
        client = await connect(subprotocol=subprotocol)

        id = await client.start(document)

        kind = {NEW: "next", OLD: "data"}[subprotocol]
        assert await next_message(client) == {"id": id, "type": kind, "payload": {"data": data}}
        assert await next_message(client) == {"id": id, "type": "complete"}


class TestInvalidDocuments:
    @line("protocol.invalid", "testing.client")
    @pytest.mark.parametrize(("document", "count"), [("{ value", 1), ("{ nope nada }", 2), ("{ value } nonsense", 1)])
    async def test_in_the_new_protocol(self, connect: Connect, document: str, count: int) -> None:
        """One error with all errors, no complete."""
        client = await connect()

        id = await client.start(document)

        errors, data = await client.receive_error(id)
        assert len(errors) == count
        assert all(error["message"] and error["locations"] for error in errors)
        assert data is None
        assert (await client.execute("{ value }"))["data"] == {"value": "value"}

    @line("protocol.invalid", "testing.client")
    @pytest.mark.parametrize(("document", "count"), [("{ value", 1), ("{ nope nada }", 2)])
    async def test_in_the_old_protocol(self, connect: Connect, document: str, count: int) -> None:
        """A result with all errors and no data, then complete."""
        client = await connect(subprotocol=OLD)

        id = await client.start(document)

        errors, data = await client.receive_error(id)
        assert len(errors) == count
        assert data is None
        await client.receive_complete(id)

    @line("protocol.variables")
    async def test_variables_that_do_not_fit(self, connect: Connect, subprotocol: str) -> None:
        """A result with errors and no data, then complete, in both."""
        client = await connect(subprotocol=subprotocol)

        id = await client.start("query ($n: Int!) { echo(number: $n) }", variables={"n": "x"})

        payload = await receive_failure(client, id)
        assert payload["data"] is None
        assert "$n" in payload["errors"][0]["message"]
        await client.receive_complete(id)


class TestResolverErrors:
    @line("protocol.resolver_errors")
    async def test_a_resolver_raises(self, connect: Connect, subprotocol: str) -> None:
        """The rest of the data is there; the error has the resolver's own words and no extensions."""
        client = await connect(subprotocol=subprotocol)

        id = await client.start("{ value failing }")

        assert await receive_failure(client, id) == {
            "data": {"value": "value", "failing": None},
            "errors": [
                {"message": "the cat is out", "locations": [{"line": 1, "column": 9}], "path": ["failing"]},
            ],
        }
        await client.receive_complete(id)

    @line("protocol.resolver_errors")
    async def test_extensions_of_the_exception(self, connect: Connect) -> None:
        """They are passed on."""
        client = await connect()

        id = await client.start("{ refused }")

        assert (await receive_failure(client, id))["errors"][0]["extensions"] == {"code": "REFUSED"}


async def receive_failure(client: GraphqlWsClient, id: str) -> dict[str, Any]:
    """The payload of a result with errors."""
    with pytest.raises(GraphqlWsResponseError) as caught:
        await client.receive_next(id)
    return caught.value.response["payload"]


class TestRejected:
    @line("protocol.rejected")
    async def test_in_the_new_protocol(self, connect: Connect) -> None:
        """There is no acknowledgement, only a close with 4403."""
        client = await connect(Doorman, connect_only=True)

        await client.send_raw_message({"type": "connection_init", "payload": {"refuse": "not today"}})

        await client.wait_disconnect(assert_code=4403)

    @line("protocol.rejected")
    async def test_in_the_old_protocol(self, connect: Connect) -> None:
        """A connection_error says why; the close is 4000."""
        client = await connect(Doorman, subprotocol=OLD, connect_only=True)

        await client.send_raw_message({"type": "connection_init", "payload": {"refuse": "not today"}})

        assert await next_message(client) == {
            "type": "connection_error",
            "payload": {"message": "RuntimeError: not today", "extensions": {"code": "RuntimeError"}},
        }
        await client.wait_disconnect(assert_code=4000)


class TestUnknownMessages:
    @line("protocol.unknown_type")
    async def test_in_the_new_protocol(self, connect: Connect) -> None:
        """4400."""
        client = await connect()

        await client.send_raw_message({"type": "nonsense"})

        await client.wait_disconnect(assert_code=4400)

    @line("protocol.unknown_type")
    @pytest.mark.parametrize("id", ["7", None])
    async def test_in_the_old_protocol(self, connect: Connect, id: str | None) -> None:
        """An error with the id of the message, and the connection lives."""
        client = await connect(subprotocol=OLD)

        await client.send_raw_message({"type": "NONSENSE", **({"id": id} if id else {})})

        error = {"message": "Exception: Wrong message type 'NONSENSE'!", "extensions": {"code": "Exception"}}
        assert await next_message(client) == {"id": id, "type": "error", "payload": {"errors": [error]}}
        assert (await client.execute("{ value }"))["data"] == {"value": "value"}

    @line("protocol.terminate")
    async def test_connection_terminate(self, connect: Connect) -> None:
        """The old protocol's farewell: 1000."""
        client = await connect(subprotocol=OLD)

        await client.send_raw_message({"type": "connection_terminate"})

        await client.wait_disconnect(assert_code=1000)


class TestComplete:
    @line("protocol.complete", "protocol.echo", "subscription.unsubscribed")
    async def test_a_live_subscription(self, connect: Connect, subprotocol: str) -> None:
        """It is unsubscribed, the server says complete, and nothing follows."""
        client = await connect(subprotocol=subprotocol)
        id = await listen(client, "a")
        other = await listen(client, "b")

        await client.complete(id)

        assert await client.receive_complete(id) is None
        await diary.until("unsubscribed a")
        await OnMessage.broadcast(group="a", payload={"text": "too late"})
        await OnMessage.broadcast(group="b", payload={"text": "hello"})
        assert await hear_text(client, other) == "hello"
        assert diary.notes == ["unsubscribed a"]

    @line("protocol.complete")
    async def test_an_unknown_id(self, connect: Connect, subprotocol: str) -> None:
        """It is ignored."""
        client = await connect(subprotocol=subprotocol)

        await client.complete("nobody")

        id = await client.start("{ value }")
        assert await hear(client, id) == {"value": "value"}
