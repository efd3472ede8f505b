"""The class that applications derive from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import graphene
from graphene.types.objecttype import ObjectTypeOptions
from graphene.types.utils import yank_fields_from_attrs
from graphene.utils.get_unbound_function import get_unbound_function
from graphene.utils.props import props

from ..broker.bus import Message
from ..broker.envelope import Kind
from ..broker.groups import Group, group_name
from ..broker.mailbox import WhenFull
from ..prefixes import prefix_of
from ..serialization import pack
from .field import SubscriptionField
from .sending import Order, post, send, send_sync


class SubscriptionOptions(ObjectTypeOptions):  # type: ignore[misc]
    """What ``class Meta`` of a subscription came to."""

    subscribe: Callable[..., Any] | None = None
    publish: Callable[..., Any]
    unsubscribed: Callable[..., Any] | None = None
    initial: Callable[..., Any] | None = None
    share_key: Callable[..., Any] | None = None
    output: Any = None
    arguments: dict[str, Any]
    name_of: Callable[[Any], str]


class Subscription(graphene.ObjectType):  # type: ignore[misc]
    """A subscription field whose notifications come from `broadcast`.

    ::

        class OnMessage(Subscription):
            class Arguments:
                room = graphene.String(required=True)

            text = graphene.String()

            @staticmethod
            def subscribe(root, info, room):
                return [room]  # The groups to listen to.

            @staticmethod
            async def publish(payload, info, room):
                return OnMessage(text=payload["text"])  # None: nothing is sent.

        class Subscriptions(graphene.ObjectType):
            on_message = OnMessage.Field()

        OnMessage.broadcast(group="lobby", payload={"text": "Hello"})

    ``publish`` is required. Optional are, all with the arguments ``(root, info, **arguments)``:

    - ``subscribe``: returns the groups;
    - ``initial``: returns the payload of a first notification for this subscriber alone, which goes through ``publish``
      like that of a broadcast; None: there is none. It is called when no broadcast can be missed any more, and comes
      before all of them. An exception in it is a result with errors, and the subscription lives on;
    - ``unsubscribed``: called once when the subscription is over;
    - ``share_key``: subscribers with an equal key (a tenant, a role) share their results although ``publish`` looks at
      the context.

    Each may be a static, class or plain method, sync (called in a worker thread) or async.
    """

    notification_queue_limit: int | None = None
    """Notifications that may wait for one subscriber. None or <= 0: SUBSCRIPTION_NOTIFICATION_QUEUE_LIMIT."""

    notification_queue_policy: str = WhenFull.DROP_OLDEST
    """What happens to a subscriber who is too slow: ``"drop_oldest"``, or ``"close"``, which ends the subscription."""

    shared: bool = True
    """Whether equal subscriptions share a result that was made without looking at ``info.context``. False: ``publish``
    is called for each subscriber, because it has side effects or is random."""

    _takes_broadcasts = True

    class Meta:
        abstract = True

    @classmethod
    def __init_subclass_with_meta__(
        cls,
        subscribe: Callable[..., Any] | None = None,
        publish: Callable[..., Any] | None = None,
        unsubscribed: Callable[..., Any] | None = None,
        output: Any = None,
        arguments: dict[str, Any] | None = None,
        _meta: SubscriptionOptions | None = None,
        **options: Any,
    ) -> None:
        meta = _meta or SubscriptionOptions(cls)
        output = output or getattr(cls, "Output", None)
        fields: dict[str, Any] = {}
        if output is None:
            for base in reversed(cls.__mro__):
                fields.update(yank_fields_from_attrs(base.__dict__, _as=graphene.Field))
            output = cls
        if arguments is None:
            declared = getattr(cls, "Arguments", None)
            arguments = props(declared) if declared else {}
        publish = publish or _method(cls, "publish")
        if publish is None:
            raise AssertionError(
                f"{cls.__qualname__} needs a method publish(payload, info, **arguments)"
                " that returns what a subscriber gets."
            )
        limit = cls.notification_queue_limit
        if limit is not None and not isinstance(limit, int):
            raise AssertionError(f"{cls.__qualname__}.notification_queue_limit is {limit!r}: write a number, or None.")
        if cls.notification_queue_policy not in list(WhenFull):
            raise AssertionError(
                f"{cls.__qualname__}.notification_queue_policy is {cls.notification_queue_policy!r}:"
                ' write "drop_oldest" or "close".'
            )
        meta.fields = {**(meta.fields or {}), **fields}
        meta.output = output
        meta.arguments = arguments
        meta.publish = publish
        meta.subscribe = subscribe or _method(cls, "subscribe")
        meta.unsubscribed = unsubscribed or _method(cls, "unsubscribed")
        meta.initial = _method(cls, "initial")
        meta.share_key = _method(cls, "share_key")
        meta.name_of = cls._name_of
        super().__init_subclass_with_meta__(_meta=meta, **options)

    @classmethod
    def Field(  # noqa: N802 - Graphene's name
        cls,
        name: str | None = None,
        description: str | None = None,
        deprecation_reason: str | None = None,
        required: bool = False,
    ) -> graphene.Field:
        """Mounts the subscription in the schema's subscription type."""
        return SubscriptionField(
            cls,
            name=name,
            description=description or cls._meta.description,
            deprecation_reason=deprecation_reason,
            required=required,
        )

    # Sending

    @classmethod
    def broadcast(
        cls,
        *,
        group: Group | None = None,
        payload: Any = None,
        on_commit: bool = True,
        using: str | None = None,
    ) -> asyncio.Task[None] | None:
        """Notifies the subscribers of a group, in all processes; ``group=None``: all of this class.

        On a running event loop it is sent at once, and the returned task may be awaited or not. Elsewhere, inside
        ``atomic()`` on the database ``using``, it is sent after the commit (never after a rollback), and an error is
        logged; outside, or with ``on_commit=False``, it has been sent when the call returns.

        Raises PayloadError if the payload cannot be packed, BroadcastError if the channel layer fails.
        """
        return send(cls._order(Kind.EVENT, group, pack(payload)), on_commit, using)

    @classmethod
    async def broadcast_async(cls, *, group: Group | None = None, payload: Any = None) -> None:
        """Like `broadcast`, from async code; returns when the channel layer has it."""
        await post(cls._order(Kind.EVENT, group, pack(payload)))

    @classmethod
    def broadcast_sync(
        cls,
        *,
        group: Group | None = None,
        payload: Any = None,
        on_commit: bool = True,
        using: str | None = None,
    ) -> None:
        """Like `broadcast`, from sync code. Raises RunningLoopError on a running event loop."""
        send_sync(cls._order(Kind.EVENT, group, pack(payload)), on_commit, using)

    @classmethod
    def unsubscribe(
        cls, *, group: Group | None = None, on_commit: bool = True, using: str | None = None
    ) -> asyncio.Task[None] | None:
        """Ends the subscriptions to a group, in all processes, behind earlier broadcasts; clients get ``complete``.

        When it is sent, and what it returns and raises: as `broadcast`.
        """
        return send(cls._order(Kind.UNSUBSCRIBE, group), on_commit, using)

    @classmethod
    async def unsubscribe_async(cls, *, group: Group | None = None) -> None:
        """Like `unsubscribe`, from async code; returns when the channel layer has it."""
        await post(cls._order(Kind.UNSUBSCRIBE, group))

    @classmethod
    def unsubscribe_sync(cls, *, group: Group | None = None, on_commit: bool = True, using: str | None = None) -> None:
        """Like `unsubscribe`, from sync code. Raises RunningLoopError on a running event loop."""
        send_sync(cls._order(Kind.UNSUBSCRIBE, group), on_commit, using)

    @classmethod
    def _order(cls, kind: Kind, group: Group | None, payload: bytes = b"") -> Order:
        return Order(cls, group, Message(kind, cls._group_name(group), payload))

    # Names

    @classmethod
    def _topic(cls) -> str:
        return f"{cls.__module__}.{cls.__qualname__}"

    @classmethod
    def _is_mounted(cls, schema: Any) -> bool:
        root = None if schema is None else schema.subscription_type
        fields = () if root is None else root.fields.values()
        return any(getattr(field.subscribe, "subscription", None) is cls for field in fields)

    @classmethod
    def _group_name(cls, group: Group | None) -> str:
        return cls._layer_name(prefix_of(cls._is_mounted), None if group is None else cls._text_of(group))

    @classmethod
    def _name_of(cls, group: Any) -> str:
        """The layer's name of a group; None is none, but for `broadcast`."""
        return cls._layer_name(prefix_of(cls._is_mounted), cls._text_of(group))

    @classmethod
    def _group_names(cls, groups: Any) -> list[str]:
        """The layer's names of what ``subscribe`` returned, the class's own group first."""
        if groups is not None and not isinstance(groups, (list, tuple)):
            raise AssertionError(
                f"{cls.__qualname__}.subscribe returned {groups!r}: return a list of group names,"
                ' such as ["room-1"], or None for no group.'
            )
        try:
            texts = [None, *map(cls._text_of, groups or ())]
        except TypeError as error:
            raise AssertionError(f"subscribe returned a wrong group. {error}") from error
        prefix = prefix_of(cls._is_mounted)
        return [cls._layer_name(prefix, text) for text in dict.fromkeys(texts)]

    @classmethod
    def _layer_name(cls, prefix: str, text: str | None) -> str:
        """The layer's name of a group, wherever one is needed; of None, that of the class's own group."""
        return group_name(prefix, cls._topic(), text)

    @classmethod
    def _text_of(cls, group: Any) -> str:
        if not isinstance(group, (str, int, UUID)) or isinstance(group, bool):
            raise TypeError(f"{cls.__qualname__}: the group is {group!r}; it is named by a str, an int or a UUID.")
        return str(group)


def _method(cls: type, name: str) -> Callable[..., Any] | None:
    function = getattr(cls, name, None)
    return None if function is None else get_unbound_function(function)
