"""Rows that change because what they refer to is deleted: Django changes them, and sends no signal.

Foreign keys change by what ``on_delete`` is for other than ``CASCADE``: ``SET_NULL``, ``SET_DEFAULT``, ``SET(...)``.
Many-to-many fields lose what is deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db.models import CASCADE, DO_NOTHING, PROTECT, RESTRICT, Field, Model, QuerySet

from .declaration import Bridge
from .reading import begin_to_write
from .rows import State

Reference = tuple[Bridge, "Field[Any, Any]"]

_NEVER_CHANGED = {CASCADE, DO_NOTHING, PROTECT, RESTRICT}


def references_of(bridge: Bridge) -> Iterator[tuple[type[Model], Reference]]:
    """The models whose deletion changes rows of a bridge, with the field that it changes."""
    for field in _changeable(bridge):
        target = field.remote_field.model._meta.concrete_model
        for model in apps.get_models():
            if model._meta.concrete_model is target:
                yield model, (bridge, field)


def _changeable(bridge: Bridge) -> Iterator[Any]:
    for field in bridge.columns:
        relation: Any = field.remote_field
        if relation is not None and relation.on_delete not in _NEVER_CHANGED:
            yield field
    for relation in bridge.model._meta.many_to_many:
        if relation.name in bridge.reported:
            yield relation


def read_referrers(reference: Reference, instance: Model, using: str) -> dict[Any, State]:
    """The rows that refer to an instance, which is about to be deleted."""
    bridge, field = reference
    rows: QuerySet[Any] = QuerySet(bridge.model, using=using).filter(**{field.name: instance})
    begin_to_write(bridge.model, using)
    # A deletion that only takes away what relates the two leaves the row alone.
    return bridge.read(rows.values_list("pk", flat=True), using, hold=not field.many_to_many)
