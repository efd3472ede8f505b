"""Who may not connect."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from . import columns
from .actions import Unblock
from .base import RegistryAdmin
from .filters import frequent
from .pages import may


class BlockedUserAdmin(RegistryAdmin):
    """The users who are blocked now."""

    list_display = ["__str__", "remaining", "age", "reason", "blocked_by"]
    list_filter = [frequent(gettext_lazy("who did it"), "blocked_by", "blocked_by")]
    search_fields = ["user", "user_label", "reason", "blocked_by"]
    actions = [Unblock()]
    fieldsets = [(None, {"fields": ["user_label", "user", "remaining", "age", "reason", "blocked_by"]})]
    readonly_fields = ["remaining", "age"]

    def has_block_permission(self, request: HttpRequest) -> bool:
        """Whether the user may block and unblock others."""
        return may(request, "block_user")

    def describe(self, blocked: Any) -> str:
        """One user in a line."""
        return " · ".join(filter(None, [str(blocked), blocked.reason]))

    @admin.display(description=gettext_lazy("still blocked for"), ordering="until")
    def remaining(self, blocked: Any) -> str:
        """How long it takes until the user may connect."""
        return columns.remaining(blocked.until)

    @admin.display(description=gettext_lazy("blocked for"), ordering="-since")
    def age(self, blocked: Any) -> str:
        """How long ago that was done."""
        return columns.age(blocked.since)
