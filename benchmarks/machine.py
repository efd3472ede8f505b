"""The machine and the versions that a run's figures belong to."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from benchmarks import process
from benchmarks.lineup import ROOT

_PACKAGES = ("Django", "channels", "graphql-core", "uvicorn", "daphne", "redis")


def facts() -> dict[str, str]:
    """What somebody who compares two runs has to know."""
    return {
        "commit": _commit(),
        "CPU": f"{_cpu()}, {len(process.cores())} cores",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "Python": platform.python_version(),
        **{package: version(package) for package in _PACKAGES},
    }


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
