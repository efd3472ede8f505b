"""What the hub hands to the subscribers of a group."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..counters import counters
from ..exceptions import PayloadError
from ..serialization import unpack
from .cohort import OPEN, PERSONAL, Cohort, Sharing
from .envelope import Envelope, Kind

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One value of a batch: the payload of an event of its own."""

    value: Any
    common: Any
    """What the sender said of all values of the batch."""
    batch: Sequence[Any]
    """All of its values, this one included."""
    group: str
    """Where the batch was sent to, by its name in the channel layer."""
    memo: dict[Any, Any]
    """For whoever handles one of them and keeps something for the others of the batch in this process."""


class Event:
    """One broadcast as it arrived in this process."""

    __slots__ = ("_envelope", "_parts", "_sharings", "_unreadable", "kind", "lost", "size")

    def __init__(self, envelope: Envelope, lost: int = 0) -> None:
        self.kind = envelope.kind
        self.size = len(envelope.payload)
        """Bytes of the payload."""
        self.lost = lost
        """Messages to the same group that the channel layer lost right before this one."""
        self._envelope = envelope
        self._sharings: dict[Cohort, Sharing] = {}
        self._parts: Sequence[Event] | None = None
        self._unreadable = False

    @property
    def sent(self) -> float:
        """Unix time of the sender, in seconds."""
        return self._envelope.sent

    @property
    def group(self) -> str:
        """The group that it was sent to, by its name in the channel layer."""
        return self._envelope.group

    def sharing(self, cohort: Cohort) -> Sharing:
        """What is known about this event for a cohort."""
        sharing = self._sharings.get(cohort)
        if sharing is None:
            sharing = self._sharings[cohort] = Sharing(cohort.wake, OPEN if cohort.shares else PERSONAL)
        return sharing

    @property
    def parts(self) -> Sequence[Event]:
        """The events of a batch, the same for all who ask; none if it cannot be unpacked, which is logged."""
        if self._parts is None:
            self._parts = self._split()
        return self._parts

    def _split(self) -> Sequence[Event]:
        memo: dict[Any, Any] = {}
        try:
            common, batch = self.unpack()
            return [Part(self._envelope, Item(value, common, batch, self.group, memo)) for value in batch]
        except PayloadError:
            return ()
        except (TypeError, ValueError):
            counters.unreadable += 1
            logger.error("A batch was skipped: it is not in the form that this version knows.")
            return ()

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


class Part(Event):
    """One value of a batch, as an event. All who unpack it get the same item."""

    __slots__ = ("_item",)

    def __init__(self, envelope: Envelope, item: Item) -> None:
        super().__init__(envelope)
        self.kind = Kind.EVENT
        self._item = item

    def unpack(self) -> Item:
        return self._item
