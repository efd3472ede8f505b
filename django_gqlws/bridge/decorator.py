"""The declaration next to the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model

from ..conf import RULES
from .capture import connect, declared
from .declaration import DEFAULT_GROUPS, GroupFunction, PayloadFunction, Source
from .rows import RowEvent

M = TypeVar("M", bound=Model)


def bridged(
    *,
    groups: Sequence[str] | GroupFunction | str = DEFAULT_GROUPS,
    fields: Sequence[str] | None = None,
    events: Sequence[str] = tuple(RowEvent),
    payload: PayloadFunction | str | None = None,
    raw: bool = False,
    source: str = Source.SIGNALS,
) -> Callable[[type[M]], type[M]]:
    """Tells of the changes of a model, as an entry of ``GQLWS["MODELS"]`` does; if there is one, it counts instead.

    ::

        @bridged(groups=["all", "room-{room_id}"])
        class Message(models.Model): ...

    Raises ImproperlyConfigured for a value of the wrong type; what names something unknown is a system check.
    """
    options: dict[str, Any] = {"groups": groups, "events": list(events), "raw": raw, "source": source}
    if fields is not None:
        options["fields"] = fields
    if payload is not None:
        options["payload"] = payload

    def declare(model: type[M]) -> type[M]:
        label = model._meta.label
        if (expected := RULES["models"]({label: options})) is not None:
            raise ImproperlyConfigured(f"@bridged of {label} must be {expected}.")
        declared[label] = options
        if apps.ready:
            connect()
        return model

    return declare
