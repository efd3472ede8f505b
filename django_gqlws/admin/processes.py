"""The server processes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy

from . import columns
from .base import GuardedColumnsAdmin


class ProcessAdmin(GuardedColumnsAdmin):
    """The living ones."""

    list_display = [
        "__str__",
        "name",
        "connections_total",
        "subscriptions_total",
        "unwritten",
        "events",
        "deliveries",
        "dropped",
        "age",
        "last_seen",
    ]
    list_filter = ["host", "name"]
    search_fields = ["host", "pid", "name"]
    guarded_columns = {"connections_total": "view_connection", "subscriptions_total": "view_subscription"}
    fieldsets = [
        (None, {"fields": ["host", "pid", "name", "age", "last_seen", "id"]}),
        (
            gettext_lazy("Numbers"),
            {"fields": ["connections_total", "subscriptions_total", "unwritten", "events", "deliveries", "dropped"]},
        ),
    ]
    readonly_fields = ["age", "last_seen", "dropped", "id"]

    @admin.display(description=gettext_lazy("drops"), ordering="drops")
    def dropped(self, process: Any) -> str:
        """Since it started."""
        return columns.trouble(process.drops)

    @admin.display(description=gettext_lazy("running for"), ordering="-started")
    def age(self, process: Any) -> str:
        """How long it has run."""
        return columns.age(process.started)

    @admin.display(description=gettext_lazy("last seen"), ordering="-seen")
    def last_seen(self, process: Any) -> str:
        """How old its numbers, and all rows of its clients, may be."""
        return columns.age(process.seen)
