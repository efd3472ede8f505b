"""Who has the chat open, in whatever process.

A row for each open window: it comes when the page subscribes to `onPresence`, and goes with that subscription,
however this ends. The bridge of models tells the others. A process that is killed deletes nothing, so rows are a
lease: each process renews those of its windows every few seconds, and any of them deletes what nobody has renewed.
"""

import asyncio
import logging
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from demo.models import Seat

logger = logging.getLogger(__name__)

BEAT_SECONDS = settings.PRESENCE_BEAT_SECONDS
LEASE = timedelta(seconds=3 * BEAT_SECONDS)

_users = {}
"""The users' keys (None: somebody unknown) of this process's windows, by the key of the seat."""
_renewing = None
"""The task that renews the seats, as long as there are some."""


def present():
    """The seats of all processes that are taken now."""
    return Seat.objects.filter(seen__gte=timezone.now() - LEASE).select_related("user").order_by("pk")


async def arrive(user):
    """Takes a seat, which is kept until `leave`; returns its key."""
    global _renewing
    seat = await Seat.objects.acreate(user_id=user.pk, seen=timezone.now())
    _users[seat.pk] = user.pk
    if _renewing is None:
        _renewing = asyncio.create_task(_renew_for_ever())
    return seat.pk


async def leave(key):
    """Gives the seat back."""
    global _renewing
    del _users[key]
    if not _users:
        _renewing.cancel()
        _renewing = None
    await Seat.objects.filter(pk=key).adelete()


async def _renew_for_ever():
    while True:
        try:
            await _renew()
        except DatabaseError as error:
            logger.error("Who is present could not be renewed, and will be in %s seconds: %r", BEAT_SECONDS, error)
        await asyncio.sleep(BEAT_SECONDS)


async def _renew():
    now = timezone.now()
    mine = Seat.objects.filter(pk__in=list(_users))
    await mine.aupdate(seen=now)  # No field that the bridge looks at: nobody is told.
    # This process was asleep for longer than a lease, and another one has taken it for dead.
    for key in set(_users) - {key async for key in mine.values_list("pk", flat=True)}:
        if key in _users:
            await Seat.objects.acreate(pk=key, user_id=_users[key], seen=now)
    await Seat.objects.filter(seen__lt=now - LEASE).adelete()
