"""What is alive: rows whose process has renewed them within its lease."""

from __future__ import annotations

from typing import Any, Self

from django.db.models import Count, Max, Q, QuerySet

from ..conf import get_setting
from .clock import ago, latest, present


class LiveQuerySet(QuerySet[Any]):
    """Rows of processes. A process that was killed cannot remove its own: they are hidden here, and deleted later."""

    process = "process__"
    """The way from a row to its process."""

    def live(self) -> Self:
        """Those of processes that are alive, as far as anybody knows."""
        seen = f"{self.process}seen"
        return self.filter(**{f"{seen}__gt": self._lease_start(), f"{seen}__lte": latest(self.db)})

    def stale(self) -> Self:
        """The others."""
        seen = f"{self.process}seen"
        return self.filter(Q(**{f"{seen}__lte": self._lease_start()}) | Q(**{f"{seen}__gt": latest(self.db)}))

    def _lease_start(self) -> Any:
        return ago(get_setting("monitoring_lease"), self.db)


class ProcessQuerySet(LiveQuerySet):
    """The processes themselves."""

    process = ""


class MembershipQuerySet(LiveQuerySet):
    """Subscriptions by group."""

    def by_group(self) -> QuerySet[Any, dict[str, Any]]:
        """One row for each group: ``topic``, ``name``, ``subscriptions``, ``processes``, ``last_event`` (or None).

        The busiest group first. It can be sliced, counted and ordered like any queryset.
        """
        return (
            self.values("topic", "name")
            .annotate(
                subscriptions=Count("pk"),
                processes=Count("process", distinct=True),
                last_event=Max("subscription__last_event"),
            )
            .order_by("-subscriptions", "topic", "name")
        )


class BlockQuerySet(QuerySet[Any]):
    """Blocked users."""

    def live(self) -> Self:
        """Those who are blocked now."""
        return self.filter(until__gt=present(self.db))

    def stale(self) -> Self:
        """Those who were."""
        return self.filter(until__lte=present(self.db))
