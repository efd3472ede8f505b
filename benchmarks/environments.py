"""Environments of the peers, made once from pinned versions and kept in ``.envs/``."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_HERE = Path(__file__).parent
_CACHE = _HERE / ".envs"
_REQUIREMENTS = _HERE / "requirements"


class Unavailable(Exception):
    """This machine cannot run that server."""


class Environment(Protocol):
    """Where a server's program and packages are."""

    def prepare(self) -> Path:
        """The interpreter, once everything is installed."""


@dataclass(frozen=True, slots=True)
class Here:
    """The environment that runs the benchmarks: the project's own."""

    def prepare(self) -> Path:
        """The running interpreter."""
        return Path(sys.executable)


@dataclass(frozen=True, slots=True)
class PythonEnvironment:
    """A virtual environment of the running Python with what ``<name>.txt`` in ``folder`` pins."""

    name: str
    folder: Path = _REQUIREMENTS

    def prepare(self) -> Path:
        """The environment's interpreter."""
        requirements = self.folder / f"{self.name}.txt"
        folder = _CACHE / f"{self.name}-py{sys.version_info.major}.{sys.version_info.minor}"
        python = folder / "bin" / "python"
        if not _is_current(folder, requirements):
            venv.create(folder, clear=True, with_pip=True)
            _install([str(python), "-m", "pip", "install", "--quiet", "-r", str(requirements)], folder)
            _mark_current(folder, requirements)
        return python


@dataclass(frozen=True, slots=True)
class NodeEnvironment:
    """A ``node_modules`` with what ``requirements/package.json`` pins."""

    def prepare(self) -> Path:
        """The Node on PATH; the packages are next to a copy of the server in ``folder``."""
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            raise Unavailable("no Node.js on this machine")
        requirements = _REQUIREMENTS / "package.json"
        if not _is_current(self.folder, requirements):
            self.folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(requirements, self.folder)
            _install([npm, "install", "--silent", "--no-package-lock", "--prefix", str(self.folder)], self.folder)
            _mark_current(self.folder, requirements)
        return Path(node)

    @property
    def folder(self) -> Path:
        """Where ``node_modules`` is."""
        return _CACHE / "node"


def _install(command: list[str], folder: Path) -> None:
    print(f"installing into {folder} ...", file=sys.stderr)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(f"could not install: {done.stderr.strip().splitlines()[-1:]}")


def _is_current(folder: Path, requirements: Path) -> bool:
    stamp = folder / "installed"
    return stamp.is_file() and stamp.read_text() == _fingerprint(requirements)


def _mark_current(folder: Path, requirements: Path) -> None:
    (folder / "installed").write_text(_fingerprint(requirements))


def _fingerprint(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes()).hexdigest()
