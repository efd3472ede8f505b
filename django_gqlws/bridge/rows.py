"""What happened to a row, in the words of the wire."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from django.db.models import Model

State = dict[str, Any]
"""A row's values by attribute name (``room_id``); ``pk`` is always there."""


class RowEvent(StrEnum):
    """What happened to a row in a transaction, seen as a whole."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"


class RowMove(StrEnum):
    """What an update means to one group."""

    ENTERED = "entered"
    """The row was not in this group before."""
    LEFT = "left"
    """The row is not in this group any more; what it became is not this group's affair."""


class Row(NamedTuple):
    """One row in a broadcast. It travels as a list of these, in this order."""

    pk: Any
    event: str
    changed: list[str]
    """Names of the fields that changed; of an update only."""
    move: str | None
    last: Model | None
    """The last values that this group may know, where there is nothing to fetch: DELETED and LEFT."""
