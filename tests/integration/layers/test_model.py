"""Random use of SqliteChannelLayers on one file, against a simple model of what has to arrive where."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from django_gqlws.layers import SqliteChannelLayer

GROUPS = st.sampled_from(["red", "green"])
LAYERS = st.integers(0, 1)
PROMPTLY = 30


class OneAfterTheOther(RuleBasedStateMachine):
    """Two processes, as far as the layer is concerned: each has a layer of its own."""

    channels = Bundle("channels")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name, "channels.sqlite3")
        self.layers = [SqliteChannelLayer(path, capacity=1_000) for _ in range(2)]
        self.home: dict[str, SqliteChannelLayer] = {}
        self.members: defaultdict[str, set[str]] = defaultdict(set)
        self.expected: defaultdict[str, list[int]] = defaultdict(list)
        self.sent = 0

    def run(self, operation: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(operation, PROMPTLY))

    async def look_at_the_file(self, layer: SqliteChannelLayer) -> None:
        """What a process does by itself: on a busy machine it may take its time to hear of a flush."""
        if layer._engine.reader.is_reading:
            await layer._engine.reader.run(lambda: None).wait()

    @rule(target=channels, layer=LAYERS)
    def open(self, layer: int) -> str:
        channel: str = self.run(self.layers[layer].new_channel())
        self.home[channel] = self.layers[layer]
        return channel

    @rule(layer=LAYERS, group=GROUPS, channel=channels)
    def join(self, layer: int, group: str, channel: str) -> None:
        self.run(self.layers[layer].group_add(group, channel))
        self.members[group].add(channel)

    @rule(layer=LAYERS, group=GROUPS, channel=channels)
    def leave(self, layer: int, group: str, channel: str) -> None:
        self.run(self.layers[layer].group_discard(group, channel))
        self.members[group].discard(channel)

    @rule(layer=LAYERS, group=GROUPS)
    def send_to_group(self, layer: int, group: str) -> None:
        self.sent += 1
        self.run(self.layers[layer].group_send(group, {"number": self.sent}))
        for channel in self.members[group]:
            self.expected[channel].append(self.sent)

    @rule(layer=LAYERS, channel=channels)
    def send(self, layer: int, channel: str) -> None:
        self.sent += 1
        self.run(self.layers[layer].send(channel, {"number": self.sent}))
        self.expected[channel].append(self.sent)

    @rule(channel=channels)
    def receive(self, channel: str) -> None:
        if self.expected[channel]:
            message = self.run(self.home[channel].receive(channel))
            assert message == {"number": self.expected[channel].pop(0)}

    @rule(layer=LAYERS)
    def flush(self, layer: int) -> None:
        self.run(self.layers[layer].flush())
        self.run(self.look_at_the_file(self.layers[1 - layer]))
        self.members.clear()
        self.expected.clear()

    @rule(layer=LAYERS)
    def fork(self, layer: int) -> None:
        """What a fork means to the parent."""
        self.layers[layer]._engine.pause()
        self.layers[layer]._engine.resume()

    @invariant()
    def nothing_was_lost(self) -> None:
        for layer in self.layers:
            assert (layer.counters.dropped, layer.counters.lost, layer.counters.expired) == (0, 0, 0)

    def teardown(self) -> None:
        for channel in self.home:
            self.send(0, channel)  # So that one too many would be seen.
            while self.expected[channel]:
                self.receive(channel)
        for layer in self.layers:
            self.run(layer.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.folder.cleanup()


TestOneAfterTheOther = OneAfterTheOther.TestCase
TestOneAfterTheOther.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@dataclass
class Span:
    """When something was asked for, and when it was done; both on one clock that only counts."""

    began: int
    ended: int | None = None

    def is_before(self, other: Span) -> bool:
        return self.ended is not None and self.ended < other.began


@pytest.mark.parametrize("seed", range(3))
async def test_joins_leaves_and_sends_cross(sqlite: Callable[..., SqliteChannelLayer], seed: int) -> None:
    """Who had joined before a message was sent, and left after it was acknowledged, gets it; who left before does not.

    What overlaps may go either way, but nobody gets anything twice, and all in the same order.
    """
    chance = random.Random(seed)
    layers = [sqlite(capacity=100_000) for _ in range(3)]
    moments = iter(range(10**9))
    messages: list[Span] = []
    stays: dict[str, list[tuple[Span, Span]]] = defaultdict(list)
    received: dict[str, list[int]] = {}

    async def come_and_go(layer: SqliteChannelLayer) -> None:
        channel = await layer.new_channel()
        for _ in range(15):
            helper = chance.choice(layers)  # Now and then it is another process that does it.
            joining = Span(next(moments))
            await helper.group_add("group", channel)
            joining.ended = next(moments)
            for _ in range(chance.randrange(5)):
                await layer.processes()
            leaving = Span(next(moments))
            stays[channel].append((joining, leaving))
            await chance.choice(layers).group_discard("group", channel)
            leaving.ended = next(moments)
        await layer.send(channel, {"number": -1})
        received[channel] = []
        while (number := (await layer.receive(channel))["number"]) != -1:
            received[channel].append(number)

    async def send(layer: SqliteChannelLayer) -> None:
        for _ in range(150):
            message = Span(next(moments))
            messages.append(message)
            await layer.group_send("group", {"number": len(messages) - 1})
            message.ended = next(moments)

    await asyncio.gather(*map(come_and_go, layers * 3), *map(send, layers))

    assert any(received.values())
    for channel, numbers in received.items():
        assert len(set(numbers)) == len(numbers)
        for number, message in enumerate(messages):
            if any(join.is_before(message) and message.is_before(leave) for join, leave in stays[channel]):
                assert number in numbers
            touched = any(
                not message.is_before(join) and not leave.is_before(message) for join, leave in stays[channel]
            )
            if not touched:
                assert number not in numbers
    for one in received.values():
        for other in received.values():
            common = set(one) & set(other)
            assert [n for n in one if n in common] == [n for n in other if n in common]


async def test_receivers_of_a_normal_channel_are_cancelled(sqlite: Callable[..., SqliteChannelLayer]) -> None:
    """Whenever that happens, the message goes to another one, in its old place."""
    layer = sqlite(capacity=1_000)
    for number in range(100):
        await layer.send("work", {"number": number})
    received = []

    async def take() -> None:
        received.append((await layer.receive("work"))["number"])

    for number in range(100):
        taking = asyncio.create_task(take())
        for _ in range(1 + number % 4):  # It has asked for a message, and the answer is on its way.
            await asyncio.sleep(0)
        taking.cancel()
        await asyncio.wait([taking])
    while len(received) < 100:
        await asyncio.wait_for(take(), PROMPTLY)

    assert sorted(received) == list(range(100))
