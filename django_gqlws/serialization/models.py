"""Django's model instances, field by field and without a query.

Relations are their keys: a foreign key's object and many-to-many rows are read by whoever asks for them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from django.core.signals import setting_changed

from ..conf import find_field, get_setting

if TYPE_CHECKING:
    from django.db.models import Field, Model

ModelParts = tuple[str, str | None, bool, dict[str, Any], dict[str, str]]


def user_models() -> tuple[type[Model], ...]:
    """The classes whose field ``password`` is one."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.core.exceptions import ImproperlyConfigured

    try:
        return AbstractBaseUser, get_user_model()
    except ImproperlyConfigured:  # There are projects without users.
        return (AbstractBaseUser,)


@cache
def travelling_fields(model: type[Model]) -> tuple[Field[Any, Any], ...]:
    """The model's columns, parents' included, without passwords of users and what SENSITIVE_FIELDS lists."""
    users, listed = user_models(), {find_field(label) for label in get_setting("sensitive_fields")}
    return tuple(
        field
        for field in model._meta.concrete_fields
        if field not in listed and not (field.name == "password" and issubclass(field.model, users))
    )


def _forget(*, setting: str, **_: Any) -> None:
    if setting in {"GQLWS", "INSTALLED_APPS", "AUTH_USER_MODEL"}:
        travelling_fields.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_gqlws.serialization.models")


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
