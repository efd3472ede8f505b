"""Threads that do not start."""

from __future__ import annotations

import threading


def refuse_to_start(thread: threading.Thread) -> None:
    """What `Thread.start` does in a process that ends, in Python 3.12."""
    raise RuntimeError("can't create new thread at interpreter shutdown")
