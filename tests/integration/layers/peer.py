"""A process that uses a SqliteChannelLayer as it is told: `python -m tests.integration.layers.peer FILE`.

It reads one JSON object per line, {"do": name, ...arguments}, and answers each with lines of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from asgiref.sync import async_to_sync

from django_gqlws.layers import SqliteChannelLayer

CAPACITY = 100_000


def answer(value: Any) -> None:
    """Say it at once."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


class Peer:
    """What can be asked for."""

    def __init__(self, path: str) -> None:
        self.layer = SqliteChannelLayer(path, capacity=CAPACITY)

    async def new_channel(self, groups: list[str]) -> None:
        channel = await self.layer.new_channel()
        for group in groups:
            await self.layer.group_add(group, channel)
        answer(channel)

    async def receive(self, channel: str, count: int) -> None:
        answer([(await self.layer.receive(channel))["text"] for _ in range(count)])

    async def receive_until(self, channel: str, last: str) -> None:
        texts: list[str] = []
        while last not in texts:
            texts.append((await self.layer.receive(channel))["text"])
        answer(texts)

    async def group_add(self, group: str, channel: str) -> None:
        await self.layer.group_add(group, channel)
        answer(None)

    async def group_discard(self, group: str, channel: str) -> None:
        await self.layer.group_discard(group, channel)
        answer(None)

    async def send(self, channel: str, text: str) -> None:
        await self.layer.send(channel, {"text": text})
        answer(None)

    async def burst(self, group: str, name: str, count: int, together: int = 1) -> None:
        """Answers with the text of each message as soon as it is acknowledged."""

        async def send(number: int) -> None:
            await self.layer.group_send(group, {"text": f"{name}{number}"})
            answer(f"{name}{number}")

        for first in range(0, count, together):
            await asyncio.gather(*(send(number) for number in range(first, min(first + together, count))))
        answer(None)

    async def counters(self) -> None:
        counters = self.layer.counters
        answer({"dropped": counters.dropped, "expired": counters.expired, "lost": counters.lost})


async def main(path: str) -> None:
    """Do what is asked until the input ends."""
    peer = Peer(path)
    answer(os.getpid())
    while line := await asyncio.to_thread(sys.stdin.readline):
        request = json.loads(line)
        await getattr(peer, request.pop("do"))(**request)


def send_and_die(path: str, group: str) -> None:
    """Send as a management command does, and end without any cleaning up."""
    layer = SqliteChannelLayer(path)
    async_to_sync(layer.group_send)(group, {"text": "the last words"})
    os._exit(0)


def listen_and_exit(path: str) -> None:
    """Listen, write nothing, and end as any script does."""
    layer = SqliteChannelLayer(path)
    channel = asyncio.run(layer.new_channel())
    asyncio.run(layer.group_add("all", channel))


def fork(path: str) -> None:
    """Send and receive, before and after a fork, in the parent and in the child; print what went wrong."""
    layer = SqliteChannelLayer(path)

    async def talk(name: str) -> str:
        channel = await layer.new_channel()
        await layer.group_add(name, channel)
        for number in range(20):
            await layer.group_send(name, {"number": number})
            assert await layer.receive(channel) == {"number": number}
        return channel

    async def hear(channel: str, text: str) -> None:
        async with asyncio.timeout(30):
            assert await layer.receive(channel) == {"text": text}

    async def as_child() -> None:
        channel = await talk("child")
        assert channel.rpartition("!")[0] != before.rpartition("!")[0], "whose channel is it?"
        await layer.group_add("child", channel)
        await layer.group_send("before", {"text": "from the child"})
        await hear(channel, "from the parent")

    async def as_parent() -> None:
        await hear(before, "from the child")
        await layer.group_send("child", {"text": "from the parent"})
        await talk("after")

    before = asyncio.run(talk("before"))
    child = os.fork()
    if not child:
        asyncio.run(as_child())
        os._exit(0)
    asyncio.run(as_parent())
    assert os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    action, *arguments = sys.argv[1:]
    if action == "fork":
        fork(*arguments)
    elif action == "send_and_die":
        send_and_die(*arguments)
    elif action == "listen_and_exit":
        listen_and_exit(*arguments)
    else:
        asyncio.run(main(action))
