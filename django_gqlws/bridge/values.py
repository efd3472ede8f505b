"""What the database will give back for a value that is saved, found out without asking it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import DecimalField, Field

_PLAIN: dict[Callable[..., Any], type] = {
    field.to_python: kind
    for field, kind in (
        (models.AutoField, int),
        (models.BooleanField, bool),
        (models.CharField, str),
        (models.DateTimeField, datetime),
        (models.FloatField, float),
        (models.IntegerField, int),
        (models.TextField, str),
        (models.UUIDField, UUID),
    )
}


def plain_type(field: Field[Any, Any]) -> type | None:
    """The type whose values come back as they are; None if there is more to know.

    By the method and not by the class, so that a field of the user's that converts is not among them.
    """
    while field.remote_field is not None and hasattr(field, "target_field"):
        field = field.target_field
    return None if field.generated else _PLAIN.get(type(field).to_python)


def as_stored(field: Field[Any, Any], value: Any) -> Any:
    """A value of the field's type as it comes back: 1.5 as 1.50. One that has to be rounded stays as it is."""
    if not isinstance(field, DecimalField) or not isinstance(value, Decimal):
        return value
    try:
        stored = value.quantize(Decimal(1).scaleb(-field.decimal_places), context=field.context)
    except InvalidOperation:  # It has too many digits.
        return value
    return stored if stored == value else value


def is_rounded(field: Field[Any, Any], value: Any) -> bool:
    """Whether the database rounds what `as_stored` has given. Each does so in its own way."""
    return (
        isinstance(field, DecimalField)
        and isinstance(value, Decimal)
        and value.as_tuple().exponent != -field.decimal_places
    )
