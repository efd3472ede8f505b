"""The two processes of a measurement: one saves, one is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

from benchmarks.saves.places import GROUP, Place, set_up

WARM_UP = 20
MANY = 10_000

Figures = dict[str, tuple[float, float]]
"""By what was done: milliseconds for rows that are not told, and for rows that are."""


def measure(saves: int, bulks: int) -> Figures:
    """Each way with both tables in turn, each in a transaction of its own."""
    from django.db import connection, transaction

    from benchmarks.saves.models import Plain, Told

    with connection.schema_editor() as editor:
        for model in (Plain, Told):
            editor.create_model(model)
    kept: dict[Any, Any] = {model: model._default_manager.create(text="") for model in (Plain, Told)}

    def save(model: Any, turn: int) -> None:
        kept[model].text = str(turn)
        with transaction.atomic():
            kept[model].save()

    def create(model: Any, turn: int) -> None:
        with transaction.atomic():
            model.objects.create(text=str(turn))

    def bulk_create(model: Any, turn: int) -> None:
        model.objects.bulk_create([model(text=str(number)) for number in range(MANY)])

    def median_of(way: Callable[[Any, int], None], turns: int) -> tuple[float, float]:
        taken: dict[Any, list[float]] = {Plain: [], Told: []}
        for turn in range(turns):
            for model in (Plain, Told) if turn % 2 else (Told, Plain):
                began = time.perf_counter()
                way(model, turn)
                taken[model].append((time.perf_counter() - began) * 1_000)
        skipped = min(WARM_UP, turns // 5)
        return median(taken[Plain][skipped:]), median(taken[Told][skipped:])

    return {
        "save": median_of(save, saves),
        "create": median_of(create, saves),
        f"bulk_create of {MANY:,}": median_of(bulk_create, bulks),
    }


def save_in_process(place: Place, saves: int, bulks: int, pipe: Connection) -> None:
    """A process without an event loop, such as a worker."""
    set_up(place)
    pipe.send(measure(saves, bulks))


def listen_in_process(place: Place, pipe: Connection) -> None:
    """A process that is told; says how many messages it got before the pipe was closed."""
    set_up(place)
    asyncio.run(_listen(pipe))


async def _listen(pipe: Connection) -> None:
    from channels.layers import get_channel_layer

    from django_gqlws.bridge.delivery import layer_group

    layer: Any = get_channel_layer()
    channel, got = await layer.new_channel(), 0
    await layer.group_add(layer_group("saves.Told", GROUP), channel)
    pipe.send("ready")
    while not pipe.poll():
        try:
            async with asyncio.timeout(1):
                await layer.receive(channel)
                got += 1
        except TimeoutError:
            pass
    pipe.send(got)
