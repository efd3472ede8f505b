"""``python -m benchmarks.saves``: saving rows whose changes are told, beside rows whose are not; prints a table."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform

from benchmarks.markdown import number, table
from benchmarks.saves.parties import Figures, listen_in_process, save_in_process
from benchmarks.saves.places import PLACES, Place


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.saves", description=__doc__)
    parser.add_argument("--saves", type=int, default=300)
    parser.add_argument("--bulks", type=int, default=7)
    options = parser.parse_args()
    lines = []
    for title, place in PLACES.items():
        try:
            with place() as where:
                figures = run(where, options.saves, options.bulks)
        except LookupError as error:
            print(f"{title}: {error}")
            continue
        for way, (plain, told) in figures.items():
            lines.append([f"{title}: {way}", number(plain, 2), number(told, 2), number(told / plain, 2)])
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print(table(["", "not told, ms", "told, ms", "times"], lines))


if __name__ == "__main__":
    main()
