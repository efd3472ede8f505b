"""The bare application with the channel layer between its processes: one channel, one receiving loop."""

from __future__ import annotations

import asyncio

from channels.layers import get_channel_layer

from benchmarks.servers import raw


class LayerRooms(raw.Rooms):
    """A room is a group of the layer; its members are processes."""

    def __init__(self) -> None:
        super().__init__()
        self._layer = get_channel_layer()
        self._opening = asyncio.Lock()
        self._channel = ""
        self._receiving: asyncio.Task[None] | None = None

    async def join(self, connection: raw.Connection, op_id: str, field: str, room: str) -> None:
        """Have the process listen to the room."""
        async with self._opening:
            if not self._channel:
                self._channel = await self._layer.new_channel()
                self._receiving = asyncio.create_task(self._receive())
        await self._layer.group_add(f"{field}.{room}", self._channel)
        await super().join(connection, op_id, field, room)

    async def broadcast(self, field: str, room: str, seq: int) -> None:
        """Tell all processes."""
        await self._layer.group_send(f"{field}.{room}", {"type": "message", "to": [field, room, seq]})

    async def _receive(self) -> None:
        while True:
            message = await self._layer.receive(self._channel)
            await self.deliver(*message["to"])


application = raw.asgi_application(LayerRooms())
