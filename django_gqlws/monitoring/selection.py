"""Which live rows somebody means, by what people know of them."""

from __future__ import annotations

import re
from collections.abc import Collection
from uuid import UUID

from django.db.models import Q

from .models import Connection, Membership, Subscription
from .querysets import LiveQuerySet


def like(name: str, pattern: str) -> Q:
    """A condition for a column, where ``*`` stands for anything, also for nothing."""
    if "*" not in pattern:
        return Q(**{name: pattern})
    anything = re.escape(re.sub(r"\*+", "*", pattern)).replace(r"\*", ".*")
    return Q(**{f"{name}__regex": f"^{anything}$"})


def connections(
    ids: Collection[UUID] = (), user: str | None = None, group: str | None = None, field: str | None = None
) -> LiveQuerySet:
    """Live connections, the newest first: with one of these ids (their own, or of a subscription of theirs), of this
    user (name or primary key), with a subscription to this group (``*`` stands for anything), and to this field.

    What is not given is not asked for.
    """
    found: LiveQuerySet = Connection.objects.live()
    if ids:
        theirs = Subscription.objects.filter(pk__in=ids).values("connection")
        found = found.filter(Q(pk__in=ids) | Q(pk__in=theirs))
    if user is not None:
        found = found.filter(Q(user_label=user) | Q(user=user))
    if group is not None or field is not None:
        found = found.filter(pk__in=subscriptions(group=group, field=field).values("connection"))
    return found


def subscriptions(
    ids: Collection[UUID] = (), user: str | None = None, group: str | None = None, field: str | None = None
) -> LiveQuerySet:
    """The same for live subscriptions: an id is one of theirs, or of their connection."""
    found: LiveQuerySet = Subscription.objects.live()
    if ids:
        found = found.filter(Q(pk__in=ids) | Q(connection__in=ids))
    if user is not None:
        found = found.filter(Q(connection__user_label=user) | Q(connection__user=user))
    if group is not None:
        found = found.filter(pk__in=Membership.objects.filter(like("name", group)).values("subscription"))
    if field is not None:
        found = found.filter(field=field)
    return found
