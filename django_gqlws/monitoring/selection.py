"""Which live rows somebody means, by what people know of them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from .models import NAME_LENGTH, Connection, Membership, Subscription
from .querysets import LiveQuerySet
from .redaction import clean

if TYPE_CHECKING:
    Lookup = models.Lookup[bool]
else:
    Lookup = models.Lookup


def like(name: str, pattern: str) -> Q:
    """A condition for a column of a name, where ``*`` stands for anything, also for nothing."""
    # A name has no room for what is cut off here.
    pattern = clean(re.sub(r"\*+", "*", pattern), 2 * NAME_LENGTH + 2)
    if pattern == "*":
        return Q()
    return Q(Like(F(name), pattern)) if "*" in pattern else Q(**{name: pattern})


class Like(Lookup):
    """Whether a text matches a pattern with stars. The database looks: it is fast with any pattern, SQLite without
    holding the interpreter's lock, as it would for a regular expression.
    """

    lookup_name = "like"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, parameters = self.process_lhs(compiler, connection)
        pattern = connection.ops.prep_for_like_query(self.rhs).replace("*", "%")
        return f"{column} {connection.operators['contains']}", (*parameters, pattern)

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Its LIKE does not tell small letters from capital ones."""
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} GLOB %s", (*parameters, re.sub(r"[?[]", r"[\g<0>]", str(self.rhs)))


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
