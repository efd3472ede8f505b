"""What the client for tests adds."""

from __future__ import annotations

import pytest

from django_gqlws.protocol.close import Close
from django_gqlws.testing import GraphqlWsClient
from tests.unit.client.servers import Server


async def connected() -> tuple[GraphqlWsClient, Server]:
    server = Server()
    client = GraphqlWsClient(server)
    await client.connect_and_init()
    await server.heard()
    return client, server


async def test_connecting_only() -> None:
    """The test says and hears everything itself."""
    server = Server()
    client = GraphqlWsClient(server)

    await client.connect_and_init(connect_only=True)
    assert server.has_heard_all
    assert client.connected

    await client.send_raw_message({"type": "connection_init"})
    assert await client.receive(raw_response=True) == {"type": "connection_ack"}
    await client.finalize()


async def test_a_raw_message() -> None:
    """It is sent as it is."""
    client, server = await connected()

    await client.send_raw_message({"no": "type"})

    assert await server.heard() == {"no": "type"}
    await client.finalize()


async def test_errors() -> None:
    """Those of an `error` have no data, those of a result may have; what comes before is skipped."""
    client, server = await connected()
    server.say(id="0", type="next", payload={"data": 1})
    server.say(id="1", type="error", payload=[{"message": "no"}])
    server.say(id="2", type="next", payload={"data": {"a": 1}, "errors": [{"message": "no"}]})

    assert await client.receive_error("1") == ([{"message": "no"}], None)
    assert await client.receive_error("2") == ([{"message": "no"}], {"a": 1})
    await client.finalize()


async def test_no_errors() -> None:
    """That is an AssertionError which shows what came."""
    client, server = await connected()
    server.say(id="1", type="next", payload={"data": 1})

    with pytest.raises(AssertionError, match="'data': 1"):
        await client.receive_error("1")
    await client.finalize()


async def test_no_messages() -> None:
    """Pings do not count."""
    client, server = await connected()
    server.say(type="ping")

    await client.assert_no_messages(attempts=1, interval=0.01)
    await client.finalize()


async def test_a_message_where_none_was_expected() -> None:
    """That is an AssertionError with the test's words and the message."""
    client, server = await connected()
    server.say(id="1", type="next", payload={"data": 1})

    with pytest.raises(AssertionError, match=r"hush.*'data': 1"):
        await client.assert_no_messages("hush")
    await client.finalize()


async def test_the_code_of_a_close() -> None:
    """It is the one that was expected, or an AssertionError shows what came."""
    client, server = await connected()
    server.close(4400, "why")

    assert await client.wait_disconnect(assert_code=4400) == Close(4400, "why")
    with pytest.raises(AssertionError, match=r"4403 was expected.*4400"):
        await client.wait_disconnect(assert_code=4403)
