"""Filters of the lists: what is chosen stays to be seen, and a list of values never gets long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..monitoring import Membership

MOST = 10
"""Values that are offered. The search finds the others."""

NOBODY = "-"
"""Stands for the empty text, which a filter cannot be asked for."""


class Frequent(admin.SimpleListFilter):
    """The most frequent values of a column, and the chosen one."""

    column = ""
    label = ""
    """The column that is shown; by default the same."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """The values with their labels."""
        label = self.label or self.column
        counted = (
            model_admin.get_queryset(request)
            .order_by()
            .values_list(self.column, label)
            .annotate(count=Count("pk"))
            .order_by("-count", label)
        )
        found = {str(value) or NOBODY: text or self.empty for value, text, _count in counted[:MOST]}
        if (chosen := self.value()) and chosen not in found:
            found[chosen] = chosen
        return list(found.items())

    empty: Any = _("nothing")
    """What is shown for the empty text."""

    def value(self) -> str | None:
        """What was chosen."""
        return self.used_parameters.get(str(self.parameter_name))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with the chosen value."""
        chosen = self.value()
        return queryset if chosen is None else queryset.filter(**{self.column: "" if chosen == NOBODY else chosen})


def frequent(title: Any, parameter: str, column: str, label: str = "", empty: Any = Frequent.empty) -> type[Frequent]:
    """A filter for a column."""
    attributes = {"title": title, "parameter_name": parameter, "column": column, "label": label, "empty": empty}
    return type(f"{parameter.title()}Filter", (Frequent,), attributes)


class GroupFilter(admin.SimpleListFilter):
    """The busiest groups, and the chosen one."""

    title = _("group")
    parameter_name = "group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """Their names; the values tell groups of one name apart."""
        named = Membership.objects.live().exclude(name="").order_by().values_list("topic", "name")
        busiest = named.annotate(count=Count("pk")).order_by("-count", "topic", "name")[:MOST]
        found = {group_key(topic, name): name for topic, name, _count in busiest}
        if (chosen := self.value()) and chosen not in found:
            found[chosen] = chosen.partition(":")[2] or chosen
        return list(found.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The subscriptions to the chosen group."""
        if (chosen := self.value()) is None:
            return queryset
        topic, _colon, name = chosen.partition(":")
        return queryset.filter(pk__in=Membership.objects.filter(topic=topic, name=name).values("subscription"))


def group_key(topic: str, name: str) -> str:
    """The value of the filter for a group; the empty name: all subscribers of the class."""
    return f"{topic}:{name}"


TROUBLES = {
    "dropped": _("something was dropped"),
    "errors": _("something had errors"),
    "queued": _("something waits"),
}


class TroubleFilter(admin.SimpleListFilter):
    """Subscriptions that fare badly."""

    title = _("trouble")
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """Each kind is a column with a number."""
        return list(TROUBLES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows whose number is not 0."""
        chosen = self.value()
        return queryset.filter(**{f"{chosen}__gt": 0}) if chosen in TROUBLES else queryset
