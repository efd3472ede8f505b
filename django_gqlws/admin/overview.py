"""How things are going, drawn over the last minutes."""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from .. import monitoring
from .base import PageAdmin
from .pages import STYLE, respond, script

SECONDS = 600

CHARTS = [
    {"name": "connections", "title": gettext_lazy("Connections"), "unit": ""},
    {"name": "subscriptions", "title": gettext_lazy("Subscriptions"), "unit": ""},
    {"name": "events", "title": gettext_lazy("Events"), "unit": gettext_lazy("per second")},
    {"name": "deliveries", "title": gettext_lazy("Deliveries"), "unit": gettext_lazy("per second")},
    {"name": "drops", "title": gettext_lazy("Drops"), "unit": gettext_lazy("per second")},
    {"name": "p95", "title": gettext_lazy("Publish to deliver, 95th percentile"), "unit": "ms"},
]


def series() -> dict[str, Any]:
    """What the charts draw: times in seconds, and for each chart a value for each time; None: not known."""
    points = monitoring.history(SECONDS)
    now = time.time()
    return {
        "from": now - SECONDS,
        "to": now,
        "times": [point.at.timestamp() for point in points],
        "series": {
            **{chart["name"]: [getattr(point, str(chart["name"])) for point in points] for chart in CHARTS[:-1]},
            "p95": [None if point.p95 is None else point.p95 * 1000 for point in points],
        },
    }


class OverviewAdmin(PageAdmin):
    """The page of the samples."""

    def list_view(self, request: HttpRequest, extra_context: dict[str, Any]) -> HttpResponse:
        """The charts."""
        return respond(
            request,
            self.admin_site,
            "overview",
            self.page,
            title=gettext_lazy("Overview"),
            media=STYLE + script("refresh") + script("charts"),
            charts=CHARTS,
            series=series(),
            totals=monitoring.totals(),
        )
