"""A broadcast to a group, from a form."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from .. import monitoring
from ..exceptions import BroadcastError, PayloadError
from .pages import problem, respond, respond_problem

PAGE = "membership_broadcast"
REACHED = ngettext_lazy("%(count)d live subscription gets it now.", "%(count)d live subscriptions get it now.", "count")
LOGGED = 1_000
"""Characters of the payload that the log keeps."""


class BroadcastForm(forms.Form):
    """To whom, and what."""

    topic = forms.ChoiceField(label=gettext_lazy("Subscription class"))
    group = forms.CharField(
        label=gettext_lazy("Group"),
        required=False,
        strip=False,
        help_text=gettext_lazy("As “subscribe” names it. Empty: all subscribers of the class."),
        widget=AdminTextInputWidget,
    )
    payload = forms.CharField(
        label=gettext_lazy("Payload"),
        initial="null",
        help_text=gettext_lazy("JSON; “publish” of the class gets it."),
        widget=AdminTextareaWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["topic"].choices = [(topic, topic) for topic in monitoring.topics()]  # type: ignore[attr-defined]

    def clean_group(self) -> str | None:
        """None: all of the class."""
        return self.cleaned_data["group"] or None

    def clean_payload(self) -> Any:
        """The value that the JSON stands for."""
        try:
            return json.loads(self.cleaned_data["payload"])
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(_("This is not JSON: %(error)s") % {"error": error}) from error


def broadcast_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The form, then the preview, then it is sent."""
    if not model_admin.has_broadcast_permission(request):
        raise PermissionDenied
    if (found := problem()) is not None:
        return respond_problem(request, model_admin.admin_site, PAGE, *found)
    try:
        return _answer(model_admin, request)
    except ImproperlyConfigured as error:
        return respond_problem(request, model_admin.admin_site, PAGE, str(error), "")


def _answer(model_admin: Any, request: HttpRequest) -> HttpResponse:
    if request.method != "POST" or "edit" in request.POST:
        given = request.POST if "edit" in request.POST else request.GET
        initial = {name: given[name] for name in BroadcastForm.base_fields if name in given}
        return _show(model_admin, request, BroadcastForm(initial=initial))
    form = BroadcastForm(request.POST)
    if not form.is_valid():
        return _show(model_admin, request, form)
    try:
        if "send" in request.POST:
            return _send(model_admin, request, **form.cleaned_data)
        return _show(model_admin, request, form, preview=_preview(**form.cleaned_data))
    except (BroadcastError, PayloadError) as error:
        form.add_error(None, _("It cannot be sent: %(error)s") % {"error": error})
        return _show(model_admin, request, form)


def _show(model_admin: Any, request: HttpRequest, form: BroadcastForm, **context: Any) -> HttpResponse:
    title = _("Send a broadcast")
    return respond(
        request, model_admin.admin_site, "broadcast", PAGE, refreshes=False, title=title, form=form, **context
    )


def _preview(topic: str, group: str | None, payload: Any) -> dict[str, Any]:
    reached = monitoring.addressed(topic, group)
    return {
        "topic": topic,
        "group": group,
        "payload": _readable(payload, indent=2),
        "servers": reached.servers,
        "reached": REACHED % {"count": reached.subscriptions},
    }


def _send(model_admin: Any, request: HttpRequest, topic: str, group: str | None, payload: Any) -> HttpResponse:
    monitoring.broadcast(topic, group, payload)
    subject = monitoring.Membership(topic=topic, name=group or "")
    text = Truncator(_readable(payload)).chars(LOGGED)
    said = _("Broadcast to %(topic)s: %(payload)s") % {"topic": topic, "payload": text}
    LogEntry.objects.log_actions(request.user.pk, [subject], CHANGE, said)  # type: ignore[arg-type]
    model_admin.message_user(request, _("The broadcast was sent."), messages.SUCCESS)
    return HttpResponseRedirect(request.path)


def _readable(payload: Any, indent: int | None = None) -> str:
    # Half of a surrogate pair is JSON, and no text that a page or a database could hold: it stays escaped.
    return json.dumps(payload, indent=indent, ensure_ascii=False).encode(errors="backslashreplace").decode()
