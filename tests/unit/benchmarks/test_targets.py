"""Whether a run of the benchmarks has met the targets, and what is written about it."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from benchmarks import charts, docs
from benchmarks.catalogue import CATALOGUE, WORKLOADS
from benchmarks.report import markdown
from benchmarks.results import Measurement, Results
from benchmarks.targets import TARGETS, compared, verdicts


def measured(**per_second: float) -> Results:
    """Results of one round of `fan-out`, with these rates by server."""
    rounds = [
        Measurement("fan-out", server, 0, {"per_second": rate, "cpu_us": 1e6 / rate})
        for server, rate in per_second.items()
    ]
    return Results(rounds, {"Python": "3.11"})


def everything(value: float) -> Results:
    """Results in which each figure of each workload and server is the same."""
    figures = {"per_second", "cpu_us", "redis_us", "connection_kib", "subscription_kib"}
    return Results(
        [
            Measurement(workload.name, server, 0, dict.fromkeys(figures, value))
            for workload in CATALOGUE
            for server in workload.servers
        ],
        {},
    )


def test_each_target_is_measured_by_a_complete_run() -> None:
    """No target names a workload, a server or a figure that a complete run lacks."""
    results = everything(1.0)

    missing = [verdict.label for verdict in verdicts(results) if verdict.met is None]

    assert not missing


def test_a_ratio_at_its_bound_is_met_and_one_below_is_not() -> None:
    """The bound itself suffices."""
    at, below = measured(ours=50.0, peer=1.0), measured(ours=49.9, peer=1.0)

    assert verdicts(at)[0].met is True
    assert verdicts(below)[0].met is False


def test_a_machine_that_is_slow_for_a_round() -> None:
    """It is so for both sides: the ratio is the median of the rounds' ratios."""
    rates = {"ours": (100.0, 20.0, 60.0), "peer": (2.0, 0.4, 0.5)}
    results = Results(
        [
            Measurement("fan-out", server, number, {"per_second": rate})
            for server, rounds in rates.items()
            for number, rate in enumerate(rounds)
        ],
        {},
    )

    assert verdicts(results)[0].value == pytest.approx(50.0)


def test_a_void_round_leaves_its_targets_unmeasured() -> None:
    """A server that failed in one of the rounds has no median, so nobody is compared with it."""
    results = Results(
        [
            Measurement("fan-out", "ours", 0, {"per_second": 100.0}),
            Measurement("fan-out", "peer", 0, {"per_second": 1.0}),
            Measurement("fan-out", "peer", 1, {}, "a subscriber got nothing"),
        ],
        {},
    )

    assert verdicts(results)[0].met is None
    assert "- void: peer, fan-out, round 2: a subscriber got nothing" in markdown(results)


def test_the_report_has_a_line_for_each_target() -> None:
    """What was not measured says so."""
    report = markdown(measured(ours=50.0, peer=1.0))

    assert report.count("| not measured |") == len(TARGETS) - 1
    assert "| fan-out 1,000, equal documents, times peer | ≥ 50 x | 50 x | met |" in report


def test_the_charts_show_what_was_measured() -> None:
    """A bar for each server and each measured target, however far surpassed; nothing at all without figures."""
    results = measured(ours=50.0, peer=1.0)

    assert charts.cpu(results).count('height="16"') == 2
    assert charts.targets(results).count('height="16"') == 1
    assert charts.targets(measured(ours=5e9, peer=1.0)).count("16 or more") == 1
    assert charts.cpu(Results([], {})) == charts.targets(Results([], {})) == ""


def test_figures_replace_what_stood_between_the_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filling the page twice leaves the second figures, and the text around them."""
    page = tmp_path / "performance.md"
    page.write_text(docs.PAGE.read_text())
    monkeypatch.setattr(docs, "PAGE", page)

    for rate in (40.0, 50.0):
        measured(ours=rate, peer=1.0).save(tmp_path / "comparison.json")
        assert docs.run(argparse.Namespace(), tmp_path) == 0

    text = page.read_text()
    assert "≥ 50 x | 50 x | met" in text
    assert "≥ 50 x | 40 x" not in text
    assert text.startswith("# Performance")
    assert text.endswith("<!-- end of steady -->\n")


def test_what_the_targets_compare() -> None:
    """Workloads with servers that run them, and no server that no target is about."""
    pairs = compared()

    assert all(server in WORKLOADS[workload].servers for workload, server in pairs)
    assert ("churn", "ours") in pairs
    assert "strawberry" not in {server for _, server in pairs}
