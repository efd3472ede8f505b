"""Who is connected."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..monitoring import Connection, Subscription
from . import columns
from .actions import Block, Disconnect
from .base import GuardedColumnsAdmin
from .filters import frequent
from .pages import may, page_url


def user_of(connection: Connection) -> str:
    """Who it is."""
    return connection.user_label or connection.user or _("anonymous")


class ConnectionAdmin(GuardedColumnsAdmin):
    """The clients, the latest first."""

    list_display = ["who", "address", "origin", "protocol", "subscriptions", "process", "age"]
    list_display_links = ["who"]
    list_filter = [
        frequent(gettext_lazy("user"), "user", "user", "user_label", empty=gettext_lazy("anonymous")),
        "protocol",
        frequent(gettext_lazy("origin"), "origin", "origin", empty=gettext_lazy("none")),
        ("process", admin.RelatedOnlyFieldListFilter),
    ]
    list_select_related = ["process"]
    search_fields = ["user_label", "user", "address", "origin", "user_agent"]
    actions = [Disconnect(), Block()]
    guarded_columns = {"subscriptions": "view_subscription"}
    fieldsets = [
        (None, {"fields": ["who", "user", "age", "subscriptions"]}),
        (gettext_lazy("Client"), {"fields": ["address", "origin", "user_agent", "protocol"]}),
        (gettext_lazy("Server"), {"fields": ["process", "id"]}),
    ]
    readonly_fields = ["who", "age", "subscriptions", "id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With how many subscriptions each has."""
        of_it = Subscription.objects.filter(connection=OuterRef("pk")).order_by().values("connection")
        count = Coalesce(Subquery(of_it.annotate(count=Count("pk")).values("count")), 0)
        return super().get_queryset(request).annotate(subscription_count=count)  # type: ignore[no-any-return]

    def has_disconnect_permission(self, request: HttpRequest) -> bool:
        """Whether the user may close connections."""
        return may(request, "disconnect_connection")

    def has_block_permission(self, request: HttpRequest) -> bool:
        """Whether the user may block others."""
        return may(request, "block_user")

    def describe(self, connection: Any) -> str:
        """One connection in a line."""
        return " · ".join(filter(None, [user_of(connection), connection.address, connection.origin]))

    @admin.display(description=gettext_lazy("user"), ordering="user_label")
    def who(self, connection: Any) -> str:
        """Who it is."""
        return user_of(connection)

    @admin.display(description=gettext_lazy("subscriptions"), ordering="subscription_count")
    def subscriptions(self, connection: Any) -> str:
        """How many it has, and the way to them."""
        url = page_url(self.admin_site, "subscription_changelist")
        return columns.link(
            url and f"{url}?connection__id__exact={connection.pk}", columns.number(connection.subscription_count)
        )

    @admin.display(description=gettext_lazy("connected for"), ordering="-since")
    def age(self, connection: Any) -> str:
        """How long it has been there."""
        return columns.age(connection.since)
