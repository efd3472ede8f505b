"""Where in a payload a value is, in words for its author."""

from __future__ import annotations

import json
from collections.abc import Iterator


def type_name(value: object) -> str:
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def find_path(wanted: object, payload: object) -> str:
    """The first path to that very object, such as ``payload["items"][3].price``."""
    pending = [("payload", payload)]
    seen = set()
    while pending:
        path, value = pending.pop()
        if value is wanted:
            return path
        if id(value) not in seen:
            seen.add(id(value))
            pending.extend(reversed(list(_children(path, value))))
    return "payload"


def _children(path: str, value: object) -> Iterator[tuple[str, object]]:
    from django.db.models import Model, QuerySet
    from django.db.models.query import RawQuerySet
    from django.utils.functional import LazyObject

    from .models import evaluate, loaded_values

    if issubclass(type(value), LazyObject):
        yield path, evaluate(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield f"{path} (a key)", key
            yield f"{path}[{json.dumps(key) if isinstance(key, str) else repr(key)}]", item
    elif isinstance(value, (list, tuple, QuerySet, RawQuerySet)):
        for index, item in enumerate(value):
            yield f"{path}[{index}]", item
    elif isinstance(value, (set, frozenset)):
        for item in value:
            yield f"{path} (an item)", item
    elif isinstance(value, Model):
        for name, item in loaded_values(value).items():
            yield f"{path}.{name}", item
