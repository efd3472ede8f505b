"""Short forms of what the suite says and hears."""

from typing import Any

from channels_graphql_ws import GraphqlWsResponseError
from channels_graphql_ws.testing import GraphqlWsClient

ON_MESSAGE = "subscription ($room: String!) { onMessage(room: $room) { text } }"


async def next_message(client: GraphqlWsClient) -> dict[str, Any]:
    """The next message, whole, also if it has errors."""
    try:
        return await client.receive(raw_response=True)
    except GraphqlWsResponseError as error:
        return error.response


async def hear(client: GraphqlWsClient, id: str) -> dict[str, Any]:
    """The data of the next result, which is of this operation."""
    return (await client.receive_next(id))["data"]


async def hear_text(client: GraphqlWsClient, id: str) -> str:
    """The text of the next notification, which is of this subscription."""
    (notification,) = (await hear(client, id)).values()
    return notification["text"]


async def listen(client: GraphqlWsClient, room: str) -> str:
    """Subscribe to a room; return when its groups are joined."""
    id = await client.subscribe(ON_MESSAGE, variables={"room": room})
    # The old library confirms before it has joined them (fault 3): by the answer to a query it has.
    await client.execute("{ __typename }")
    return id
