"""The sample application as a user of either library has it: the same files, one name replaced."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.environments import PythonEnvironment, Unavailable
from tests.support import services
from tests.support.server import Server

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SAMPLE = HERE / "sample"

OLD_NAME = "channels_graphql_ws"
NEW_NAME = "django_gqlws"

OLD_ENVIRONMENT = PythonEnvironment(OLD_NAME, HERE)
"""Made at the first run and kept, with what channels_graphql_ws.txt pins."""

HINT = "the Python Package Index, to install channels_graphql_ws and what it needs"


@dataclass(frozen=True)
class Copy:
    """A copy of the sample application that imports one of the libraries."""

    folder: Path
    python: Path
    """The interpreter of the environment that has the library."""

    @contextmanager
    def served(self, layer: Mapping[str, Any] | None = None) -> Iterator[Server]:
        """The application behind uvicorn, with this channel layer (None: in memory)."""
        env = {**self.env, "SAMPLE_LAYER": json.dumps(layer)}
        migrate = [self.python, "-m", "django", "migrate", "--run-syncdb", "--verbosity", "0"]
        subprocess.run(migrate, cwd=self.folder, env=env, check=True)
        with Server("application.asgi:application", env=env, python=str(self.python)) as server:
            yield server

    @property
    def env(self) -> Mapping[str, str]:
        """What a process that runs in the folder needs."""
        path = os.pathsep.join([str(self.folder), str(ROOT)])
        return {**os.environ, "DJANGO_SETTINGS_MODULE": "application.settings", "PYTHONPATH": path}


@contextmanager
def written_for_old() -> Iterator[Copy]:
    """The application as it was written, and an environment that has the old library."""
    try:
        python = OLD_ENVIRONMENT.prepare()
    except Unavailable:
        services.give_up(HINT)
    with _copied() as folder:
        yield Copy(folder, python)


@contextmanager
def migrated() -> Iterator[Copy]:
    """The application after ``s/channels_graphql_ws/django_gqlws/``."""
    with _copied() as folder:
        for path in folder.rglob("*.py"):
            path.write_text(path.read_text().replace(OLD_NAME, NEW_NAME))
        yield Copy(folder, Path(sys.executable))


@contextmanager
def _copied() -> Iterator[Path]:
    with TemporaryDirectory(prefix="gqlws-migration-") as folder:
        leave_out = shutil.ignore_patterns("__pycache__", "*.sqlite3*")
        yield Path(shutil.copytree(SAMPLE, Path(folder, "sample"), ignore=leave_out))
