"""What is declared of one model, checked and made ready for use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
from inspect import iscoroutinefunction, signature
from typing import Any, cast
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db.models import Field, Model
from django.utils.module_loading import import_string

from ..serialization.models import travelling_fields
from .groups import Template
from .reading import key_in, read_row, read_rows
from .rows import RowChange, RowEvent, State
from .values import as_stored, is_rounded, plain_type

DEFAULT_GROUPS = ("all", "pk-{pk}")

GroupFunction = Callable[[Any], Iterable[object]]
"""Gets a row as it is, or was, and returns the names of its groups."""


PayloadFunction = Callable[[RowChange], Any]
"""Returns what subscribers get in the row's place; None: this change is not told."""


class Source(StrEnum):
    """Who notices the changes of a model."""

    SIGNALS = "signals"
    """Django, in the process that makes them."""
    TRIGGERS = "triggers"
    """PostgreSQL, whoever makes them."""


class DeclarationError(ImproperlyConfigured):
    """One thing that is wrong with a declaration, under the id of its system check."""

    def __init__(self, check: str, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.check = check
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True, eq=False)
class Bridge:
    """One model whose changes are told."""

    where: str
    """What to look at when something is wrong with it."""
    model: type[Model]
    templates: tuple[Template, ...]
    group_function: GroupFunction | None
    columns: tuple[Field[Any, Any], ...]
    """What is read of a row before it changes."""
    plain: Mapping[str, type | None]
    """The type of a column's values that come back from the database as they are."""
    reported: Mapping[str, str]
    """The names under which changes are told, by attribute name, or by name for a many-to-many field."""
    events: frozenset[RowEvent]
    raw: bool
    """Whether fixtures count."""
    payload: PayloadFunction | None = None
    source: Source = Source.SIGNALS

    def __str__(self) -> str:
        return self.where

    # States

    def covers(self, sender: type[Model]) -> bool:
        """Whether a row of ``sender`` is one of this model, too, and not of a parent: a proxy's is, or a child's."""
        return issubclass(sender, self.model)

    def key_for(self, sender: type[Model]) -> Field[Any, Any]:
        """What a row is found by where one of ``sender`` changes: the primary key, or that of a parent."""
        key: Any = (self.model if self.covers(sender) else sender)._meta.pk
        return cast("Field[Any, Any]", key)

    def key_of(self, instance: Model) -> Any:
        """The value of that key for the row that an instance (of a child or a parent, perhaps) stands for."""
        return key_in(self.model if isinstance(instance, self.model) else type(instance), instance)

    def read(
        self, keys: Iterable[Any], using: str, hold: bool = False, by: Field[Any, Any] | None = None
    ) -> dict[Any, State]:
        """The rows as they are in the database, by primary key; those that are not there are missing.

        ``hold`` them if they are about to be changed: nobody else changes them before the end of the transaction.
        The keys are primary keys, or those of a parent, if they are to be found ``by`` its key.
        """
        return read_rows(self.model, self.columns, by or self.key_for(self.model), keys, using, hold)

    def read_one(self, instance: Model, using: str, hold: bool = False) -> State | None:
        """The row that an instance stands for, as it is in the database.

        ``hold`` it if it is about to be changed; that of a child of another model is held by ``hold_tables``.
        """
        return read_row(self.model, self.columns, self.key_for(type(instance)), self.key_of(instance), using, hold)

    def loaded(self, instance: Model) -> State | None:
        """The row as the instance has it; None if only the database knows.

        It alone knows what is deferred, an expression, generated, or to be rounded.
        """
        if (state := self.loaded_columns(instance, self.columns)) is not None:
            # A composite key is no column.
            pk = state.get(self.model._meta.pk.attname)
            state["pk"] = self.key_of(instance) if pk is None else pk
        return state

    def loaded_columns(self, instance: Model, columns: Iterable[Field[Any, Any]]) -> State | None:
        """The same of some columns, without ``pk``."""
        state: State = {}
        values, plain = instance.__dict__, self.plain
        for field in columns:
            name = field.attname
            value = values.get(name, field)
            # These are nearly all, and many rows may be created at once.
            if value is None or type(value) is plain[name]:
                state[name] = value
            elif value is field or field.generated or hasattr(value, "resolve_expression"):
                return None
            else:
                value = as_stored(field, field.to_python(value))
                if is_rounded(field, value):
                    return None
                # The user may go on to change it.
                state[name] = deepcopy(value) if isinstance(value, (dict, list, set)) else value
        return state

    def instance(self, state: State, using: str) -> Model:
        """The row in that state as an instance."""
        names = [field.attname for field in self.columns]
        return self.model.from_db(using, names, [state[name] for name in names])

    def changed(self, before: State, after: State) -> list[str]:
        """The names of the columns that differ."""
        return [name for key, name in self.reported.items() if before.get(key) != after.get(key)]

    # Groups

    def groups(self, state: State | None, using: str) -> list[str]:
        """The names of the groups of a row in that state; of none if there is no row."""
        if state is None:
            return []
        if self.group_function is not None:
            names = self.group_function(self.instance(state, using))
            if isinstance(names, str):
                raise TypeError(f"a function for groups returns a list of names, not {names!r}: write [{names!r}]")
            return list(dict.fromkeys(map(_group, names)))
        return [group for template in self.templates if (group := template.of_row(state)) is not None]

    def group_for(self, values: Mapping[str, Any]) -> str:
        """The group of the rows with these values. Raises LookupError, which names what there are groups for."""
        for template in self.templates:
            if template.fields.keys() == values.keys():
                try:
                    return template.fill(values) or ""
                except ValidationError as error:
                    raise LookupError("; ".join(error.messages)) from error
        known = "; ".join(", ".join(template.fields) or "no argument" for template in self.templates)
        raise LookupError(f"There is no group for {', '.join(values) or 'no argument'}. There are groups for: {known}.")


def _group(name: object) -> str:
    if not isinstance(name, (str, int, UUID)) or isinstance(name, bool):
        raise TypeError(f"a group is named by a str, an int or a UUID, not {name!r}")
    return str(name)


def declare(label: str, options: Mapping[str, Any], where: str) -> Bridge:
    """The bridge for what is declared of a model, and where. Raises DeclarationError."""
    model = _find_model(label)
    function, templates = _load_groups(model, options.get("groups", DEFAULT_GROUPS), where)
    payload = _load_payload(options.get("payload"), where)
    reported = _find_fields(model, options.get("fields"), where)
    fields = {
        field
        for field in travelling_fields(model)
        # A function may look at everything.
        if function is not None or payload is not None or field.attname in reported
    }
    fields.update(field for template in templates for name, field in template.fields.items() if name != "pk")
    fields.add(model._meta.pk)
    columns = tuple(field for field in model._meta.concrete_fields if field in fields)
    bridge = Bridge(
        where,
        model,
        templates,
        function,
        columns,
        {field.attname: plain_type(field) for field in columns},
        reported,
        frozenset(map(RowEvent, options.get("events", RowEvent))),
        options.get("raw", False),
        payload,
        Source(options.get("source", Source.SIGNALS)),
    )
    if bridge.source is Source.TRIGGERS:
        _refuse_other_tables(bridge)
    return bridge


def _find_model(label: str) -> type[Model]:
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError) as error:
        raise DeclarationError(
            "gqlws.E020",
            f'GQLWS["MODELS"] names the model "{label}", and there is none.',
            'Write "app_label.Model", such as "chat.Message", of an app in INSTALLED_APPS.',
        ) from error
    if model._meta.proxy:
        concrete: Any = model._meta.concrete_model
        raise DeclarationError(
            "gqlws.E020",
            f'GQLWS["MODELS"] names "{label}", which is a proxy.',
            f'Name the model with the table, "{concrete._meta.label}": it covers its proxies.',
        )
    return model


def _find_fields(model: type[Model], names: Iterable[str] | None, where: str) -> dict[str, str]:
    columns = travelling_fields(model)
    known = {field.name: field.attname for field in columns} | {
        field.name: field.name for field in model._meta.many_to_many
    }
    attributes = {field.attname: field.name for field in columns}
    chosen = [attributes.get(name, name) for name in names] if names is not None else list(known)
    for name in chosen:
        if name not in known:
            raise DeclarationError(
                "gqlws.E021",
                f'{where}: "fields" names {name!r}, which is no field that travels.',
                f"Fields are: {', '.join(sorted(known))}.",
            )
    return {known[name]: name for name in chosen}


def _load_groups(model: type[Model], value: Any, where: str) -> tuple[GroupFunction | None, tuple[Template, ...]]:
    if isinstance(value, str) or callable(value):
        return _load_function(value, "gqlws.E023", f'{where}: "groups"', _GROUPS_HINT), ()
    templates = []
    for text in value:
        try:
            templates.append(Template.parse(model, text))
        except (TypeError, ValueError) as error:
            raise DeclarationError("gqlws.E022", f'{where}: "groups" has {text!r}: {error}.', _GROUPS_HINT) from error
    return None, tuple(templates)


def _load_payload(value: Any, where: str) -> PayloadFunction | None:
    return None if value is None else _load_function(value, "gqlws.E025", f'{where}: "payload"', _PAYLOAD_HINT)


def _load_function(value: Any, check: str, where: str, hint: str) -> Callable[[Any], Any]:
    try:
        function = import_string(value) if isinstance(value, str) else value
        signature(function).bind(None)
    except ImportError as error:
        raise DeclarationError(check, f"{where} is {value!r}, which cannot be imported: {error}.", hint) from error
    except TypeError as error:
        raise DeclarationError(
            check, f"{where} is {value!r}, which cannot be called with one argument: {error}.", hint
        ) from error
    except ValueError:  # A callable that hides what it takes.
        pass
    if iscoroutinefunction(function):
        raise DeclarationError(check, f"{where} is {value!r}, which is async: it is called in the saving thread.", hint)
    return cast(Callable[[Any], Any], function)


_PAYLOAD_HINT = 'Write the dotted path of a plain function that gets a change: "chat.payloads.message".'


def _refuse_other_tables(bridge: Bridge) -> None:
    relations = [field for field in bridge.model._meta.many_to_many if field.name in bridge.reported]
    elsewhere = sorted(field.name for field in [*bridge.columns, *relations] if field.model is not bridge.model)
    if elsewhere:
        raise DeclarationError(
            "gqlws.E026",
            f'{bridge.where}: with triggers as "source" everything must be in one table, and a parent has'
            f" {', '.join(elsewhere)}.",
            'Name the fields of the model itself in "fields" and "groups", or bridge the parent.',
        )


_GROUPS_HINT = (
    'Write a list such as ["all", "pk-{pk}", "room-{room_id}"], or the dotted path of a function that gets a row and'
    " returns the names of its groups."
)
