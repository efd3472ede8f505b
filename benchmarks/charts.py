"""The charts of a comparison, as SVG that suits light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from benchmarks.lineup import LINEUP, OURS
from benchmarks.results import Results
from benchmarks.targets import verdicts

CPU = "performance-cpu.svg"
TARGETS = "performance-targets.svg"

_STYLE = """
  svg { font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; background: #fff;
        --text: #1f2328; --muted: #59636e; --line: #d8dee4; --other: #98a2ad; --good: #0969da; --bad: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117;
          --text: #f0f6fc; --muted: #9198a1; --line: #30363d; --other: #6e7681; --good: #4493f8; --bad: #f0883e; }
  }
  text { fill: var(--text); } .title { font-size: 16px; font-weight: 600; } .muted { fill: var(--muted); }
  .end { text-anchor: end; } .middle { text-anchor: middle; }
  line { stroke: var(--line); } .bound { stroke: var(--text); }
  .good { fill: var(--good); } .bad { fill: var(--bad); } .other { fill: var(--other); }
"""
_WIDTH = 860
_HEAD = 64
_ROW = 26
_BAR = 16
_FOOT = 34
_FAR = 16.0
"""How far a target may be surpassed, before it is too much for an axis."""
_VALUE = 78
"""Room for the figure at the right."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart."""

    label: str
    value: float
    text: str
    kind: str
    """``good``, ``bad`` or ``other``."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A logarithmic axis from ``low`` to ``high``."""

    low: float
    high: float
    left: int

    def x(self, value: float) -> float:
        """Where a value is."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.left + share * (_WIDTH - _VALUE - self.left)


def save(results: Results, folder: Path) -> None:
    """Write the charts for which there are figures."""
    for name, chart in ((CPU, cpu(results)), (TARGETS, targets(results))):
        if chart:
            (folder / name).write_text(chart)


def cpu(results: Results) -> str:
    """CPU of a delivery, for each server."""
    found = [(server, results.series("fan-out", server.name, "cpu_us").median) for server in LINEUP]
    bars = [
        Bar(server.title, value, f"{value:,.1f} µs", "good" if server is OURS else "other")
        for server, value in sorted(found, key=lambda pair: pair[1] or 0)
        if value
    ]
    if not bars:
        return ""
    scale = Scale(1, max(bar.value for bar in bars), 230)
    title = "CPU of one delivery: a broadcast to 1,000 subscribers of a room"
    return _chart(title, "server CPU, µs, logarithmic: less is better", bars, scale, 1, "{:,.0f}")


def targets(results: Results) -> str:
    """How far each target is surpassed or missed."""
    bars = [
        Bar(verdict.label, min(verdict.margin, _FAR), _factor(verdict.margin), "good" if verdict.met else "bad")
        for verdict in verdicts(results)
        if verdict.margin
    ]
    if not bars:
        return ""
    low = 2.0 ** math.floor(math.log2(min(0.5, *(bar.value for bar in bars))))
    high = 2.0 ** math.ceil(math.log2(max(4.0, *(bar.value for bar in bars))))
    subtitle = "measured / bound, logarithmic: a target is met from 1 on"
    return _chart("Targets", subtitle, bars, Scale(low, high, 430), 1, "{:g}", base=2)


def _factor(margin: float) -> str:
    return f"{margin:,.2f}" if margin < _FAR else f"{_FAR:g} or more"


def _chart(
    title: str, subtitle: str, bars: list[Bar], scale: Scale, origin: float, ticks: str, base: float = 10
) -> str:
    """Horizontal bars that begin at ``origin``."""
    bottom = _HEAD + _ROW * len(bars)
    height = bottom + _FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
        f' role="img" aria-label="{escape(title)}">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="none"/>',
        _text(16, 28, title, "title"),
        _text(16, 48, subtitle, "muted"),
        *_axis(scale, bottom, ticks, base),
        *(part for number, bar in enumerate(bars) for part in _bar(bar, scale, origin, _HEAD + _ROW * number)),
        _line(scale.x(origin), bottom, "bound"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _axis(scale: Scale, bottom: int, ticks: str, base: float) -> Iterable[str]:
    value = scale.low
    while value <= scale.high * 1.001:
        yield _line(scale.x(value), bottom, "grid")
        yield _text(scale.x(value), bottom + 20, ticks.format(value), "muted middle")
        value *= base


def _bar(bar: Bar, scale: Scale, origin: float, top: int) -> Iterable[str]:
    start, end = sorted((scale.x(origin), scale.x(bar.value)))
    baseline = top + _BAR - 1
    yield _text(scale.left - 12, baseline, bar.label, "end")
    yield f'<rect class="{bar.kind}" x="{start:.1f}" y="{top + 2}" width="{end - start:.1f}" height="{_BAR}" rx="2"/>'
    yield _text(end + 6, baseline, bar.text, "")


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def _line(x: float, bottom: int, kind: str) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{_HEAD - 4}" y2="{bottom}"/>'
