"""The network dies without a word: no close, no reset."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from django_gqlws import GraphqlWsClient, GraphqlWsTransportAiohttp, Reconnect
from django_gqlws.client import aiohttp
from django_gqlws.exceptions import ConnectionClosedError
from tests.support.clock import pass_time
from tests.support.notes import LIMIT
from tests.support.server import HOST, Kind


class Wire:
    """What carries bytes between a client and a server, as long as it is not cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._has_lost = asyncio.Event()
        self._is_cut = asyncio.Event()
        self._carrying: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Lose all bytes of the connections that there are; new ones are fine."""
        self._is_cut.set()
        self._is_cut = asyncio.Event()

    async def is_silent_for_too_long(self) -> None:
        """Let the time pass in which the client asks whether the server is there, and then that for the answer."""
        pass_time(aiohttp.HEARTBEAT + 1)
        async with asyncio.timeout(LIMIT):
            await self._has_lost.wait()
        pass_time(aiohttp.HEARTBEAT / 2 + 1)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(HOST, self._port)
        for source, target in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._carry(source, target, self._is_cut))
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, is_cut: asyncio.Event) -> None:
        try:
            while data := await source.read(65536):
                if is_cut.is_set():
                    self._has_lost.set()
                else:
                    target.write(data)
        except ConnectionError:
            pass
        finally:
            target.close()


@asynccontextmanager
async def wire_to(port: int) -> AsyncIterator[tuple[Wire, int]]:
    """A wire to this port, and the port of its near end."""
    wire = Wire(port)
    server = await asyncio.start_server(wire.accept, HOST, 0)
    async with server:
        yield wire, server.sockets[0].getsockname()[1]


@pytest.fixture
async def wire(url: Callable[[Kind, str], str]) -> AsyncIterator[tuple[Wire, GraphqlWsTransportAiohttp]]:
    """A wire, and a transport over it."""
    address = url("uvicorn", "confirming/")
    port = int(address.split(":")[2].split("/")[0])
    async with wire_to(port) as (wire, near):
        yield wire, GraphqlWsTransportAiohttp(address.replace(str(port), str(near)))


async def test_who_waits(wire: tuple[Wire, GraphqlWsTransportAiohttp]) -> None:
    """They learn it although nobody said it."""
    the_wire, transport = wire
    async with GraphqlWsClient(transport) as client:
        waiting = asyncio.create_task(client.receive())
        the_wire.cut()

        await the_wire.is_silent_for_too_long()

        with pytest.raises(ConnectionClosedError):
            await waiting


async def test_a_stream(wire: tuple[Wire, GraphqlWsTransportAiohttp], key: str) -> None:
    """It goes on over a new connection."""
    the_wire, transport = wire
    async with GraphqlWsClient(transport, reconnect=Reconnect(first_delay=0)) as client:
        stream = client.stream("subscription ($group: String!) { onMessage(group: $group) { text } }", {"group": key})
        assert await anext(stream) == {"data": None}

        the_wire.cut()
        await the_wire.is_silent_for_too_long()

        assert await anext(stream) == {"data": None}
        assert stream.reconnects == 1
        await stream.aclose()
