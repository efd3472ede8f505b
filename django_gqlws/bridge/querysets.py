"""What Django sends no signals for: changes of many rows at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import connections, transaction
from django.db.models import Manager, Model, Q, QuerySet

from .capture import bridges_of, collector
from .declaration import Bridge
from .delivery import logged
from .reading import begin_to_write, only_read
from .rows import State
from .transactions import Change

States = dict[Any, State]


class BridgedQuerySet(QuerySet[Any]):
    """A queryset whose ``bulk_create``, ``bulk_update`` and ``update`` are noticed, too.

    ::

        class Message(models.Model):
            objects = BridgedManager()

    A queryset of your own derives from it. The rows are read before and after the change, in its transaction.
    """

    def update(self, **kwargs: Any) -> int:
        """As Django's."""
        if not (bridges := bridges_of(self.model)):
            return super().update(**kwargs)
        self._for_write = True
        with transaction.atomic(using=self.db, savepoint=False):
            befores: dict[Bridge, States] = {}
            rows = self
            for bridge in bridges:
                with logged(bridge, self.db):
                    key = bridge.key_for(self.model)
                    begin_to_write(self.model, self.db)
                    keys = list(rows.order_by().values_list(key.name, flat=True))
                    # Not by the filter again: it may not find them afterwards.
                    befores[bridge] = bridge.read(keys, self.db, hold=True, by=key)
                    rows = only_read(rows, key, keys)
            count = super(BridgedQuerySet, rows).update(**kwargs)
            for bridge, before in befores.items():
                with logged(bridge):
                    _note(bridge, before, bridge.read(before, self.db), self.db)
        return count

    def bulk_create(
        self,
        objs: Iterable[Any],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[Any]:
        """As Django's. With conflicts, rows are noticed that have a primary key or ``unique_fields``."""
        options = (batch_size, ignore_conflicts, update_conflicts, update_fields, unique_fields)
        if not (bridges := bridges_of(self.model)):
            return super().bulk_create(objs, *options)
        self._for_write = True
        objs = list(objs)
        may_exist = bool(objs) and (ignore_conflicts or update_conflicts)
        if not may_exist:
            bridges = [bridge for bridge in bridges if bridge.covers(self.model)]
        with transaction.atomic(using=self.db, savepoint=False):
            befores: dict[Bridge, States] = {}
            for bridge in bridges:
                with logged(bridge, self.db):
                    befores[bridge] = self._alike(bridge, objs, unique_fields) if may_exist else {}
            created = super().bulk_create(objs, *options)
            for bridge, before in befores.items():
                with logged(bridge):
                    after = (
                        self._alike(bridge, objs, unique_fields) if may_exist else _created(bridge, created, self.db)
                    )
                    _note(bridge, before, after, self.db)
        return created

    update.alters_data = True  # type: ignore[attr-defined]
    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def _alike(self, bridge: Bridge, objs: Sequence[Model], unique_fields: Collection[str] | None) -> States:
        """The rows that are there, of those that the objects stand for."""
        with_pk = [obj.pk for obj in objs if obj._is_pk_set()]  # type: ignore[attr-defined]
        found = bridge.read(with_pk, self.db, hold=True, by=bridge.key_for(self.model))
        fields = [self.model._meta.get_field(name) for name in unique_fields or () if name != "pk"]
        if fields:
            size = connections[self.db].ops.bulk_batch_size(fields, objs) or len(objs)
            rows = bridge.model._base_manager.using(self.db)
            for start in range(0, len(objs), min(size, 100)):
                alike = Q()
                for obj in objs[start : start + min(size, 100)]:
                    alike |= Q(**{field.attname: getattr(obj, field.attname) for field in fields})
                found |= bridge.read(rows.filter(alike).values_list("pk", flat=True), self.db, hold=True)
        return found


BridgedManager = Manager.from_queryset(BridgedQuerySet, class_name="BridgedManager")
"""A manager with the queryset."""


def _created(bridge: Bridge, objs: Sequence[Model], using: str) -> States:
    found: States = {}
    unknown = []
    for obj in objs:
        state = bridge.loaded(obj)
        pk = bridge.key_of(obj) if state is None else state["pk"]
        if pk is None:
            continue  # Not every database tells.
        if state is None:
            unknown.append(pk)
        else:
            found[pk] = state
    return found | bridge.read(unknown, using) if unknown else found


def _note(bridge: Bridge, before: States, after: States, using: str) -> None:
    pks = dict.fromkeys([*before, *after])
    collector.note(using, *(Change(bridge, pk, before.get(pk), after.get(pk)) for pk in pks))
