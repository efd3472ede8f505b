"""From a thread into Redis with the blocking client, in the thread itself.

The way over an event loop wakes two threads and takes the async client: four times as long, and most of what it costs
to tell of a row that is saved. Where it leads, and in which form, is as channels-redis has it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

from ..counters import counters
from ..exceptions import BroadcastError
from . import pubsub
from .bus import Message, Sender, first, not_taken
from .envelope import Envelope
from .handover import Handover

PATIENCE = 5.0
"""Seconds for an answer of Redis."""

RETRY_TIME = 2.0
"""Seconds for which a lost connection is made anew for the same messages, at first at once. They begin with the call:
threads that have waited behind one whose Redis is down try once. Receivers see what has been there before."""

MAX_IDLE = 60.0
"""Seconds after which an idle connection is made anew: a firewall may have dropped it, and would tell nobody."""

_PLAIN = (str, int, float, type(None))
"""What means the same to both clients in the options of a host. Others (classes, sentinels) are for the async one."""

_SERIALIZER = "channels_redis.serializers.MsgPackSerializer"

_Command: TypeAlias = tuple[str, str, bytes]


class Shortcut:
    """The way into one Redis pub/sub layer, for one thread at a time. Raises LookupError if the layer has none."""

    def __init__(self, layer: Any) -> None:
        if not (pubsub.is_pubsub(layer) and _is_packed_by_channels_redis(layer)):
            raise LookupError("Into this layer there is no shortcut.")
        self._layer = layer
        self._places = _places_of(layer)
        self._lines = {id(shard): _Line(shard.host) for shard in self._places._shards}
        self._sender = Sender()
        self._is_free = threading.Lock()

    def send(self, messages: Sequence[Message], timeout: float) -> None:
        """Returns when Redis has them. Raises BroadcastError; what is behind those that failed is not sent."""
        until = time.monotonic() + RETRY_TIME
        if not self._is_free.acquire(timeout=timeout):
            counters.send_failures += len(messages)
            raise BroadcastError(f"The channel layer did not take the message within {timeout:g} seconds.")
        try:
            envelopes = map(self._sender.seal, messages)
            while together := list(first(envelopes)):
                for line, run in groupby(map(self._address, together), itemgetter(0)):
                    _publish(line, [command for _, command in run], until)
        finally:
            self._is_free.release()

    def _address(self, envelope: Envelope) -> tuple[_Line, _Command]:
        channel = self._places._get_group_channel_name(envelope.group)
        data = self._layer.serialize(envelope.to_message())
        return self._lines[id(self._places._get_shard(channel))], ("PUBLISH", channel, data)


def _is_packed_by_channels_redis(layer: Any) -> bool:
    """A serializer of the project's would run under the lock."""
    return pubsub.class_of(getattr(layer, "_serializer", None)) == _SERIALIZER


def _places_of(layer: Any) -> Any:
    """What knows the channels of groups, and the hosts."""
    from channels_redis.pubsub import RedisPubSubLoopLayer

    try:
        places = RedisPubSubLoopLayer(*layer._args, channel_layer=layer, **layer._kwargs)
        places._get_shard(places._get_group_channel_name(""))
    except AttributeError as error:
        raise LookupError("This version of channels-redis looks different inside.") from error
    return places


def _publish(line: _Line, commands: Sequence[_Command], until: float) -> None:
    try:
        line.ask(commands, until)
    except line.failures as error:
        counters.send_failures += len(commands)
        raise not_taken(error) from error
    counters.sent += len(commands)


class _Line:
    """A connection to Redis, without its client, which looks for a free one before each command: that takes as long."""

    def __init__(self, host: dict[str, Any]) -> None:
        from redis import ConnectionError, ConnectionPool, RedisError
        from redis.backoff import ExponentialBackoff, NoBackoff
        from redis.retry import Retry

        if not all(isinstance(value, _PLAIN) for value in host.values()):
            raise LookupError("Some options of this host are not for a blocking client.")
        options: dict[str, Any] = {**host, "socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
        options["retry"] = Retry(NoBackoff(), 0)
        address = options.pop("address", None)
        pool = ConnectionPool(**options) if address is None else ConnectionPool.from_url(address, **options)
        self._connection: Any = pool.make_connection()
        self._retry = Retry(ExponentialBackoff(cap=1, base=0.001), -1, supported_errors=(ConnectionError,))
        self._used = time.monotonic()
        self.failures = OSError, RedisError
        """What `ask` raises. What else comes out of it is somebody's who ends the thread: a time limit of Celery's."""

    def ask(self, commands: Sequence[_Command], until: float) -> None:
        """Returns when there is an answer to each. Raises what Redis' client does, a lost connection not before then,
        in the time of `time.monotonic`."""
        if time.monotonic() > self._used + MAX_IDLE:
            self._connection.disconnect()
        packed = self._connection.pack_commands(commands)
        self._retry.call_with_retry(lambda: self._ask(packed, len(commands)), partial(_raise_behind, until))
        self._used = time.monotonic()

    def _ask(self, packed: Any, count: int) -> None:
        try:
            self._connection.send_packed_command(packed, check_health=False)
            for _ in range(count):
                self._connection.read_response()
        except BaseException:
            # There may be answers that nobody has read.
            self._connection.disconnect()
            raise


def _raise_behind(until: float, error: Exception) -> None:
    if time.monotonic() > until:
        raise error


class Shortcuts:
    """The shortcut into the layer that is the project's now: the layer's own, or that into Redis."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[Any, Handover | Shortcut | None] = None, None

    def find(self, layer: Any) -> Handover | Shortcut | None:
        """None: there is no shortcut into this layer."""
        known, shortcut = self._known
        if known is layer:
            return shortcut
        with self._lock:
            if self._known[0] is not layer:
                self._known = layer, _shortcut_into(layer)
            return self._known[1]

    def forget(self) -> None:
        """Closes the connections; a forked child leaves them to its parent."""
        self.__init__()  # type: ignore[misc]


def _shortcut_into(layer: Any) -> Handover | Shortcut | None:
    for way in (Handover, Shortcut):
        # Of options that are wrong the layer tells itself, as an error of the broadcast.
        with suppress(LookupError, TypeError, ValueError):
            return way(layer)
    return None
