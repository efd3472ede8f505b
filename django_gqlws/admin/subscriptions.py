"""What clients listen to."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from ..monitoring import Membership
from . import columns
from .actions import End
from .base import GuardedColumnsAdmin
from .connections import user_of
from .filters import GroupFilter, TroubleFilter, frequent
from .pages import may, page_url

LARGE = ("document", "variables")
"""Not read for a list."""


class SubscriptionAdmin(GuardedColumnsAdmin):
    """The subscriptions, the latest first."""

    list_display = [
        "field",
        "operation_name",
        "who",
        "groups",
        "delivered_count",
        "dropped_count",
        "error_count",
        "queue",
        "last",
        "process",
        "age",
    ]
    list_display_links = ["field"]
    list_filter = [
        "field",
        frequent(
            gettext_lazy("user"),
            "user",
            "connection__user",
            "connection__user_label",
            empty=gettext_lazy("anonymous"),
        ),
        GroupFilter,
        TroubleFilter,
        ("connection__protocol", admin.AllValuesFieldListFilter),
        ("process", admin.RelatedOnlyFieldListFilter),
    ]
    list_select_related = ["process", "connection"]
    search_fields = ["field", "operation_name", "connection__user_label", "connection__user"]
    actions = [End()]
    guarded_columns = {"client": "view_connection"}
    fieldsets = [
        (None, {"fields": ["field", "operation_name", "who", "client", "process", "age"]}),
        (
            gettext_lazy("How it fares"),
            {"fields": ["delivered", "shared_part", "dropped_count", "error_count", "queue", "last"]},
        ),
        (gettext_lazy("Groups"), {"fields": ["topic", "all_groups"]}),
        (gettext_lazy("Operation"), {"fields": ["operation_id", "formatted_document", "formatted_variables", "id"]}),
    ]
    readonly_fields = [
        "who",
        "client",
        "age",
        "shared_part",
        "dropped_count",
        "error_count",
        "queue",
        "last",
        "all_groups",
        "formatted_document",
        "formatted_variables",
        "id",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the names of the groups of each."""
        named = Prefetch("memberships", Membership.objects.exclude(name=""), to_attr="named")
        found: QuerySet[Any] = super().get_queryset(request).prefetch_related(named)
        page = request.resolver_match and request.resolver_match.url_name
        return found if str(page).endswith("_change") else found.defer(*LARGE)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """The address is one of the connection's own affairs."""
        return [*self.search_fields, *(["connection__address"] if may(request, "view_connection") else [])]

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Whether the user may end subscriptions."""
        return may(request, "end_subscription")

    def describe(self, subscription: Any) -> str:
        """One subscription in a line."""
        who = user_of(subscription.connection)
        return " · ".join(filter(None, [subscription.field, subscription.operation_name, who]))

    @admin.display(description=gettext_lazy("user"), ordering="connection__user_label")
    def who(self, subscription: Any) -> str:
        """Whose it is."""
        return user_of(subscription.connection)

    @admin.display(description=gettext_lazy("connection"))
    def client(self, subscription: Any) -> str:
        """The way to its connection."""
        connection = subscription.connection
        url = page_url(self.admin_site, "connection_change", connection.pk)
        return columns.link(url, connection.address or connection.pk)

    @admin.display(description=gettext_lazy("groups"))
    def groups(self, subscription: Any) -> str:
        """Some of its groups."""
        return columns.groups(membership.name for membership in subscription.named)

    @admin.display(description=gettext_lazy("groups"))
    def all_groups(self, subscription: Any) -> str:
        """All of its groups."""
        return columns.groups((membership.name for membership in subscription.named), shown=None)

    @admin.display(description=gettext_lazy("delivered"), ordering="delivered")
    def delivered_count(self, subscription: Any) -> str:
        """Results that were sent."""
        return columns.number(subscription.delivered)

    @admin.display(description=gettext_lazy("dropped"), ordering="dropped")
    def dropped_count(self, subscription: Any) -> str:
        """What the client did not get."""
        return columns.trouble(subscription.dropped)

    @admin.display(description=gettext_lazy("errors"), ordering="errors")
    def error_count(self, subscription: Any) -> str:
        """Results with errors."""
        return columns.trouble(subscription.errors)

    @admin.display(description=gettext_lazy("queue"), ordering="queued")
    def queue(self, subscription: Any) -> str:
        """What waits for it."""
        return columns.number(subscription.queued)

    @admin.display(description=gettext_lazy("last event"), ordering="last_event")
    def last(self, subscription: Any) -> str:
        """How long ago something was delivered or dropped."""
        return columns.age(subscription.last_event)

    @admin.display(description=gettext_lazy("subscribed for"), ordering="-since")
    def age(self, subscription: Any) -> str:
        """How long it has been there."""
        return columns.age(subscription.since)

    @admin.display(description=gettext_lazy("executed once for all"))
    def shared_part(self, subscription: Any) -> str:
        """The part of its results that was shared."""
        return columns.percent(subscription.shared_share)

    @admin.display(description=gettext_lazy("document"))
    def formatted_document(self, subscription: Any) -> str:
        """What the client sent."""
        return columns.document(subscription.document)

    @admin.display(description=gettext_lazy("variables"))
    def formatted_variables(self, subscription: Any) -> str:
        """What the client sent."""
        return columns.as_json(subscription.variables)
