"""What was measured: kept as JSON, read as series."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.meter import Figures
from benchmarks.series import Series


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one server did in one round of a workload."""

    workload: str
    server: str
    round: int
    figures: Figures
    error: str = ""


class Results:
    """The measurements of a run, and the machine it ran on."""

    def __init__(self, measurements: Iterable[Measurement], machine: dict[str, Any]) -> None:
        self.machine = machine
        self._measurements = tuple(measurements)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The results that ``save`` has written."""
        saved = json.loads(path.read_text())
        return cls([Measurement(**measurement) for measurement in saved["measurements"]], saved["machine"])

    def save(self, path: Path, **more: Any) -> None:
        """Write everything as JSON, with ``more`` for other programs to read."""
        measurements = [dataclasses.asdict(measurement) for measurement in self._measurements]
        path.write_text(json.dumps({"machine": self.machine, **more, "measurements": measurements}, indent=1))

    def series(self, workload: str, server: str, figure: str) -> Series:
        """A figure of each round; empty when it was not measured or a round of it was void."""
        rounds = [m for m in self._measurements if (m.workload, m.server) == (workload, server)]
        values = {m.round: m.figures[figure] for m in rounds if figure in m.figures}
        return Series(values if len(values) == len(rounds) else {})

    @property
    def rounds(self) -> int:
        """How many rounds there were."""
        return 1 + max((measurement.round for measurement in self._measurements), default=-1)

    def void(self) -> list[Measurement]:
        """Measurements that went wrong."""
        return [measurement for measurement in self._measurements if measurement.error]
