"""The pages of the registry that somebody may see, and what they have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.db import DatabaseError
from django.forms import Media
from django.forms.widgets import Script
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..conf import get_setting
from ..monitoring import Process, tables

APP = Process._meta.app_label
FOLDER = "django_gqlws/admin/"
REFRESH_SECONDS = 5
"""How often a page that somebody looks at asks for what is new."""

STYLE = Media(css={"all": [f"{FOLDER}live.css"]})


def script(name: str) -> Media:
    """One of our modules. They stand alone: hashed names of static files do not reach into imports."""
    path: Any = Script(f"{FOLDER}{name}.js", type="module")
    return Media(js=[path])


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and the permission that it needs."""

    name: str
    """Of its address."""
    title: Any
    permission: str


PAGES = (
    Page("sample_changelist", gettext_lazy("Overview"), "view_sample"),
    Page("connection_changelist", gettext_lazy("Connections"), "view_connection"),
    Page("subscription_changelist", gettext_lazy("Subscriptions"), "view_subscription"),
    Page("membership_changelist", gettext_lazy("Groups"), "view_membership"),
    Page("process_changelist", gettext_lazy("Processes"), "view_process"),
    Page("blockeduser_changelist", gettext_lazy("Blocked users"), "view_blockeduser"),
    Page("membership_broadcast", gettext_lazy("Send a broadcast"), "broadcast_membership"),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """A link to a page."""

    title: Any
    url: str
    is_current: bool


def may(request: HttpRequest, permission: str) -> bool:
    """Whether the user has this permission of the app."""
    user: Any = request.user
    return bool(user.has_perm(f"{APP}.{permission}"))


def page_url(site: AdminSite, name: str, *arguments: Any) -> str | None:
    """The address of a page on this site; None if the site does not have it."""
    try:
        return reverse(f"admin:{APP}_{name}", args=arguments, current_app=site.name)
    except NoReverseMatch:
        return None


def tabs(request: HttpRequest, site: AdminSite, current: str) -> Iterator[Tab]:
    """Yields the pages of the site that the user may see."""
    for page in PAGES:
        if may(request, page.permission) and (url := page_url(site, page.name)) is not None:
            yield Tab(page.title, url, page.name == current)


def live_context(request: HttpRequest, site: AdminSite, current: str, *, refreshes: bool = True) -> dict[str, Any]:
    """What ``tabs.html`` shows."""
    return {
        "gqlws_tabs": list(tabs(request, site, current)),
        "gqlws_is_off": not get_setting("monitoring"),
        "gqlws_refresh_seconds": REFRESH_SECONDS if refreshes else None,
    }


def respond(
    request: HttpRequest, site: AdminSite, template: str, current: str, *, refreshes: bool = True, **context: Any
) -> TemplateResponse:
    """One of the pages that are no list and no form of Django's."""
    request.current_app = site.name
    values = {
        **site.each_context(request),
        **live_context(request, site, current, refreshes=refreshes),
        "app_name": Process._meta.app_config.verbose_name,
        "media": STYLE + (script("refresh") if refreshes else Media()),
        **context,
    }
    return TemplateResponse(request, f"admin/{APP}/{template}.html", values)


def problem() -> tuple[str, str] | None:
    """Why the registry cannot be read, and what to run; None if it can."""
    alias = tables.alias()
    try:
        if tables.exist():
            return None
    except DatabaseError as error:
        return _("The database “%(alias)s” does not answer: %(error)s") % {"alias": alias, "error": error}, ""
    missing = _("The tables of the live registry are missing in the database “%(alias)s”.") % {"alias": alias}
    return missing, f"python {tables.migrate_command()}"


def respond_problem(request: HttpRequest, site: AdminSite, current: str, text: str, command: str) -> TemplateResponse:
    """The page that says what to run."""
    title = _("The live registry is not there")
    context = {"title": title, "problem": text, "command": command}
    return respond(request, site, "unavailable", current, refreshes=False, **context)
