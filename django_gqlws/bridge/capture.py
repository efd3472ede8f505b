"""How changes are noticed: Django's signals of the models that have a bridge, their children, parents and proxies."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.db.models import ManyToManyField, Model
from django.db.models.signals import ModelSignal, m2m_changed, post_delete, post_save, pre_delete, pre_save

from ..conf import get_setting
from .declaration import Bridge, DeclarationError, Source, declare
from .delivery import deliver, logged
from .reading import Columns, hold_tables
from .references import Reference, read_referrers, references_of
from .rows import State
from .transactions import Change, Collector

logger = logging.getLogger(__name__)

UID = "django_gqlws.bridge"

declared: dict[str, Mapping[str, Any]] = {}
"""What `bridged` has said, by the label of the model."""

_bridges: dict[type[Model], Bridge] = {}
_of_sender: dict[type[Model], list[Bridge]] = {}
_of_through: dict[type[Model], list[tuple[Bridge, ManyToManyField[Any, Any]]]] = {}
_of_target: dict[type[Model], list[Reference]] = {}
_connected: list[tuple[ModelSignal, type[Model], str]] = []

collector = Collector(deliver)


def find_bridge(model: type[Model]) -> Bridge:
    """The bridge of a model. Raises ImproperlyConfigured if it has none."""
    bridge = _bridges.get(model)
    if bridge is None:
        label = model._meta.label
        raise ImproperlyConfigured(
            f'Write GQLWS["MODELS"] = {{"{label}": {{}}}} in the settings: {label} has no bridge.'
        )
    return bridge


def bridges_of(model: type[Model]) -> Sequence[Bridge]:
    """The bridges that a change of a model's rows is an affair of."""
    return _of_sender.get(model, ())


def triggered_bridges() -> dict[str, Bridge]:
    """Those whose changes PostgreSQL notices, by the labels of their models."""
    return {bridge.model._meta.label: bridge for bridge in _bridges.values() if bridge.source is Source.TRIGGERS}


def declarations() -> list[tuple[str, str, Mapping[str, Any]]]:
    """Where each model's declaration stands, its label, and what it says. Raises ImproperlyConfigured."""
    models = get_setting("models")
    beside = {label: options for label, options in declared.items() if label not in models}
    return [
        *((f'GQLWS["MODELS"]["{label}"]', label, options) for label, options in models.items()),
        *((f"@bridged of {label}", label, options) for label, options in beside.items()),
    ]


def connect() -> None:
    """Notices changes from now on, as the settings say. What they say wrongly is logged, and a system check."""
    for signal, sender, uid in _connected:
        signal.disconnect(sender=sender, dispatch_uid=uid)
    for known in (_bridges, _of_sender, _of_through, _of_target, _connected):
        known.clear()
    try:
        found = declarations()
    except ImproperlyConfigured:
        return  # Whoever needs the settings says so.
    for where, label, options in found:
        try:
            bridge = declare(label, options, where)
        except DeclarationError as error:
            logger.error("Changes of %s are not told: %s", label, error)
        else:
            _bridges[bridge.model] = bridge
    if signalled := [bridge for bridge in _bridges.values() if bridge.source is Source.SIGNALS]:
        _connect_signals(signalled)


def _connect_signals(signalled: Sequence[Bridge]) -> None:
    for model in apps.get_models(include_auto_created=True):
        concrete: Any = model._meta.concrete_model
        if bridges := [bridge for bridge in signalled if bridge.covers(model) or issubclass(bridge.model, concrete)]:
            _of_sender[model] = bridges
            for signal, receiver in ((pre_save, before_save), (post_save, after_save), (pre_delete, before_delete)):
                _connect(signal, receiver, model)
    for bridge in signalled:
        for field in bridge.model._meta.many_to_many:
            if field.name in bridge.reported:
                through: Any = field.remote_field.through
                _of_through.setdefault(through, []).append((bridge, field))
                _connect(m2m_changed, relation_changed, through)
        for target, reference in references_of(bridge):
            _of_target.setdefault(target, []).append(reference)
            _connect(pre_delete, before_target_delete, target)
            _connect(post_delete, after_target_delete, target)


def _connect(signal: ModelSignal, receiver: Any, sender: type[Model]) -> None:
    uid = f"{UID}.{receiver.__name__}"
    signal.connect(receiver, sender=sender, weak=False, dispatch_uid=uid)
    _connected.append((signal, sender, uid))


class _Saves:
    """The saves of one instance that have begun; a receiver of Django's signals may save it once more."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, dict[type[Model], State | None]]] = []
        """When, and the rows before. One that failed stays, below those that come later."""
        self.last_noted = 0


# When a state was read, in this process.
_moments = count(1)


def before_save(
    sender: type[Model], instance: Any, raw: bool, using: str, update_fields: Collection[str] | None, **_: Any
) -> None:
    """Reads the row as it is: only the database knows which values a save replaces."""
    # By model and not by bridge, so that an instance whose save fails can still be pickled.
    befores: dict[type[Model], State | None] = {}
    for bridge in bridges_of(sender):
        if (bridge.raw or not raw) and _written(bridge, sender, raw, update_fields):
            with logged(bridge, using):
                before = None
                if not _is_new(instance, raw):
                    hold_tables(instance, _saved_tables(bridge, sender, raw, update_fields), using)
                    before = bridge.read_one(instance, using, hold=True)
                # Where a parent is saved there is a row, or none is made; but a fixture may have the child first.
                if before is not None or raw or bridge.covers(sender):
                    befores[bridge.model] = before
    saves = instance._state.__dict__.setdefault("gqlws_saves", _Saves())
    saves.begun.append((next(_moments), befores))


def after_save(
    sender: type[Model], instance: Any, raw: bool, using: str, update_fields: Collection[str] | None, **_: Any
) -> None:
    """Notes what the save came to."""
    saves: _Saves | None = instance._state.__dict__.get("gqlws_saves")
    if saves is None or not saves.begun:
        return  # It began before the bridge was there.
    since, befores = saves.begun.pop()
    was_saved_within, saves.last_noted = saves.last_noted > since, next(_moments)
    for bridge in bridges_of(sender):
        if bridge.model in befores:
            with logged(bridge):
                before = befores[bridge.model]
                written = _written(bridge, sender, raw, update_fields)
                after = None if was_saved_within else _saved(bridge, instance, before, written)
                after = after or bridge.read_one(instance, using)
                if row := before or after:
                    collector.note(using, Change(bridge, row["pk"], before, after, since=since))


def before_delete(sender: type[Model], instance: Any, using: str, origin: Any = None, **_: Any) -> None:
    """Notes that a row is deleted, with its last values."""
    for bridge in bridges_of(sender):
        if bridge.model is not sender._meta.concrete_model:
            continue  # Django tells of a parent's row itself, unless it stays (``keep_parents``).
        with logged(bridge, using):
            pk = bridge.key_of(instance)
            # What a cascade or a queryset deletes has just been read; an instance of the user's may be old.
            is_old = isinstance(origin, bridge.model) and bridge.key_of(origin) == pk
            before = None if is_old else bridge.loaded(instance)
            if before is None:
                hold_tables(instance, _deleted_tables(bridge), using)
                before = bridge.read_one(instance, using, hold=True)
            collector.note(using, Change(bridge, pk, before, None))


def before_target_delete(sender: type[Model], instance: Any, using: str, **_: Any) -> None:
    """Reads the rows that refer to a row that is deleted."""
    befores: list[tuple[Reference, dict[Any, State]]] = []
    for reference in _of_target[sender]:
        with logged(reference[0], using):
            befores.append((reference, read_referrers(reference, instance, using)))
    instance._state.__dict__["gqlws_referrers"] = befores


def after_target_delete(sender: type[Model], instance: Any, using: str, **_: Any) -> None:
    """Notes what has become of them."""
    for (bridge, field), befores in instance._state.__dict__.pop("gqlws_referrers", ()):
        with logged(bridge):
            afters = bridge.read(befores, using)
            relations = frozenset([field.name] if field.many_to_many else ())
            collector.note(using, *(Change(bridge, pk, befores[pk], after, relations) for pk, after in afters.items()))


def relation_changed(
    sender: type[Model], instance: Any, action: str, reverse: bool, pk_set: Iterable[Any] | None, using: str, **_: Any
) -> None:
    """Notes the rows whose many-to-many field changed, from whichever side."""
    if action not in ("post_add", "post_remove", "pre_clear"):
        return
    for bridge, field in _of_through[sender]:
        with logged(bridge):
            if action == "pre_clear":
                pks = _related(sender, field, instance, reverse, using)
            else:
                pks = _owners(field, instance, reverse, set(pk_set or ()))
            relations = frozenset([field.name])
            states = bridge.read(pks, using, by=field.model._meta.pk)
            collector.note(using, *(Change(bridge, pk, state, state, relations) for pk, state in states.items()))


def _is_new(instance: Any, raw: bool) -> bool:
    if not instance._is_pk_set():
        return True
    # With a default for the primary key Django inserts what is new, without looking.
    may_be_made = instance._state.adding and not raw
    return may_be_made and all(key.has_default() or key.has_db_default() for key in instance._meta.pk_fields)


def _written(bridge: Bridge, sender: type[Model], raw: bool, update_fields: Collection[str] | None) -> Columns:
    """Of the columns that count, those that a save writes, or has the database work out."""
    if update_fields is None and not raw and bridge.covers(sender):
        return bridge.columns
    # A fixture has the rows of parents by themselves.
    saved = [
        field
        for field in bridge.columns
        if (field.model is sender._meta.concrete_model if raw else issubclass(sender, field.model))
    ]
    if update_fields is None:
        return saved
    return [field for field in saved if field.generated or not {field.name, field.attname}.isdisjoint(update_fields)]


def _saved_tables(
    bridge: Bridge, sender: type[Model], raw: bool, update_fields: Collection[str] | None
) -> Iterator[type[Model]]:
    """Those that a save writes, in Django's order, up to the bridge's own."""
    is_joined = bool(bridge.model._meta.parents)
    if not (is_joined or sender._meta.parents):
        return
    for table in dict.fromkeys(field.model for field in sender._meta.concrete_fields):
        fields = [field for field in table._meta.local_concrete_fields if not field.primary_key]
        names = {name for field in fields for name in (field.name, field.attname)}
        is_written = table is sender._meta.concrete_model if raw else not names.isdisjoint(update_fields or names)
        # The read itself holds a row that is not joined.
        if is_written and (is_joined or table is not bridge.model):
            yield table
        if table is bridge.model:
            return


def _deleted_tables(bridge: Bridge) -> Iterator[type[Model]]:
    """Those that count, in the order in which Django deletes the row of a child: its parents' come last."""
    if bridge.model._meta.parents:
        counted = {field.model for field in bridge.columns}
        yield from (table for table in bridge.model.mro() if table in counted)


def _saved(bridge: Bridge, instance: Model, before: State | None, written: Columns) -> State | None:
    """The row behind a save; None if only the database knows."""
    if len(written) == len(bridge.columns):
        return bridge.loaded(instance)
    # While a parent was saved, the row itself may have been, too.
    if before is None or not bridge.covers(type(instance)):
        return None
    loaded = bridge.loaded_columns(instance, written)
    return None if loaded is None else {**before, **loaded}


def _owners(field: ManyToManyField[Any, Any], instance: Model, reverse: bool, pks: set[Any]) -> set[Any]:
    if not pks or reverse:
        return pks
    own = {getattr(instance, field.model._meta.pk.attname)}
    return pks | own if field.remote_field.symmetrical else own


def _related(
    through: type[Model], field: ManyToManyField[Any, Any], instance: Model, reverse: bool, using: str
) -> set[Any]:
    """The rows whose relation an instance is about to clear."""
    owner, other = field.m2m_field_name(), field.m2m_reverse_field_name()
    rows = through._base_manager.using(using)
    if reverse:
        return set(rows.filter(**{other: instance}).values_list(owner, flat=True))
    others = set(rows.filter(**{owner: instance}).values_list(other, flat=True))
    return _owners(field, instance, reverse, others)


def _forget(*, setting: str, **_: Any) -> None:
    if setting in {"GQLWS", "INSTALLED_APPS"} and apps.ready:
        connect()


setting_changed.connect(_forget, dispatch_uid=UID)
