"""Subscriptions that would give the same answer, and the one execution that may serve them all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from enum import Enum, auto
from weakref import WeakValueDictionary

from ..turns import Turns

SIDE_BY_SIDE = 100
"""Personal executions of one cohort that may run at the same time."""


class Cohort:
    """The live subscriptions of an event loop that are equal in everything that an execution may depend on,
    but their context."""

    __slots__ = ("__weakref__", "personal")

    def __init__(self) -> None:
        self.personal = Turns(SIDE_BY_SIDE)
        """Where members stand to execute an event for themselves."""


class Cohorts:
    """The cohorts of an event loop; one lives as long as a member holds it."""

    def __init__(self) -> None:
        self._cohorts: WeakValueDictionary[Hashable, Cohort] = WeakValueDictionary()

    def find(self, key: Hashable) -> Cohort:
        """The cohort with this key."""
        cohort = self._cohorts.get(key)
        if cohort is None:
            cohort = self._cohorts[key] = Cohort()
        return cohort


class State(Enum):
    """What is known about one event for one cohort."""

    OPEN = auto()
    """Nobody has executed it. Whoever comes first leads."""
    RUNNING = auto()
    """A member is executing it, and has not touched its context so far."""
    SHARED = auto()
    """The result depends on nothing personal: it is everybody's."""
    PERSONAL = auto()
    """The execution touched the context: each member has to execute it for itself."""


class Sharing:
    """One event for one cohort: the decision whether its result is shared, and the result.

    A member that comes while it is undecided waits; all that wait are called back as soon as it is decided.
    """

    __slots__ = ("_loop", "_waiting", "result", "state")

    def __init__(self) -> None:
        self.state = State.OPEN
        self.result: str | None = None
        """The encoded result; None: there is nothing to send."""
        self._waiting: list[Callable[[], None]] = []

    def lead(self) -> None:
        """The caller executes it, for all."""
        self.state = State.RUNNING
        self._loop = asyncio.get_running_loop()

    def wait(self, callback: Callable[[], None]) -> None:
        """Calls back when it is decided, or when the leader has given up."""
        self._waiting.append(callback)

    def share(self, result: str | None) -> None:
        """The leader's result is everybody's. Does nothing if it turned out to be personal."""
        if self.state is State.RUNNING:
            self.result = result
            self._decide(State.SHARED)

    def make_personal(self) -> None:
        """The leader touched its context, in whatever thread."""
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            is_here = False
        if is_here:
            self._become_personal()
        else:
            self._loop.call_soon_threadsafe(self._become_personal)

    def _become_personal(self) -> None:
        if self.state is State.RUNNING:
            self._decide(State.PERSONAL)

    def give_up(self) -> None:
        """The leader was cancelled: the next one leads."""
        if self.state is State.RUNNING:
            self._decide(State.OPEN)

    def _decide(self, state: State) -> None:
        self.state = state
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()
