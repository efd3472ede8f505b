"""The subscription classes of a project."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..conf import get_settings, load_schema
from .declaration import Subscription


def known_subscriptions() -> dict[str, type[Subscription]]:
    """All that the project's schema brings, and those that are imported, by dotted path in alphabetical order.

    Raises ImproperlyConfigured if the schema of the settings cannot be imported.
    """
    if (schema := get_settings().schema) is not None:
        load_schema(schema)
    found = {cls._topic(): cls for cls in _concrete(Subscription)}  # Of several made by one function: the last.
    return dict(sorted(found.items()))


def _concrete(cls: Any) -> Iterator[type[Subscription]]:
    for subclass in cls.__subclasses__():
        if "_meta" in vars(subclass):  # Graphene gives none to an abstract one.
            yield subclass
        yield from _concrete(subclass)
