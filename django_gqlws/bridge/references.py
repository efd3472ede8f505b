"""Rows whose foreign keys change because what they refer to is deleted: Django updates them, and sends no signal.

That is what ``on_delete`` is for other than ``CASCADE``: ``SET_NULL``, ``SET_DEFAULT``, ``SET(...)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db.models import CASCADE, DO_NOTHING, PROTECT, RESTRICT, Field, Model, QuerySet

from .declaration import Bridge
from .rows import State

Reference = tuple[Bridge, "Field[Any, Any]"]

_NEVER_CHANGED = {CASCADE, DO_NOTHING, PROTECT, RESTRICT}


def references_of(bridge: Bridge) -> Iterator[tuple[type[Model], Reference]]:
    """The models whose deletion changes rows of a bridge, with the foreign key that it changes."""
    for field in bridge.columns:
        relation: Any = field.remote_field
        if relation is not None and relation.on_delete not in _NEVER_CHANGED:
            target = relation.model._meta.concrete_model
            for model in apps.get_models():
                if model._meta.concrete_model is target:
                    yield model, (bridge, field)


def read_referrers(reference: Reference, instance: Model, using: str) -> dict[Any, State]:
    """The rows that refer to an instance."""
    bridge, field = reference
    rows: QuerySet[Any] = QuerySet(bridge.model, using=using).filter(**{field.name: instance})
    return bridge.read(rows.values_list("pk", flat=True), using)
