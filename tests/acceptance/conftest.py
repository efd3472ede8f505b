"""Fixtures of the acceptance tier.

def test_x(prepared_data): ...     a folder with the demo's database: copy it
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.demo import demo_environment
from tests.support.server import ROOT


@pytest.fixture(scope="session")
def prepared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which demo_setup has run once."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    subprocess.run(
        [sys.executable, "manage.py", "demo_setup"],
        cwd=ROOT,
        env={**os.environ, **demo_environment(folder)},
        check=True,
        capture_output=True,
    )
    return folder
