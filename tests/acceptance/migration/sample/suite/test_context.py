"""What resolvers read from `info.context`."""

import pytest

from .conftest import Connect
from .lines import line
from .speaking import hear, next_message


@line("context.access")
async def test_attributes_and_items(connect: Connect) -> None:
    """What is written one way is read the other; `in` and `_asdict()` know it."""
    client = await connect()

    assert (await client.execute("{ attributeAndItem }"))["data"] == {"attributeAndItem": True}


@line("context.access")
async def test_each_operation_has_its_own(connect: Connect) -> None:
    """What one writes, the next does not find."""
    client = await connect()

    for _ in range(2):
        assert (await client.execute("{ fresh }"))["data"] == {"fresh": True}


@line("context.channels_scope")
async def test_the_scope(connect: Connect) -> None:
    """What is written to it lasts for the connection, and for no other."""
    client, other = await connect(), await connect()

    assert (await client.execute('{ remember(text: "a knot") }'))["data"] == {"remember": None}

    assert (await client.execute("{ remember }"))["data"] == {"remember": "a knot"}
    assert (await other.execute("{ remember }"))["data"] == {"remember": None}


@line("context.operation")
async def test_the_operation(connect: Connect) -> None:
    """Its name and its id are the client's."""
    client = await connect()

    await client.start("query Who { operation }", operation_name="Who", msg_id="me")

    assert await hear(client, "me") == {"operation": ["Who", "me"]}


@line("context.channel_name")
async def test_the_channel(connect: Connect) -> None:
    """With a channel of its own for each connection (the old library knows nothing else)."""
    client = await connect(own_channel=True)

    assert (await client.execute("{ channel }"))["data"] == {"channel": True}


@line("context.channel_name")
@pytest.mark.ours("every connection has one")
async def test_no_channel(connect: Connect) -> None:
    """Without, the error says what to set."""
    client = await connect()

    id = await client.start("{ channel }")

    response = await next_message(client)
    assert response["id"] == id
    assert "own_channel" in response["payload"]["errors"][0]["message"]
