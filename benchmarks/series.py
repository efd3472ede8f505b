"""One figure, round by round."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from statistics import median


class Series:
    """A figure of each round.

    Two of them are compared within each round, before the median is taken: a machine whose speed changes between two
    rounds changes both sides of a ratio.
    """

    def __init__(self, by_round: Mapping[int, float]) -> None:
        self._by_round = by_round

    @property
    def median(self) -> float | None:
        """None when there are no figures."""
        return median(self._by_round.values()) if self._by_round else None

    def __truediv__(self, other: Series) -> Series:
        return self._with(other, operator.truediv)

    def __sub__(self, other: Series) -> Series:
        return self._with(other, operator.sub)

    def times(self, factor: float) -> Series:
        """In another unit."""
        return Series({number: value * factor for number, value in self._by_round.items()})

    def _with(self, other: Series, combine: Callable[[float, float], float]) -> Series:
        """Without figures where one side has none, or nothing to divide by."""
        try:
            pairs = {number: combine(value, other._by_round[number]) for number, value in self._by_round.items()}
        except (KeyError, ZeroDivisionError):
            return Series({})
        return Series(pairs)
