"""``python -m benchmarks.saves``: saving rows whose changes are told, beside rows whose are not; prints a table.

The exit code is 2 if a target is missed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform

from benchmarks.markdown import number, table
from benchmarks.saves.parties import BULK, CREATE, SAVE, Figures, listen_in_process, save_in_process
from benchmarks.saves.places import PLACES, Place

TARGETS = {SAVE: 1.5, CREATE: 1.5, BULK: 1.2}
"""How many times longer it may take when changes are told."""


def run(place: Place, saves: int, bulks: int) -> Figures:
    """Fresh processes: one that listens, one that saves."""
    context = multiprocessing.get_context("spawn")
    listening, its_end = context.Pipe()
    listener = context.Process(target=listen_in_process, args=(place, its_end))
    listener.start()
    assert listening.recv() == "ready"
    saving, its_other_end = context.Pipe()
    saver = context.Process(target=save_in_process, args=(place, saves, bulks, its_other_end))
    saver.start()
    figures: Figures = saving.recv()
    saver.join()
    listening.send("enough")
    assert listening.recv(), "nobody was told"
    listener.kill()  # Redis connections of a loop that ends may keep it waiting.
    return figures


def main() -> int:
    """Measure, and say whether that is good enough."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.saves", description=__doc__)
    parser.add_argument("--saves", type=int, default=300)
    parser.add_argument("--bulks", type=int, default=7)
    options = parser.parse_args()
    lines, missed = [], 0
    for title, place in PLACES.items():
        try:
            with place() as where:
                figures = run(where, options.saves, options.bulks)
        except LookupError as error:
            print(f"{title}: {error}")
            continue
        for way, (plain, told) in figures.items():
            times, cpu, target = told.wall / plain.wall, told.cpu / plain.cpu, TARGETS[way]
            missed += times > target
            verdict = f"at most {target:g}: {'**missed**' if times > target else 'met'}"
            figures_of_way = [number(one, 2) for one in (plain.wall, told.wall, times, cpu)]
            lines.append([f"{title}: {way}", *figures_of_way, verdict])
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print(table(["", "not told, ms", "told, ms", "times", "times, CPU", "target"], lines))
    return 2 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
