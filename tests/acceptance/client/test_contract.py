"""What the client promises, over every transport."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from django_gqlws import GraphqlWsClient, GraphqlWsResponseError
from django_gqlws.exceptions import ConnectionClosedError, ConnectionFailedError
from tests.acceptance.client.conftest import NEW, OLD, Transport

ON_MESSAGE = "subscription ($group: String!) { onMessage(group: $group) { text } }"
BROADCAST = "mutation ($group: String!, $text: String!) { broadcast(group: $group, text: $text) }"
COUNT_TO = "subscription ($n: Int!) { countTo(n: $n) }"


async def test_a_query(client: GraphqlWsClient) -> None:
    """Its result comes back, and nothing else."""
    assert await client.execute("{ value }") == {"data": {"value": "value"}}


async def test_variables(client: GraphqlWsClient) -> None:
    """They arrive as they are, whatever their letters and size."""
    text = "ä🙂\n" + "x" * 100_000

    result = await client.execute("query ($text: String) { echoText(text: $text) }", {"text": text})

    assert result == {"data": {"echoText": text}}


async def test_many_at_once(client: GraphqlWsClient) -> None:
    """1,000 operations on one connection: each gets its own result."""
    document = "query ($number: Int) { echoInt(number: $number) }"

    results = await asyncio.gather(*(client.execute(document, {"number": number}) for number in range(1000)))

    assert [result["data"]["echoInt"] for result in results] == list(range(1000))


@pytest.mark.parametrize("document", ["{", "{ unknown }", "{ refused }", ""])
async def test_errors(client: GraphqlWsClient, document: str) -> None:
    """They are raised at once, with the server's response, and the client goes on."""
    with pytest.raises(GraphqlWsResponseError) as caught:
        await client.execute(document)

    assert caught.value.response["type"] in ("next", "data", "error")
    assert "message" in repr(caught.value)
    assert await client.execute("{ value }") == {"data": {"value": "value"}}


@pytest.mark.parametrize("subprotocol", [NEW])
async def test_a_subscription_by_hand(client: GraphqlWsClient, key: str) -> None:
    """Confirmed, it misses no broadcast; completed, it gets none."""
    id = await client.subscribe(ON_MESSAGE, variables={"group": key})

    await client.execute(BROADCAST, {"group": key, "text": "one"})
    assert await client.receive_next(id) == {"data": {"onMessage": {"text": "one"}}}

    await client.complete(id)
    await client.execute(BROADCAST, {"group": key, "text": "two"})
    await client.start("{ value }", msg_id="the next")
    assert await client.receive_next("the next") == {"data": {"value": "value"}}
    await client.receive_complete("the next")


async def test_streams(client: GraphqlWsClient, key: str) -> None:
    """Several at once, each with its own results, in order."""

    async def read(group: str) -> list[Any]:
        texts: list[Any] = []
        async for result in client.stream(ON_MESSAGE, {"group": group}):
            if result["data"] is None:
                ready.release()
                continue
            texts.append(result["data"]["onMessage"]["text"])
            if len(texts) == 20:
                break
        return texts

    ready = asyncio.Semaphore(0)
    reading = [asyncio.create_task(read(f"{key}{number}")) for number in range(3)]
    for _ in reading:
        await ready.acquire()

    for text in range(20):
        for number in range(3):
            await client.execute(BROADCAST, {"group": f"{key}{number}", "text": f"{number}-{text}"})

    assert await asyncio.gather(*reading) == [[f"{number}-{text}" for text in range(20)] for number in range(3)]


async def test_a_stream_that_ends(client: GraphqlWsClient) -> None:
    """All of it comes, in order, although far more than the client keeps comes at once."""
    numbers = []
    async for result in client.stream(COUNT_TO, {"n": 3000}):
        numbers.append(result["data"]["countTo"])
        await asyncio.sleep(0)

    assert numbers == list(range(1, 3001))


async def test_a_stream_that_is_left(client: GraphqlWsClient, key: str) -> None:
    """The server releases it."""
    async with client.stream("subscription ($key: String!) { countForever(key: $key) }", {"key": key}) as stream:
        async for result in stream:
            if result["data"]["countForever"] == 3:
                break

    result = await client.execute("query ($key: String!) { reached(event: RELEASED, key: $key) }", {"key": key})
    assert result == {"data": {"reached": 1}}


@pytest.mark.parametrize("subprotocol", [OLD])
async def test_a_subscription_by_hand_in_the_legacy_dialect(client: GraphqlWsClient, key: str) -> None:
    """The same, and the server says when it is over."""
    id = await client.subscribe(ON_MESSAGE, variables={"group": key})

    await client.execute(BROADCAST, {"group": key, "text": "one"})
    assert await client.receive_next(id) == {"data": {"onMessage": {"text": "one"}}}

    await client.complete(id)
    await client.receive_complete(id)


@pytest.mark.parametrize("subprotocol", [NEW])
async def test_a_stream_that_is_refused(client: GraphqlWsClient) -> None:
    """The server's error is raised."""
    with pytest.raises(GraphqlWsResponseError, match="not for you"):
        async for _ in client.stream("subscription { onRefusedMessage { text } }"):
            pass


@pytest.mark.parametrize("subprotocol", [OLD])
async def test_a_stream_that_is_refused_in_the_legacy_dialect(client: GraphqlWsClient) -> None:
    """The errors come as a result, as that protocol has it, and the stream ends."""
    (result,) = [result async for result in client.stream("subscription { onRefusedMessage { text } }")]

    assert result["data"] is None
    assert result["errors"][0]["message"] == "not for you"


async def test_the_payloads_of_the_handshake(transport: Transport) -> None:
    """The client's reaches `on_connect`, whose answer comes back."""
    client = GraphqlWsClient(transport("doorman/"))

    assert await client.connect_and_init({"ack": {"hello": "ann"}}) == {"hello": "ann"}

    await client.finalize()


async def test_a_refused_client_of_the_legacy_dialect(transport: Transport) -> None:
    """It learns the server's words at once."""
    client = GraphqlWsClient(transport("legacy/"), OLD)

    with pytest.raises(GraphqlWsResponseError, match="not today"):
        await client.connect_and_init({"refuse": "GraphQLError", "reason": "not today"})

    assert not client.connected


async def test_a_refused_client(transport: Transport) -> None:
    """It learns the code at once, and its transport can be used again."""
    client = GraphqlWsClient(transport("doorman/"))

    with pytest.raises(ConnectionClosedError) as caught:
        await client.connect_and_init({"refuse": "GraphQLError", "reason": "not today"})

    assert caught.value.code == 4403
    assert not client.connected
    await client.connect_and_init()
    assert await client.execute("{ value }") == {"data": {"value": "value"}}
    await client.finalize()


async def test_the_server_closes(transport: Transport, key: str) -> None:
    """Everybody who waits learns it at once."""
    client = GraphqlWsClient(transport("graphql/"))
    await client.connect_and_init()
    waiting = [
        asyncio.create_task(client.execute("query ($key: String!) { slowValue(key: $key) }", {"key": key})),
        asyncio.create_task(client.receive()),
        asyncio.create_task(anext(client.stream(ON_MESSAGE, {"group": key}))),
    ]

    await client.start("{ value }", msg_id="")

    for result in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(result, ConnectionClosedError)
        assert result.code == 4400
    assert (await client.wait_disconnect()).code == 4400
    await client.finalize()


async def test_pings_of_the_server(transport: Transport, subprotocol: str) -> None:
    """They reach nobody, and do no harm."""
    path = {NEW: "pinging/", OLD: "legacy-pinging/"}[subprotocol]
    async with GraphqlWsClient(transport(path), subprotocol) as client:
        with pytest.raises(TimeoutError):
            await client.wait_response(lambda _: True, timeout=0.2)

        assert await client.execute("{ value }") == {"data": {"value": "value"}}


async def test_another_subprotocol(transport: Transport) -> None:
    """A server that does not speak it says so."""
    client = GraphqlWsClient(transport("graphql/"), subprotocol="graphql-ws")

    with pytest.raises(ConnectionClosedError) as caught:
        await client.connect_and_init()

    assert caught.value.code == 4406


async def test_a_path_where_nothing_is(transport: Transport) -> None:
    """It is an error, at once."""
    with pytest.raises((ConnectionFailedError, ConnectionClosedError)):
        await GraphqlWsClient(transport("nothing-here/")).connect_and_init()
