"""What the lists of the registry have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

from .actions import ConfirmedAction
from .pages import STYLE, live_context, may, page_url, problem, respond_problem, script

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class RegistryAdmin(ModelAdmin):
    """Pages about rows that nobody writes but the processes: nothing is added, changed or deleted here."""

    show_full_result_count = False
    """It would count all rows once more."""

    @property
    def page(self) -> str:
        """The name of the list's address."""
        return f"{self.opts.model_name}_changelist"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        """What is alive."""
        return self.model._default_manager.live()

    def list_url(self) -> str | None:
        """The address of the list."""
        return page_url(self.admin_site, self.page)

    @property
    def media(self) -> Media:
        """Django's, and what refreshes the page."""
        return super().media + STYLE + script("refresh")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, or the page that says what to run."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if (found := problem()) is not None:
            return respond_problem(request, self.admin_site, self.page, *found)
        return self.list_view(request, extra_context or {})

    def list_view(self, request: HttpRequest, extra_context: dict[str, Any]) -> HttpResponse:
        """The list of the rows that are there."""
        context = live_context(request, self.admin_site, self.page)
        context["media"] = self.media + script("changelist")
        context["title"] = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {**context, **extra_context})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A row with what can be done about it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if (found := problem()) is not None:
            return respond_problem(request, self.admin_site, self.page, *found)
        context = {
            **live_context(request, self.admin_site, self.page),
            "gqlws_actions": list(self._buttons(request)),
            "gqlws_list_url": self.list_url(),
        }
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def _buttons(self, request: HttpRequest) -> Iterator[tuple[str, Any]]:
        allowed = self.get_actions(request)
        # Not its values: what they are depends on the version of Django.
        for action in self.actions or ():
            if isinstance(action, ConfirmedAction) and action.__name__ in allowed:
                yield action.__name__, action.button


class PageAdmin(RegistryAdmin):
    """A page in the place of a list: single rows have none."""

    def get_urls(self) -> list[Any]:
        """The address of the page."""
        return [url for url in super().get_urls() if str(url.name).endswith("_changelist")]


class GuardedColumnsAdmin(RegistryAdmin):
    """A list some of whose columns tell of other tables."""

    guarded_columns: dict[str, str] = {}
    """What may be seen with a permission of its own only."""

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns that the user may see."""
        return [name for name in self.list_display if self._is_allowed(request, name)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fields that the user may see."""
        return [
            (title, {**options, "fields": [name for name in options["fields"] if self._is_allowed(request, name)]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def _is_allowed(self, request: HttpRequest, name: Any) -> bool:
        return name not in self.guarded_columns or may(request, self.guarded_columns[name])
