"""What happened in the last minutes, in all processes together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from ..conf import get_setting
from .clock import ago, latest
from .models import Process, Sample

KEPT = 15 * 60
"""Seconds for which samples are kept."""

POINTS = 120
"""Points of a chart at most."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is now."""

    processes: int
    connections: int
    subscriptions: int
    unwritten: int
    """Of connections and subscriptions: they are counted, but their rows are not written yet."""


@dataclass(frozen=True, slots=True)
class Point:
    """What one stretch of time was like."""

    at: datetime
    """Its end."""
    connections: float
    subscriptions: float
    events: float
    """Per second, as the next two: messages that came over the channel layer."""
    deliveries: float
    """Notifications written to sockets."""
    drops: float
    """Notifications dropped or lost."""
    p95: float | None
    """Seconds from publish to deliver, the 95th percentile of the slowest process; None: nothing was delivered."""


def totals() -> Totals:
    """What all living processes together have: exact to the last beat, also while rows are still being written."""
    sums = Process.objects.live().aggregate(
        connections=Sum("connections_total"), subscriptions=Sum("subscriptions_total"), unwritten=Sum("unwritten")
    )
    return Totals(Process.objects.live().count(), **{name: value or 0 for name, value in sums.items()})


def history(seconds: float = 600) -> list[Point]:
    """The points of a chart of the last seconds (900 are kept), the oldest first, in equal steps.

    Steps in which no process wrote anything are left out. The newest one ends some seconds ago: before, not all
    processes have said what they did.
    """
    using = Sample.objects.db
    samples = Sample.objects.filter(at__gt=ago(seconds, using), at__lte=latest(using)).order_by("at")
    step = max(2 * get_setting("monitoring_interval"), seconds / POINTS)
    stretches: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        stretches[int(sample.at.timestamp() // step)].append(sample)
    newest = max(stretches, default=0)
    return [_point((number + 1) * step, found) for number, found in sorted(stretches.items()) if number < newest]


def _point(end: float, samples: list[Sample]) -> Point:
    by_process: dict[Any, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_process[sample.process_id].append(sample)
    processes = list(by_process.values())
    at = datetime.fromtimestamp(end, UTC)
    return Point(
        at if timezone.is_aware(samples[0].at) else timezone.make_naive(at),
        sum(_mean(sample.connections for sample in found) for found in processes),
        sum(_mean(sample.subscriptions for sample in found) for found in processes),
        sum(_rate(found, "events") for found in processes),
        sum(_rate(found, "deliveries") for found in processes),
        sum(_rate(found, "drops") for found in processes),
        max((sample.p95 for sample in samples if sample.p95 is not None), default=None),
    )


def _mean(values: Iterable[float]) -> float:
    counted = list(values)
    return sum(counted) / len(counted)


def _rate(samples: list[Sample], name: str) -> float:
    seconds = sum(sample.seconds for sample in samples)
    return sum(getattr(sample, name) for sample in samples) / seconds if seconds else 0.0
