"""The prefix of a subscription's groups in the channel layer.

Who broadcasts knows no consumer, and both must name a group alike. So a ``group_name_prefix`` of a consumer class
counts for all subscriptions of its schema, in each process that has imported the class; one of ``GraphqlWsConsumer``
itself counts for all subscriptions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from .conf import get_settings, load_schema

_bases: list[type] = []


def register_base(base: type) -> None:
    """The attributes of this class, and of those that are derived from it, count from now on."""
    _bases.append(base)


def prefix_of(is_mounted: Callable[[Any], bool]) -> str:
    """The prefix of a subscription; ``is_mounted`` tells whether a graphql-core schema has it.

    Raises ImproperlyConfigured if two consumers disagree.
    """
    default = get_settings().group_name_prefix
    for base in _bases:
        default = getattr(base, "group_name_prefix", default)
    own = {
        consumer.group_name_prefix: consumer  # type: ignore[attr-defined]
        for consumer in consumers_with_prefix()
        if is_mounted(_schema_of(consumer))
    }
    if len(own) > 1:
        classes = " and ".join(sorted(consumer.__qualname__ for consumer in own.values()))
        raise ImproperlyConfigured(f"{classes} have the same schema, but each another group_name_prefix: write one.")
    return next(iter(own), default)


def consumers_with_prefix() -> Iterator[type]:
    """The imported consumer classes, the base aside, whose ``group_name_prefix`` is their own or set for them."""
    for base in _bases:
        common = getattr(base, "group_name_prefix", None)
        for consumer in _derived(base):
            if getattr(consumer, "group_name_prefix", common) != common:
                yield consumer


def _derived(base: type) -> Iterator[type]:
    classes: list[type] = base.__subclasses__()
    for derived in classes:
        yield derived
        yield from _derived(derived)


def _schema_of(consumer: type) -> Any:
    try:
        return load_schema(getattr(consumer, "schema", None) or get_settings().schema)
    except ImproperlyConfigured:
        return None  # It serves nobody.
