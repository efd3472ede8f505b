"""`ModelSubscription`: the subscribers' end of the bridge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import graphene
from django.db.models import Model, QuerySet
from graphql import GraphQLError

from ..broker.envelope import Kind
from ..broker.event import Item
from ..execution.kinds import call, on_loop
from ..subscription import Subscription
from ..subscription.sending import Order
from .capture import find_bridge
from .delivery import layer_group
from .fetching import fetch, is_told_to
from .groups import find_column
from .rows import Row, RowEvent, RowMove, keep_last_values
from .types import RowEventType, RowMoveType, row_type, scalar_for


class ModelSubscription(Subscription):
    """Tells what happens to the rows of a model that ``GQLWS["MODELS"]`` names.

    ::

        class OnMessage(ModelSubscription):
            class Meta:
                model = Message
                filters = ["pk", "room_id"]
                select_related = ["sender"]

    ``filters`` are the arguments (default: ``pk``); a client that gives ``roomId`` gets the rows of that group. There
    must be a group for each combination: ``"room-{room_id}"`` in the settings. A class may have ``Arguments`` and
    ``subscribe`` of its own instead, and return names of groups.

    ``row`` in ``Meta`` is the Graphene type of ``row``, if the ``payload`` of the settings makes something else of it.

    Who sees what is decided by two methods:

    - ``get_queryset(queryset, info, **arguments)`` returns the rows that this subscriber may see. Called in a worker
      thread, for each row and subscriber;
    - ``permits(change, info, **arguments)`` returns whether this change may be told, sync or async; ``change`` is what
      the client would get (``event``, ``pk``, ``changed``, ``move``, ``row``). A row that is gone is in no queryset:
      with a `get_queryset` of its own a class needs this one, too.

    As long as neither looks at ``info.context``, equal subscribers share one execution.
    """

    event = graphene.Field(RowEventType, required=True)
    pk = graphene.ID(required=True)
    changed = graphene.List(
        graphene.NonNull(graphene.String), required=True, description="The fields that an update has changed."
    )
    move = graphene.Field(RowMoveType)

    _takes_broadcasts = False
    _model: type[Model]
    _filters: tuple[str, ...]
    _select_related: tuple[str, ...]

    class Meta:
        abstract = True

    @classmethod
    def __init_subclass_with_meta__(  # type: ignore[override]
        cls,
        model: type[Model] | None = None,
        filters: Sequence[str] = ("pk",),
        select_related: Sequence[str] = (),
        row: Any = None,
        **options: Any,
    ) -> None:
        if not (isinstance(model, type) and issubclass(model, Model)):
            raise AssertionError(f"{cls.__qualname__} needs a model: write `class Meta: model = Message`.")
        if hasattr(cls, "initial"):
            raise AssertionError(
                f"{cls.__qualname__} has `initial`, and only changes are told here: read what is there already with a"
                " query, after the subscription is confirmed."
            )
        if cls._is_own("get_queryset") and not cls._is_own("permits"):
            raise AssertionError(
                f"{cls.__qualname__} has get_queryset, and needs permits(change, info, **arguments) as well: it decides"
                " about rows that are gone, which are in no queryset. `return True` tells everybody."
            )
        cls._model, cls._filters, cls._select_related = model, tuple(filters), tuple(select_related)
        cls.row = graphene.Field(
            row or (lambda: row_type(model)),
            description="The row as it is now; where it was deleted, or left, its last values.",
        )
        if "arguments" not in options and not hasattr(cls, "Arguments"):
            options["arguments"] = dict(_arguments(cls.__qualname__, model, filters))
        super().__init_subclass_with_meta__(**options)

    # Who sees what

    @classmethod
    def get_queryset(cls, queryset: QuerySet[Any], info: Any, **arguments: Any) -> QuerySet[Any]:
        """The rows that this subscriber may see; by default all."""
        return queryset

    @classmethod
    def permits(cls, change: Any, info: Any, **arguments: Any) -> Any:
        """Whether this subscriber may be told of the change; by default yes."""
        return True

    @classmethod
    def _is_own(cls, name: str) -> bool:
        return _function(getattr(cls, name)) is not _function(getattr(ModelSubscription, name))

    # The methods of a Subscription

    @classmethod
    @on_loop
    def subscribe(cls, root: object, info: Any, **arguments: Any) -> list[str]:
        """The group of the rows with the given values."""
        given = {name: arguments[name] for name in cls._filters if name in arguments}
        if nulls := [name for name, value in given.items() if value is None]:
            raise GraphQLError(f"There is no group for null: give {', '.join(nulls)} a value, or leave it out.")
        try:
            return [find_bridge(cls._model).group_for(given)]
        except LookupError as error:
            raise GraphQLError(str(error)) from error

    @classmethod
    async def publish(cls, payload: Any, info: Any, **arguments: Any) -> Any:
        """What a client gets of one row; None if it is gone, or not for this subscriber."""
        if not isinstance(payload, Item):
            raise cls._refusal()
        row = Row(*payload.value)
        if row.is_gone:
            keep_last_values(row.made)
        shown = row.made if row.is_gone else await cls._find(row, payload, info, arguments)
        if shown is None:
            return None
        move = None if row.move is None else RowMove(row.move)
        change = cls(event=RowEvent(row.event), pk=row.pk, changed=row.changed, move=move, row=shown)
        if cls._is_own("permits") and not await call(cls.permits, change, info, **arguments):
            return None
        return change

    @classmethod
    async def _find(cls, row: Row, item: Item, info: Any, arguments: Mapping[str, Any]) -> Any:
        """What is shown of a row that is there; None if there is nothing for this subscriber."""
        bridge = find_bridge(cls._model)
        if not cls._is_own("get_queryset"):
            return row.made if row.made is not None else (await fetch(item, bridge, cls._select_related)).get(row.pk)

        def look() -> Any:
            queryset = cls._model._default_manager.using(item.common)
            if cls._select_related:
                queryset = queryset.select_related(*cls._select_related)
            visible = cls.get_queryset(queryset, info, **arguments).filter(pk=row.pk)
            if row.made is not None:
                return row.made if visible.exists() else None
            # What is shown is what was visible: between two queries it could become something else.
            return next((found for found in visible if is_told_to(found, bridge, item)), None)

        return await call(look)

    @classmethod
    def _order(cls, kind: Kind, group: Any, payload: bytes = b"") -> Order:
        if kind is Kind.EVENT:
            raise cls._refusal()
        return super()._order(kind, group, payload)

    @classmethod
    def _refusal(cls) -> TypeError:
        return TypeError(f"{cls.__qualname__} is told of rows by the bridge; it takes no broadcast of its own.")

    @classmethod
    def _layer_name(cls, prefix: str, text: str | None) -> str:
        # The class's own group is as of any Subscription; those with a name are the model's.
        return super()._layer_name(prefix, text) if text is None else layer_group(cls._model._meta.label, text)


def _arguments(owner: str, model: type[Model], filters: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for name in filters:
        try:
            yield name, scalar_for(find_column(model, name))()
        except ValueError as error:
            raise AssertionError(f"{owner}: `filters` has {name!r}: {error}.") from error


def _function(method: Any) -> Any:
    return getattr(method, "__func__", method)
