"""A project of a user's: it has the package from its wheel, and tests of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support import services
from tests.support.postgres import POSTGRES_HINT, PostgresServer, find_pg_ctl
from tests.support.server import ROOT

# These tests run in the project, which is another one than pytest's.
collect_ignore = ["project"]

PROJECT = Path(__file__).parent / "project"

Run = Callable[..., str]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the package is installed from its wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("django_gqlws-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True)
    return folder / "site"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the user's project."""
    return shutil.copytree(PROJECT, tmp_path / "project")


SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3", "OPTIONS": {"transaction_mode": "IMMEDIATE"}}
"""Django's test database is in memory then: all its connections share it."""

IN_A_FILE = {**SQLITE, "TEST": {"NAME": "test.sqlite3"}}
"""Each connection has its own view of it."""


@pytest.fixture(params=["in memory", "in a file", "PostgreSQL"])
def database(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    """The project's database, of each kind."""
    if request.param != "PostgreSQL":
        yield {"in memory": SQLITE, "in a file": IN_A_FILE}[request.param]
        return
    with PostgresServer(find_pg_ctl() or services.give_up(POSTGRES_HINT)) as server:
        yield server.settings


@pytest.fixture
def run(site: Path, project: Path) -> Run:
    """A function that runs Python in the project; it returns what was printed, and fails if that fails."""

    def run(*arguments: str, database: Mapping[str, Any] = SQLITE) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error::RuntimeWarning", *arguments],
            cwd=project,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(site), "CHAT_DATABASE": json.dumps(database)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run
