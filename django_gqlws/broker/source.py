"""What a subscription listens to: the source stream of a `Subscription` field."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Hashable
from typing import Any, NamedTuple

from .groups import Group
from .mailbox import WhenFull


class GroupSource(NamedTuple):
    """The groups whose events a subscription gets.

    It is an async iterable, as GraphQL asks of a source stream, but it is the connection that serves it, over the hub.
    """

    topic: type
    """The subscription class."""
    # Tuples of texts, as long as the subscription lives: the garbage collector forgets them at once.
    groups: tuple[str, ...]
    """Names in the channel layer."""
    named: tuple[Group, ...]
    """What ``subscribe`` returned."""
    queue_limit: int | None
    """Notifications that may wait; None: the consumer's setting."""
    when_full: WhenFull
    shared: bool
    """Whether equal subscriptions may share a result that depends on nothing personal."""
    share_key: Hashable
    """Not None: subscriptions with an equal one share their results, personal or not."""
    end: Callable[[float | None], Coroutine[Any, Any, None]] | None
    """Calls the user's ``unsubscribed``, and cuts it after so many seconds. To be awaited once, when it is over."""
    name_of: Callable[[Any], str]
    """The layer's name of another group. Raises TypeError for what names none."""
    initial: Callable[[], Coroutine[Any, Any, Any]] | None = None
    """The payload of a first notification for this subscription alone; None: there is none."""

    def __aiter__(self) -> AsyncIterator[Any]:
        raise TypeError("A django_gqlws Subscription delivers over a GraphqlWsConsumer, not over graphql.subscribe().")
