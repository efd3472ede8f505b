"""The rows of a broadcast, read once for all subscribers of this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model

from ..broker.event import Item
from ..execution.kinds import call
from ..tasks import Tasks
from .declaration import Bridge
from .delivery import layer_group, logged
from .rows import Row

logger = logging.getLogger(__name__)

# Whoever comes first has the rows read, and may leave before they are there.
_reading = Tasks(lambda error: logger.error("The rows of a broadcast could not be read: %r", error, exc_info=error))


async def fetch(item: Item, bridge: Bridge, select_related: Sequence[str]) -> Mapping[Any, Model]:
    """The rows of the item's broadcast that are still in its group, by primary key, as committed now or later."""
    key = bridge, select_related
    reading: asyncio.Task[Mapping[Any, Model]] | None = item.memo.get(key)
    if reading is None:
        reading = item.memo[key] = _reading.start(_read(item, bridge, select_related))
    return await asyncio.shield(reading)


def is_told_to(instance: Model, bridge: Bridge, item: Item) -> bool:
    """Whether a row that has just been read is still in the group of the broadcast. It may ask the database."""
    names: list[str] = []
    with logged(bridge):
        state = bridge.loaded(instance) or bridge.read_one(instance, item.common)
        names = bridge.groups(state, item.common)
    return any(layer_group(bridge.model._meta.label, name) == item.group for name in names)


async def _read(item: Item, bridge: Bridge, select_related: Sequence[str]) -> Mapping[Any, Model]:
    rows = [Row(*value) for value in item.batch]
    pks = [row.pk for row in rows if row.made is None]

    def read() -> dict[Any, Model]:
        queryset = bridge.model._default_manager.using(item.common).filter(pk__in=pks)
        if select_related:
            queryset = queryset.select_related(*select_related)
        # One that has moved on since would show those whom it has left what it is now.
        return {instance.pk: instance for instance in queryset if is_told_to(instance, bridge, item)}

    found: dict[Any, Model] = await call(read)
    return found
