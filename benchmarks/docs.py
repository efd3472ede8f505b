"""``docs``: fills the figures of ``docs/performance.md`` from the results of a run; nobody types them."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from benchmarks import charts, profile, report, steady
from benchmarks.lineup import ROOT
from benchmarks.results import Results

PAGE = ROOT / "docs" / "performance.md"
_CHARTS = {charts.CPU: "CPU of one delivery, by server", charts.TARGETS: "How far each target is surpassed or missed"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None but those of all commands."""


def run(arguments: argparse.Namespace, folder: Path) -> int:
    """Replace the blocks for which the folder has results; 1 if it has none."""
    blocks = {
        "comparison": _comparison(folder),
        "profile": "\n\n".join(
            profile.markdown(json.loads(p.read_text())) for p in sorted(folder.glob("profile-*.json"))
        ),
        "steady": "".join(steady.markdown(json.loads(p.read_text())) for p in folder.glob("steady.json")),
    }
    page = PAGE.read_text()
    for name, text in blocks.items():
        if text:
            page = _replace(page, name, text)
    PAGE.write_text(page)
    filled = [name for name, text in blocks.items() if text]
    print(f"{PAGE}: filled {', '.join(filled) or 'nothing'}", file=sys.stderr)
    return int(not filled)


def _comparison(folder: Path) -> str:
    saved = folder / "comparison.json"
    if not saved.exists():
        return ""
    results = Results.load(saved)
    charts.save(results, PAGE.parent)
    images = (f"![{words}]({name})" for name, words in _CHARTS.items() if (PAGE.parent / name).exists())
    return "\n\n".join((*images, report.markdown(results)))


def _replace(page: str, name: str, text: str) -> str:
    begin, end = f"<!-- {name}: filled by `python -m benchmarks docs` -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        raise SystemExit(f"{PAGE} has no block {begin}")
    return pattern.sub(lambda _: f"{begin}\n\n{text.strip()}\n\n{end}", page)
