"""The public names, used as a user would; mypy reads it, nobody runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django_gqlws import (
    GraphqlWsClient,
    GraphqlWsResponseError,
    GraphqlWsTransport,
    GraphqlWsTransportAiohttp,
    Reconnect,
)
from django_gqlws.protocol.close import Close
from django_gqlws.testing import GraphqlWsClient as TestingClient
from django_gqlws.testing import GraphqlWsTransport as TestingTransport
from django_gqlws.testing import deliver_broadcasts


async def use_the_client() -> None:
    transport: GraphqlWsTransport = GraphqlWsTransportAiohttp("ws://x/", cookies={"a": "b"}, headers={"c": "d"})
    async with GraphqlWsClient(transport, "graphql-ws", reconnect=Reconnect(attempts=3)) as client:
        ack: Mapping[str, Any] | None = await client.connect_and_init({"token": "t"})
        result: Mapping[str, Any] = await client.execute("{ value }", {"a": ack})
        async for one in client.stream("subscription { value }", variables={"a": 1}, operation_name="N"):
            result = one
        async with client.stream("subscription { value }") as stream:
            count: int = stream.reconnects
            async for one in stream:
                print(one["data"], count, result)
        try:
            await client.receive(wait_id="1", assert_id="1", assert_type="next", raw_response=True)
        except GraphqlWsResponseError as error:
            print(error.response["payload"], error.message)
        closed: Close = await client.wait_disconnect(timeout=1)
        print(closed.code, closed.reason, client.transport.TIMEOUT, client.connected)


async def use_the_testing_client(application: Any) -> None:
    transport = TestingTransport(application, "/graphql/?a=b", {"headers": [(b"a", b"b")]}, subprotocol="graphql-ws")
    transport.scope["user"] = object()
    client = TestingClient(transport)
    await client.connect_and_init(connect_only=True)
    await client.send_raw_message({"type": "connection_init"})
    id: str = await client.start("{ value }", variables={}, operation_name="N", msg_id="1")
    errors, data = await client.receive_error(id)
    await client.assert_no_messages("hush", attempts=1, interval=0.1)
    with deliver_broadcasts():
        await client.wait_disconnect(timeout=1, assert_code=4400)
    print(errors, data)
