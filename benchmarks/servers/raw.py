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


class Rooms:
    """Who listens where."""

    def __init__(self) -> None:
        self.subscribed = 0
        """How many subscriptions have begun."""
        self._members: dict[tuple[str, str], dict[tuple[Connection, str], None]] = defaultdict(dict)

    async def join(self, connection: Connection, op_id: str, field: str, room: str) -> None:
        """Notify an operation from now on."""
        self.subscribed += 1
        self._members[field, room][connection, op_id] = None

    def leave(self, connection: Connection, op_id: str, field: str, room: str) -> None:
        """Notify it no longer."""
        del self._members[field, room][connection, op_id]

    async def broadcast(self, field: str, room: str, seq: int) -> None:
        """Send a message to everybody in a room."""
        await self.deliver(field, room, seq)

    async def deliver(self, field: str, room: str, seq: int) -> None:
        """Send it to everybody in the room who is in this process."""
        message = {"seq": seq, "text": documents.TEXT}
        shared = json.dumps({"data": {field: message}})
        for connection, op_id in list(self._members[field, room]):
            if field in documents.PERSONAL:
                shared = json.dumps({"data": {field: {**message, "reader": connection.reader}}})
            await connection.next(op_id, shared)


class Connection:
    """One client."""

    def __init__(self, send: Send, reader: str, rooms: Rooms) -> None:
        self.reader = reader
        self._send = send
        self._rooms = rooms
        self._joined: dict[str, tuple[str, str]] = {}

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
            await self._join(op_id, _FIELDS[query], variables["room"])
        elif query == documents.SEND:
            await self._answer(op_id, _SENT)
            await self._rooms.broadcast(variables["to"], variables["room"], variables["seq"])
        else:
            await self._answer(op_id, json.dumps({"data": {"subscribed": self._rooms.subscribed}}))

    async def _answer(self, op_id: str, payload: str) -> None:
        await self.next(op_id, payload)
        await self.send(f'{{"id":"{op_id}","type":"complete"}}')

    async def next(self, op_id: str, payload: str) -> None:
        """Send one result."""
        await self.send(f'{{"id":"{op_id}","type":"next","payload":{payload}}}')

    async def send(self, text: str) -> None:
        """Send one message."""
        await self._send({"type": "websocket.send", "text": text})

    async def _join(self, op_id: str, field: str, room: str) -> None:
        self._joined[op_id] = field, room
        await self._rooms.join(self, op_id, field, room)

    def _leave(self, op_id: str) -> None:
        self._rooms.leave(self, op_id, *self._joined.pop(op_id))

    def leave_all(self) -> None:
        """Forget everything about this client."""
        for op_id in list(self._joined):
            self._leave(op_id)


def asgi_application(rooms: Rooms) -> Callable[[dict[str, Any], Receive, Send], Awaitable[None]]:
    """An application whose clients meet in these rooms."""

    async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept", "subprotocol": frames.SUBPROTOCOL})
        connection = Connection(send, scope["query_string"].decode().removeprefix("reader="), rooms)
        try:
            while (event := await receive())["type"] == "websocket.receive":
                await connection.receive(json.loads(event["text"]))
        finally:
            connection.leave_all()

    return application


application = asgi_application(Rooms())
