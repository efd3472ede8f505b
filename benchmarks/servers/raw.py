"""A bare ASGI application that knows the documents by heart and answers with prepared text: no GraphQL, no Django."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks import documents, frames

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]

_FIELDS = {document: field for field, document in documents.SUBSCRIPTIONS.items()}
_ANSWERS = {
    documents.VALUE: json.dumps({"data": {"value": documents.ANSWER}}),
    documents.SYNC_VALUE: json.dumps({"data": {"syncValue": documents.ANSWER}}),
}
_SENT = json.dumps({"data": {"send": True}})

subscribers: dict[tuple[str, str], dict[tuple[Connection, str], None]] = defaultdict(dict)
"""(field, room) -> the operations to notify."""
subscribed = 0


class Connection:
    """One client."""

    def __init__(self, send: Send, reader: str) -> None:
        self.reader = reader
        self._send = send
        self._rooms: dict[str, tuple[str, str]] = {}

    async def receive(self, message: dict[str, Any]) -> None:
        """Do what the client asks for."""
        if message["type"] == "connection_init":
            await self.send('{"type":"connection_ack"}')
        elif message["type"] == "complete":
            self._leave(message["id"])
        else:
            await self._operate(message["id"], **message["payload"])

    async def _operate(self, op_id: str, query: str, variables: Any = None) -> None:
        if query in _ANSWERS:
            await self._answer(op_id, _ANSWERS[query])
        elif query in _FIELDS:
            self._join(op_id, (_FIELDS[query], variables["room"]))
        elif query == documents.SEND:
            await self._answer(op_id, _SENT)
            await broadcast(variables["to"], variables["room"], variables["seq"])
        else:
            await self._answer(op_id, json.dumps({"data": {"subscribed": subscribed}}))

    async def _answer(self, op_id: str, payload: str) -> None:
        await self.next(op_id, payload)
        await self.send(f'{{"id":"{op_id}","type":"complete"}}')

    async def next(self, op_id: str, payload: str) -> None:
        """Send one result."""
        await self.send(f'{{"id":"{op_id}","type":"next","payload":{payload}}}')

    async def send(self, text: str) -> None:
        """Send one message."""
        await self._send({"type": "websocket.send", "text": text})

    def _join(self, op_id: str, room: tuple[str, str]) -> None:
        global subscribed
        subscribed += 1
        self._rooms[op_id] = room
        subscribers[room][self, op_id] = None

    def _leave(self, op_id: str) -> None:
        del subscribers[self._rooms.pop(op_id)][self, op_id]

    def leave_all(self) -> None:
        """Forget everything about this client."""
        for op_id in list(self._rooms):
            self._leave(op_id)


async def broadcast(field: str, room: str, seq: int) -> None:
    """Send a message to everybody in a room."""
    message = {"seq": seq, "text": documents.TEXT}
    shared = json.dumps({"data": {field: message}})
    for connection, op_id in list(subscribers[field, room]):
        if field in documents.PERSONAL:
            shared = json.dumps({"data": {field: {**message, "reader": connection.reader}}})
        await connection.next(op_id, shared)


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Serve one connection."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept", "subprotocol": frames.SUBPROTOCOL})
    connection = Connection(send, scope["query_string"].decode().removeprefix("reader="))
    try:
        while (event := await receive())["type"] == "websocket.receive":
            await connection.receive(json.loads(event["text"]))
    finally:
        connection.leave_all()
