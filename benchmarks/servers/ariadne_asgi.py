"""ariadne's ASGI application with queues in memory between ``send`` and the subscribers; no Django."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from typing import Any

from ariadne import MutationType, QueryType, SubscriptionType, make_executable_schema
from ariadne.asgi import GraphQL
from ariadne.asgi.handlers import GraphQLTransportWSHandler

from benchmarks import documents

TYPES = """
    type Query { value: String! syncValue: String! subscribed: Int! }
    type Mutation { send(to: String!, room: String!, seq: Int!): Boolean! }
    type Message { seq: Int! text: String! reader: String! }
    type Subscription {
        onMessage(room: String!): Message!
        onPersonal(room: String!): Message!
        onPersonalSync(room: String!): Message!
    }
"""

query, mutation, subscription = QueryType(), MutationType(), SubscriptionType()
queues: dict[tuple[str, str], set[asyncio.Queue[dict[str, Any]]]] = defaultdict(set)
subscribed = 0


@query.field("value")
async def resolve_value(*_: Any) -> str:
    """An async resolver."""
    return documents.ANSWER


@query.field("syncValue")
def resolve_sync_value(*_: Any) -> str:
    """A sync resolver."""
    return documents.ANSWER


@query.field("subscribed")
async def resolve_subscribed(*_: Any) -> int:
    """How many subscriptions have begun."""
    return subscribed


@mutation.field("send")
async def resolve_send(root: Any, info: Any, to: str, room: str, seq: int) -> bool:
    """Broadcast."""
    for queue in queues[to, room]:
        queue.put_nowait({"seq": seq, "text": documents.TEXT})
    return True


def _serve(field: str) -> None:
    @subscription.source(field)
    async def listen(root: Any, info: Any, room: str) -> AsyncGenerator[dict[str, Any]]:
        global subscribed
        subscribed += 1
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        queues[field, room].add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            queues[field, room].discard(queue)

    @subscription.field(field)
    def notify(message: dict[str, Any], info: Any, room: str) -> dict[str, Any]:
        if field in documents.PERSONAL:
            query_string = info.context["request"].scope["query_string"]
            return {**message, "reader": query_string.decode().removeprefix("reader=")}
        return message


for name in ("onMessage", "onPersonal", "onPersonalSync"):
    _serve(name)

application = GraphQL(
    make_executable_schema(TYPES, query, mutation, subscription), websocket_handler=GraphQLTransportWSHandler()
)
