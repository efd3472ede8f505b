"""Which groups a row belongs to: templates over its values, or a function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model

from .values import as_stored


@dataclass(frozen=True, slots=True)
class Template:
    """The name of a group with values of the row in it, such as ``"room-{room_id}"``."""

    text: str
    fields: Mapping[str, Field[Any, Any]]
    """Those that are named between braces."""
    keys: tuple[str, ...]
    """Where a state has their values."""
    form: str
    """The text with these between the braces."""

    @classmethod
    def parse(cls, model: type[Model], text: str) -> Template:
        """Raises ValueError that says what is wrong with the text."""
        fields, keys, form = {}, [], ""
        for literal, name, spec, conversion in Formatter().parse(text):
            form += literal.replace("{", "{{").replace("}", "}}")
            if name is not None:
                if spec or conversion or not name.isidentifier():
                    raise ValueError("write the plain name of a field between the braces")
                fields[name] = find_column(model, name)
                keys.append(attribute_of(name, fields[name]))
                form += f"{{{keys[-1]}}}"
        return cls(text, fields, tuple(keys), form)

    def fill(self, values: Mapping[str, Any]) -> str | None:
        """The group for values by the names of the template; None if one of them is None.

        Raises ValidationError for what is no value of its field.
        """
        texts = {name: as_stored(field, field.to_python(values[name])) for name, field in self.fields.items()}
        return None if None in texts.values() else self.text.format(**texts)

    def of_row(self, state: Mapping[str, Any]) -> str | None:
        """The group of a row."""
        for key in self.keys:
            if state[key] is None:
                return None
        return self.form.format_map(state)


def find_column(model: type[Model], name: str) -> Field[Any, Any]:
    """The column that is meant by ``pk``, a field's name or its attribute (``room_id``); else ValueError."""
    try:
        field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    except FieldDoesNotExist:
        field = None
    if field is None or not getattr(field, "concrete", False) or field.many_to_many:
        raise ValueError(f"{model._meta.label} has no column {name!r}")
    return field  # type: ignore[return-value]


def attribute_of(name: str, field: Field[Any, Any]) -> str:
    """Where a state has the value."""
    return name if name == "pk" else field.attname
