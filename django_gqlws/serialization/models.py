"""Django's model instances, field by field and without a query.

Relations are their keys: a foreign key's object and many-to-many rows are read by whoever asks for them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.models import Field, Model

ModelParts = tuple[str, str | None, bool, dict[str, Any], dict[str, str]]


def sensitive_fields() -> set[object]:
    """The fields that never travel: the user model's password."""
    from django.contrib.auth import get_user_model
    from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured

    try:
        return {get_user_model()._meta.get_field("password")}
    except (FieldDoesNotExist, ImproperlyConfigured):
        return set()


@cache
def travelling_fields(model: type[Model]) -> tuple[Field[Any, Any], ...]:
    """The model's columns, parents' included, without the sensitive ones."""
    sensitive = sensitive_fields()
    return tuple(field for field in model._meta.concrete_fields if field not in sensitive)


def loaded_values(instance: Model) -> dict[str, Any]:
    """What the instance has in memory. Deferred fields are missing: to read them would be a query."""
    names = (field.attname for field in travelling_fields(type(instance)))
    return {name: instance.__dict__[name] for name in names if name in instance.__dict__}


def model_parts(instance: Model, is_known: Callable[[type], bool]) -> ModelParts:
    """What `build_model` takes. Values of types of a field's own, such as files, go through their text."""
    values, texts = loaded_values(instance), {}
    for field in travelling_fields(type(instance)):
        value = values.get(field.attname)
        if not is_known(type(value)) and not hasattr(value, "resolve_expression"):
            texts[field.attname] = field.value_to_string(instance)
            del values[field.attname]
    return instance._meta.label, instance._state.db, instance._state.adding, values, texts


def build_model(label: str, db: str | None, adding: bool, values: dict[str, Any], texts: dict[str, str]) -> Model:
    """The instance as if loaded from its database; fields that did not travel are deferred."""
    from django.apps import apps

    model = apps.get_model(label)
    loaded = {}
    for field in model._meta.concrete_fields:
        if field.attname in texts:
            loaded[field.attname] = field.to_python(texts[field.attname])
        elif field.attname in values:
            loaded[field.attname] = values[field.attname]
    instance: Model = model.from_db(db, list(loaded), list(loaded.values()))
    instance._state.adding = adding
    return instance


def evaluate(lazy: Any) -> object:
    """The object that a LazyObject stands for."""
    from django.utils.functional import empty

    if lazy._wrapped is empty:
        lazy._setup()
    return lazy._wrapped
