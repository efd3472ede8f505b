"""Many WebSocket clients in one thread, at a cost far below that of any server measured with them.

asyncio would spend more on a delivery than the fastest server does, so this is a bare ``epoll`` loop. What a
client does is its *script*: a generator that yields whenever it has to wait and is resumed when something has
arrived. Messages are only cut out of the stream here; they are parsed and verified after the clock has stopped.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Generator, Sequence

from benchmarks import frames

Script = Generator[None, None, None]

_READ_SIZE = 65_536


class LoadError(Exception):
    """A server did something that makes the measurement void."""


class Client:
    """One connection and everything it has received."""

    __slots__ = (
        *("_buffer", "_deflate", "_loop", "_script", "_socket", "_text"),
        *("closing", "is_closed", "is_open", "messages", "name"),
    )

    def __init__(self, loop: Loop, connection: socket.socket, name: str, deflate: bool) -> None:
        self.name = name
        self.messages: list[bytes] = []
        """As they came: compressed, if that was agreed upon."""
        self.is_open = False
        self.is_closed = False
        self.closing = False
        self._buffer = b""
        self._deflate = deflate
        self._loop = loop
        self._socket = connection
        self._script: Script | None = None
        self._text = frames.DEFLATED_TEXT if deflate else frames.TEXT

    @property
    def texts(self) -> list[bytes]:
        """The messages, readable."""
        return frames.inflated(self.messages) if self._deflate else self.messages

    @property
    def is_busy(self) -> bool:
        """Whether its script has not ended."""
        return self._script is not None

    def follow(self, script: Script) -> None:
        """Run the script up to its first wait, and go on with it whenever something arrives."""
        self._script = script
        self.resume()

    def resume(self) -> None:
        """Let the script look at what has arrived."""
        if self._script is not None:
            try:
                next(self._script)
            except StopIteration:
                self._script = None

    def send(self, data: bytes) -> None:
        """Hand bytes to the kernel, all of them."""
        if self._socket.send(data) != len(data):
            raise LoadError("the server has stopped reading")

    def close(self) -> None:
        """Begin the closing handshake; ``is_closed`` tells when the server has ended it."""
        self.closing = True
        self.send(frames.close())

    def read(self) -> None:
        """Take what the socket has, and let the script go on."""
        try:
            data = self._socket.recv(_READ_SIZE)
        except ConnectionResetError:
            data = b""
        self._loop.received_bytes += len(data)
        if not data:
            self._lost()
        elif self.is_open:
            self._cut(self._buffer + data if self._buffer else data)
        else:
            self._open(self._buffer + data)
        self.resume()

    def abandon(self) -> None:
        """Drop the connection without a word."""
        self._loop.forget(self._socket)
        self._socket.close()
        self.is_closed = True

    def _lost(self) -> None:
        self.abandon()
        if not self.closing:
            raise LoadError(f"the server cut connection {self.name}")

    def _open(self, data: bytes) -> None:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            self._buffer = data
            return
        if not frames.is_accepted(head):
            raise LoadError(f"no handshake: {head.splitlines()[0]!r}")
        if frames.is_deflated(head) != self._deflate:
            raise LoadError("compression is not as it was asked for")
        self.is_open = True
        self._cut(rest)

    def _cut(self, data: bytes) -> None:
        """Cut the stream into frames; what is left of it waits for more."""
        position, end = 0, len(data)
        messages = self.messages
        before = len(messages)
        while end - position >= 2:
            length, start = data[position + 1], position + 2
            if length == 126:
                length, start = int.from_bytes(data[start : start + 2]), start + 2
            elif length == 127:
                length, start = int.from_bytes(data[start : start + 8]), start + 8
            stop = start + length
            if stop > end:
                break
            if data[position] == self._text:
                messages.append(data[start:stop])
            else:
                self._control(data[position], data[start:stop])
            position = stop
        self._buffer = data[position:]
        self._loop.received += len(messages) - before

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == frames.PING:
            self.send(frames.frame(payload, frames.PONG))
        elif opcode != frames.CLOSE:
            raise LoadError(f"unexpected frame {opcode:#x}")
        elif not self.closing:
            raise LoadError(f"the server closed: {int.from_bytes(payload[:2])} {payload[2:].decode()}")


class Loop:
    """Waits for all clients at once."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.ports = ports
        """Of the server's processes."""
        self.received = 0
        """Messages that have arrived, of all clients together."""
        self.received_bytes = 0
        """What has arrived on the wire."""
        self._clients: dict[int, Client] = {}
        self._epoll = select.epoll()

    def connect(self, name: str, *, process: int = 0, deflate: bool = False) -> Client:
        """Begin a connection to one of the processes; the name reaches it as the query string ``?reader=name``."""
        port = self.ports[process]
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        client = Client(self, connection, name, deflate)
        self._clients[connection.fileno()] = client
        self._epoll.register(connection.fileno(), select.EPOLLIN)
        client.send(frames.handshake(port, f"/graphql/?reader={name}", deflate=deflate))
        return client

    def forget(self, connection: socket.socket) -> None:
        """Wait for this connection no longer."""
        self._epoll.unregister(connection.fileno())
        del self._clients[connection.fileno()]

    def run(self, until: Callable[[], bool], *, patience: float = 60.0) -> bool:
        """Serve the clients until the condition holds; False when patience ran out first."""
        deadline = time.monotonic() + patience
        while not until():
            if time.monotonic() >= deadline:
                return False
            for fd, _ in self._epoll.poll(0.05):
                client = self._clients.get(fd)
                if client is not None:
                    client.read()
        return True

    def run_for(self, seconds: float) -> None:
        """Serve the clients for a time."""
        self.run(lambda: False, patience=seconds)

    def run_until_quiet(self, seconds: float = 0.3) -> None:
        """Serve the clients until nothing has arrived for so long."""
        before = -1
        while before != self.received:
            before = self.received
            self.run_for(seconds)
