"""How values are shown."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from graphql import GraphQLError, Source, parse, print_ast

NOTHING = "-"
MINUTE = timedelta(minutes=1)
LONGEST_FORMATTED = 20_000
"""Characters of a document: a longer one is shown as it was written."""
GROUPS_SHOWN = 3


def age(moment: datetime | None) -> str:
    """How long ago a moment was."""
    if moment is None:
        return NOTHING
    span = timezone.now() - moment
    return _time(moment, timesince(moment, depth=2) if span >= MINUTE else _seconds(span))


def remaining(moment: datetime) -> str:
    """How long it is until a moment."""
    span = moment - timezone.now()
    return _time(moment, timeuntil(moment, depth=2) if span >= MINUTE else _seconds(span))


def _seconds(span: timedelta) -> str:
    seconds = max(int(span.total_seconds()), 0)
    return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}


def _time(moment: datetime, text: str) -> str:
    exact = date_format(timezone.localtime(moment), "DATETIME_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, text)


def number(value: int) -> str:
    """A number that stands under others."""
    return format_html('<span class="gqlws-number">{}</span>', value)


def trouble(value: int) -> str:
    """A number that had better be 0."""
    return format_html('<span class="gqlws-number gqlws-warning">{}</span>', value) if value else number(value)


def link(url: str | None, text: Any) -> str:
    """A link, or the text alone."""
    return format_html('<a href="{}">{}</a>', url, text) if url else format_html("{}", text)


def groups(names: Iterable[str], shown: int | None = GROUPS_SHOWN) -> str:
    """The first of some groups, and how many more there are."""
    named = sorted(names)
    if not named:
        return NOTHING
    items = [(name,) for name in named[:shown]]
    if shown is not None and len(named) > shown:
        items.append((f"+{len(named) - shown}",))
    kind = "gqlws-labels" if shown is None else "gqlws-labels gqlws-labels-short"
    return format_html('<span class="{}">{}</span>', kind, format_html_join("", '<span title="{0}">{0}</span>', items))


def document(text: str) -> str:
    """A GraphQL document, formatted, if it can be."""
    return code(_pretty(text) if len(text) <= LONGEST_FORMATTED else text)


def as_json(value: Any) -> str:
    """JSON, formatted."""
    return code(json.dumps(value, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder))


def code(text: str) -> str:
    """Text as it is."""
    return format_html('<pre class="gqlws-code" tabindex="0">{}</pre>', text)


def percent(part: float | None) -> str:
    """A part of a whole, 0 to 1."""
    return NOTHING if part is None else _("%(number)d %%") % {"number": round(part * 100)}


def _pretty(text: str) -> str:
    try:
        return print_ast(parse(Source(text), no_location=True, max_tokens=10_000))
    except (GraphQLError, RecursionError):
        return text
