"""Runs a Python module with a profiler at hand: ``python -m benchmarks.servers.profiled OUT MODULE ARGUMENTS``.

SIGUSR1 starts it, SIGUSR2 stops it and writes what it has seen to OUT. It looks a few hundred times in each second of
CPU time where the main thread is. That slows nothing down; to count calls would make small functions dear.
"""

from __future__ import annotations

import json
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from benchmarks.meter import START_PROFILE, STOP_PROFILE

_INTERVAL = 0.001
"""Seconds of CPU time. The kernel may make it longer, 4 ms as a rule."""

samples: Counter[tuple[str, str, int]] = Counter()
"""File, function and line -> how often the thread was there."""


def main() -> None:
    """Run the module as if Python had been called with it."""
    _, out, module, *_ = sys.argv
    signal.signal(signal.SIGPROF, _look)
    signal.signal(START_PROFILE, lambda *_: signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL))
    signal.signal(STOP_PROFILE, lambda *_: _stop(Path(out)))
    del sys.argv[:2]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _look(number: int, frame: FrameType | None) -> None:
    if frame is not None:
        samples[frame.f_code.co_filename, frame.f_code.co_qualname, frame.f_lineno or frame.f_code.co_firstlineno] += 1


def _stop(out: Path) -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    out.write_text(json.dumps([[*place, count] for place, count in samples.items()]))


main()
