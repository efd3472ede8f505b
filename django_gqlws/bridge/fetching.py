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
from .rows import Row

logger = logging.getLogger(__name__)

# Whoever comes first has the rows read, and may leave before they are there.
_reading = Tasks(lambda error: logger.error("The rows of a broadcast could not be read: %r", error, exc_info=error))


async def fetch(item: Item, model: type[Model], select_related: Sequence[str]) -> Mapping[Any, Model]:
    """The rows of the item's broadcast that still exist, by primary key, as committed now or later."""
    key = model, select_related
    reading: asyncio.Task[Mapping[Any, Model]] | None = item.memo.get(key)
    if reading is None:
        reading = item.memo[key] = _reading.start(_read(item, model, select_related))
    return await asyncio.shield(reading)


async def _read(item: Item, model: type[Model], select_related: Sequence[str]) -> Mapping[Any, Model]:
    rows = [Row(*value) for value in item.batch]
    pks = [row.pk for row in rows if row.made is None]

    def read() -> dict[Any, Model]:
        queryset = model._default_manager.using(item.common).filter(pk__in=pks)
        if select_related:
            queryset = queryset.select_related(*select_related)
        return {instance.pk: instance for instance in queryset}

    found: dict[Any, Model] = await call(read)
    return found
