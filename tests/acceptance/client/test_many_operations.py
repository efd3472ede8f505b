"""1,000 operations that run at the same time on one connection, and clients that complete what they please."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from django_gqlws import GraphqlWsClient
from tests.acceptance.client.conftest import NEW, Transport

COUNT = 1000
SLOW = "query ($key: String!) { slowValue(key: $key) }"
REACHED = "query ($event: JournalEvent!, $key: String!, $n: Int!) { reached(event: $event, key: $key, count: $n) }"
OPEN = "mutation ($key: String!) { openGate(key: $key) }"

COMPLETES_PER_SECOND = 50


@pytest.fixture
async def other(transport: Transport) -> AsyncIterator[GraphqlWsClient]:
    """A client with a connection of its own."""
    async with GraphqlWsClient(transport("graphql/")) as other:
        yield other


async def test_1000_run_at_once(client: GraphqlWsClient, other: GraphqlWsClient, key: str) -> None:
    """All have started before the first is answered; then each is."""
    running = [asyncio.create_task(client.execute(SLOW, {"key": key})) for _ in range(COUNT)]
    await other.execute(REACHED, {"event": "STARTED", "key": key, "n": COUNT})

    await other.execute(OPEN, {"key": key})

    assert await asyncio.gather(*running) == [{"data": {"slowValue": key}}] * COUNT


# The legacy dialect has an answer to each of them.
@pytest.mark.parametrize("subprotocol", [NEW])
async def test_50_completes_a_second(client: GraphqlWsClient, other: GraphqlWsClient, key: str) -> None:
    """Of known and unknown ids: the known operations end, all others are answered."""
    ids = [await client.start(SLOW, variables={"key": key}) for _ in range(COUNT)]
    await other.execute(REACHED, {"event": "STARTED", "key": key, "n": COUNT})
    completed = ids[: COMPLETES_PER_SECOND * 2]

    for known in completed:
        await client.complete(known)
        await client.complete(f"not {known}")
        await asyncio.sleep(1 / COMPLETES_PER_SECOND)
    await other.execute(REACHED, {"event": "CANCELLED", "key": key, "n": len(completed)})
    await other.execute(OPEN, {"key": key})

    messages = [await client.receive(raw_response=True) for _ in range(2 * (COUNT - len(completed)))]
    assert ids_of(messages, "next") == ids_of(messages, "complete") == set(ids) - set(completed)
    assert await client.execute("{ value }") == {"data": {"value": "value"}}


def ids_of(messages: list[dict[str, Any]], type: str) -> set[str]:
    return {message["id"] for message in messages if message["type"] == type}
