"""The two processes of a measurement: one saves, one is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from statistics import median
from typing import Any, NamedTuple

from benchmarks.saves.places import GROUP, Place, set_up

WARM_UP = 20
MANY = 10_000

SAVE, CREATE, BULK = "save", "create", f"bulk_create of {MANY:,}"
"""What is done."""


class Cost(NamedTuple):
    """Milliseconds of one turn."""

    wall: float
    cpu: float
    """Of all threads of the process."""


Figures = dict[str, tuple[Cost, Cost]]
"""By what was done: for rows that are not told, and for rows that are."""


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

    def median_of(way: Callable[[Any, int], None], turns: int) -> tuple[Cost, Cost]:
        taken: dict[Any, list[Cost]] = {Plain: [], Told: []}
        for turn in range(turns):
            for model in (Plain, Told) if turn % 2 else (Told, Plain):
                began = Cost(time.perf_counter(), time.process_time())
                way(model, turn)
                ended = Cost(time.perf_counter(), time.process_time())
                taken[model].append(Cost(*((end - begin) * 1_000 for begin, end in zip(began, ended, strict=True))))
        skipped = min(WARM_UP, turns // 5)
        plain, told = (Cost(*map(median, zip(*costs[skipped:], strict=True))) for costs in taken.values())
        return plain, told

    return {
        SAVE: median_of(save, saves),
        CREATE: median_of(create, saves),
        BULK: median_of(bulk_create, bulks),
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
