"""What can be done about connections and subscriptions. Each asks first, and leaves entries in the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.admin.widgets import AdminRadioSelect, AdminTextInputWidget
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from .. import monitoring
from ..exceptions import BroadcastError
from .pages import respond

SHOWN = 20
"""Rows that the page which asks shows by name."""

MOST = 10_000
"""Rows that one action takes: each gets an entry in the log."""


class ConfirmedAction:
    """An action of a list, as Django calls it: the first time it asks, and then it acts."""

    __name__: str
    short_description: Any
    """In the list's menu."""
    button: Any
    """On the row's own page, and on the page that asks."""
    question: Any
    """What that page asks about a ``count`` of rows."""
    done: Any
    """What is said afterwards."""
    allowed_permissions: Sequence[str]
    form_class: type[forms.Form] = forms.Form
    flag: Any = DELETION
    """Of the entries in the log."""

    def act(self, request: HttpRequest, rows: Sequence[Any], answers: dict[str, Any]) -> Sequence[Model]:
        """Does it, and returns what the log is about. Raises BroadcastError."""
        raise NotImplementedError

    def entry(self, answers: dict[str, Any]) -> str:
        """What the log says."""
        raise NotImplementedError

    def __call__(self, model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        rows = list(queryset[: MOST + 1])
        if len(rows) > MOST:
            text = _("That is more than %(most)d rows: choose fewer, with the search and the filters.")
            model_admin.message_user(request, text % {"most": MOST}, messages.ERROR)
            return None
        form = self.form_class(request.POST if "confirmed" in request.POST else None, auto_id="id_gqlws_%s")
        if not form.is_valid():
            return self._ask(model_admin, request, rows, form)
        if _have_come(request, rows):
            model_admin.message_user(request, _("There are more now. Please look again."), messages.WARNING)
            return self._ask(model_admin, request, rows, form)
        try:
            subjects = self.act(request, rows, form.cleaned_data)
        except BroadcastError as error:
            text = _("The server processes were not reached: %(error)s")
            model_admin.message_user(request, text % {"error": error}, messages.ERROR)
            return None
        if subjects:
            text = self.entry(form.cleaned_data)
            LogEntry.objects.log_actions(request.user.pk, subjects, self.flag, text)  # type: ignore[arg-type]
        model_admin.message_user(request, self.done % {"count": len(subjects)}, messages.SUCCESS)
        return None

    def _ask(self, model_admin: Any, request: HttpRequest, rows: Sequence[Any], form: forms.Form) -> TemplateResponse:
        return respond(
            request,
            model_admin.admin_site,
            "confirm",
            model_admin.page,
            refreshes=False,
            title=self.button,
            opts=model_admin.opts,
            gqlws_list_url=model_admin.list_url(),
            question=self.question % {"count": len(rows)},
            count=len(rows),
            sample=[model_admin.describe(row) for row in rows[:SHOWN]],
            others=max(len(rows) - SHOWN, 0),
            form=form,
            action=self.__name__,
            action_checkbox_name=ACTION_CHECKBOX_NAME,
            selected=request.POST.getlist(ACTION_CHECKBOX_NAME),
            select_across=request.POST.get("select_across", "0"),
        )


def _have_come(request: HttpRequest, rows: Sequence[Any]) -> bool:
    """Whether the whole list was chosen, and is longer than the one that was confirmed."""
    confirmed = request.POST.get("count", "")
    return request.POST.get("select_across") == "1" and len(rows) > (int(confirmed) if confirmed.isdecimal() else 0)


def _reason(help_text: Any) -> forms.CharField:
    widget = AdminTextInputWidget()
    label = gettext_lazy("Reason")
    return forms.CharField(label=label, required=False, max_length=100, help_text=help_text, widget=widget)


class End(ConfirmedAction):
    """Ends subscriptions."""

    __name__ = "end"
    short_description = gettext_lazy("End the selected subscriptions")
    button = gettext_lazy("End")
    question = ngettext_lazy(
        "End %(count)d subscription? Its client is told that it is complete.",
        "End %(count)d subscriptions? Their clients are told that they are complete.",
        "count",
    )
    done = ngettext_lazy("%(count)d subscription was ended.", "%(count)d subscriptions were ended.", "count")
    allowed_permissions = ("end",)

    def act(self, request: HttpRequest, rows: Sequence[Any], answers: dict[str, Any]) -> Sequence[Model]:
        """Tells all processes."""
        monitoring.end(row.pk for row in rows)
        return rows

    def entry(self, answers: dict[str, Any]) -> str:
        """What the log says."""
        return _("Ended.")


class DisconnectForm(forms.Form):
    """How connections are closed."""

    may_reconnect = forms.TypedChoiceField(
        label=gettext_lazy("Afterwards"),
        choices=[
            ("yes", gettext_lazy("clients may connect again (close code 4499)")),
            ("no", gettext_lazy("clients stay away (close code 4401)")),
        ],
        coerce=lambda value: value == "yes",
        initial="yes",
        widget=AdminRadioSelect,
    )
    reason = _reason(gettext_lazy("The clients are told."))


class Disconnect(ConfirmedAction):
    """Closes connections."""

    __name__ = "disconnect"
    short_description = gettext_lazy("Disconnect the selected clients")
    button = gettext_lazy("Disconnect")
    question = ngettext_lazy(
        "Close %(count)d connection, with all of its subscriptions?",
        "Close %(count)d connections, with all of their subscriptions?",
        "count",
    )
    done = ngettext_lazy("%(count)d connection was closed.", "%(count)d connections were closed.", "count")
    allowed_permissions = ("disconnect",)
    form_class = DisconnectForm

    def act(self, request: HttpRequest, rows: Sequence[Any], answers: dict[str, Any]) -> Sequence[Model]:
        """Tells all processes."""
        monitoring.disconnect([row.pk for row in rows], answers["reason"], answers["may_reconnect"])
        return rows

    def entry(self, answers: dict[str, Any]) -> str:
        """What the log says."""
        text = _("Disconnected; may connect again.") if answers["may_reconnect"] else _("Disconnected; stays away.")
        return f"{text} {answers['reason']}".strip()


class _Telling:
    """Does what the database keeps. Where the processes cannot be told, they read it there: the user is warned once."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._error: BroadcastError | None = None

    def __enter__(self) -> Self:
        return self

    def __call__(self, do: Callable[[], object]) -> None:
        try:
            do()
        except BroadcastError as error:
            self._error = error

    def __exit__(self, *_raised: object) -> None:
        if self._error is not None:
            text = _("The server processes were not reached; they follow with their next beat: %(error)s")
            messages.warning(self._request, text % {"error": self._error})


class BlockForm(forms.Form):
    """How long, and why."""

    minutes = forms.IntegerField(label=gettext_lazy("Minutes"), min_value=1, max_value=365 * 24 * 60, initial=60)
    reason = _reason(gettext_lazy("The users are told."))


class Block(ConfirmedAction):
    """Blocks the users of connections."""

    __name__ = "block"
    short_description = gettext_lazy("Block the users of the selected connections")
    button = gettext_lazy("Block the user")
    question = ngettext_lazy(
        "Block the user of %(count)d connection? All connections of the user are closed, and new ones are refused.",
        "Block the users of %(count)d connections? All connections of these users are closed, and new ones are refused."
        " Whoever is not logged in cannot be blocked.",
        "count",
    )
    done = ngettext_lazy("%(count)d user was blocked.", "%(count)d users were blocked.", "count")
    allowed_permissions = ("block",)
    form_class = BlockForm
    flag = ADDITION

    def act(self, request: HttpRequest, rows: Sequence[Any], answers: dict[str, Any]) -> Sequence[Model]:
        """Blocks each user once."""
        by = request.user.get_username()
        users = {row.user: row.user_label for row in rows if row.user}
        with _Telling(request) as telling:
            for user, label in users.items():
                telling(partial(monitoring.block, user, answers["minutes"], answers["reason"], by=by, label=label))
        return list(monitoring.BlockedUser.objects.filter(pk__in=users))

    def entry(self, answers: dict[str, Any]) -> str:
        """What the log says."""
        text = _("Blocked. Minutes: %(minutes)d.") % {"minutes": answers["minutes"]}
        return f"{text} {answers['reason']}".strip()


class Unblock(ConfirmedAction):
    """Lets users connect again."""

    __name__ = "unblock"
    short_description = gettext_lazy("Unblock the selected users")
    button = gettext_lazy("Unblock")
    question = ngettext_lazy("Let %(count)d user connect again?", "Let %(count)d users connect again?", "count")
    done = ngettext_lazy("%(count)d user may connect again.", "%(count)d users may connect again.", "count")
    allowed_permissions = ("block",)

    def act(self, request: HttpRequest, rows: Sequence[Any], answers: dict[str, Any]) -> Sequence[Model]:
        """Tells all processes."""
        with _Telling(request) as telling:
            for row in rows:
                telling(partial(monitoring.unblock, row.pk))
        return rows

    def entry(self, answers: dict[str, Any]) -> str:
        """What the log says."""
        return _("Unblocked.")
