"""The groups that clients listen to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext_lazy

from .. import monitoring
from ..monitoring.audience import count_groups
from . import columns
from .base import PageAdmin
from .broadcast import broadcast_view
from .filters import group_key
from .pages import may, page_url, respond

PER_PAGE = 100

HEADERS = {
    "name": gettext_lazy("group"),
    "topic": gettext_lazy("subscription class"),
    "-subscriptions": gettext_lazy("subscriptions"),
    "-processes": gettext_lazy("processes"),
    "-last_event": gettext_lazy("last event"),
}
"""What each column is sorted by."""


class GroupAdmin(PageAdmin):
    """The page of the memberships."""

    def get_urls(self) -> list[Any]:
        """The list, and the form of a broadcast."""
        send = self.admin_site.admin_view(lambda request: broadcast_view(self, request))
        return [path("broadcast/", send, name="django_gqlws_membership_broadcast"), *super().get_urls()]

    def has_broadcast_permission(self, request: HttpRequest) -> bool:
        """Whether the user may send broadcasts."""
        return may(request, "broadcast_membership")

    def list_view(self, request: HttpRequest, extra_context: dict[str, Any]) -> HttpResponse:
        """The largest groups first, unless the user wants another order."""
        text = request.GET.get("q", "")
        order = request.GET.get("o", "")
        pattern = text if "*" in text else f"*{text}*"
        found = monitoring.groups(pattern)
        if order in HEADERS:
            found = found.order_by(order, "topic", "name")
        paginator = Paginator(found, PER_PAGE)
        paginator.count = count_groups(pattern)
        page = paginator.get_page(request.GET.get("page"))
        page.object_list = list(self._rows(request, page.object_list))
        return respond(
            request,
            self.admin_site,
            "groups",
            self.page,
            title=gettext_lazy("Groups"),
            text=text,
            headers=HEADERS.items(),
            order=order,
            page=page,
            page_numbers=page.paginator.get_elided_page_range(page.number),
            may_broadcast=self.has_broadcast_permission(request),
        )

    def _rows(self, request: HttpRequest, found: Any) -> Iterator[dict[str, Any]]:
        broadcast = page_url(self.admin_site, "membership_broadcast")
        subscriptions = page_url(self.admin_site, "subscription_changelist")
        may_look = subscriptions is not None and may(request, "view_subscription")
        for row in found:
            key = urlencode({"group": group_key(row["topic"], row["name"])})
            yield {
                **row,
                "url": f"{subscriptions}?{key}" if may_look else None,
                "broadcast_url": f"{broadcast}?{urlencode({'topic': row['topic'], 'group': row['name']})}",
                "age": columns.age(row["last_event"]),
            }
