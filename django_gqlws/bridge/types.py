"""The GraphQL types of rows and of their values."""

from __future__ import annotations

import sys
from typing import Any

import graphene
from django.db import models
from django.db.models import Field, Model
from graphene.types.generic import GenericScalar

from ..serialization.models import travelling_fields
from .rows import RowEvent, RowMove

RowEventType = graphene.Enum.from_enum(RowEvent, name="RowEvent", description="What happened to a row.")
RowMoveType = graphene.Enum.from_enum(
    RowMove, name="RowMove", description="What an update means to the rows that are listened to."
)

SCALARS: dict[type[Field[Any, Any]], type[graphene.Scalar]] = {
    # The first that a field is an instance of: the narrow before the wide.
    models.AutoField: graphene.ID,
    models.ForeignKey: graphene.ID,
    models.BigIntegerField: graphene.BigInt,
    models.IntegerField: graphene.Int,
    models.BooleanField: graphene.Boolean,
    models.FloatField: graphene.Float,
    models.DecimalField: graphene.Decimal,
    models.DateTimeField: graphene.DateTime,
    models.DateField: graphene.Date,
    models.TimeField: graphene.Time,
    models.UUIDField: graphene.UUID,
    models.JSONField: GenericScalar,
}

_generated: dict[type[Model], type[graphene.ObjectType]] = {}


def scalar_for(field: Field[Any, Any]) -> type[graphene.Scalar]:
    """The scalar of a column's values; what is not known is a String."""
    known: type[graphene.Scalar] = graphene.ID
    if not field.primary_key:
        known = next((scalar for kind, scalar in SCALARS.items() if isinstance(field, kind)), graphene.String)
    return known


def row_type(model: type[Model]) -> type[graphene.ObjectType]:
    """The type of a model's rows: the one that graphene-django's registry has for it, else a generated one."""
    # Not imported: graphene-django is an extra. Without its module there is no type either.
    registry = sys.modules.get("graphene_django.registry")
    known: Any = None
    if registry is not None:
        known = registry.get_global_registry().get_type_for_model(model)
    return _generate(model) if known is None else known


def _generate(model: type[Model]) -> type[graphene.ObjectType]:
    if model not in _generated:
        fields = {
            field.attname: scalar_for(field)(required=not field.null)
            for field in travelling_fields(model)
            if not isinstance(field, models.BinaryField)
        }
        _generated[model] = type(f"{model.__name__}Row", (graphene.ObjectType,), fields)
    return _generated[model]
