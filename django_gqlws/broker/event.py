"""What the hub hands to the subscribers of a group."""

from __future__ import annotations

import logging
from typing import Any

from ..counters import counters
from ..exceptions import PayloadError
from ..serialization import unpack
from .cohort import Cohort, Sharing
from .envelope import Envelope

logger = logging.getLogger(__name__)


class Event:
    """One broadcast as it arrived in this process."""

    __slots__ = ("_envelope", "_sharings", "_unreadable", "kind", "lost", "size")

    def __init__(self, envelope: Envelope, lost: int = 0) -> None:
        self.kind = envelope.kind
        self.size = len(envelope.payload)
        """Bytes of the payload."""
        self.lost = lost
        """Messages to the same group that the channel layer lost right before this one."""
        self._envelope = envelope
        self._sharings: dict[Cohort, Sharing] = {}
        self._unreadable = False

    @property
    def group(self) -> str:
        """The group that it was sent to, by its name in the channel layer."""
        return self._envelope.group

    def sharing(self, cohort: Cohort) -> Sharing:
        """What is known about this event for a cohort."""
        sharing = self._sharings.get(cohort)
        if sharing is None:
            sharing = self._sharings[cohort] = Sharing(cohort.wake)
        return sharing

    def unpack(self) -> Any:
        """A fresh copy of the payload, which the caller may change.

        Raises PayloadError if it cannot be unpacked; it is logged once, however many subscribers ask.
        """
        try:
            return unpack(self._envelope.payload)
        except PayloadError as error:
            if not self._unreadable:
                self._unreadable = True
                counters.unreadable += 1
                logger.error("A notification was skipped, its payload cannot be unpacked: %s", error, exc_info=error)
            raise
