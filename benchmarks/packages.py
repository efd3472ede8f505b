"""Whose code a line is."""

from __future__ import annotations

import linecache
import re
import sysconfig

from benchmarks.lineup import ROOT

_OWN = {str(ROOT / "django_gqlws"): "django_gqlws", str(ROOT / "benchmarks"): "the benchmark's schema"}
_STANDARD_LIBRARY = sysconfig.get_path("stdlib")
_INSTALLED = re.compile(r"/(?:site|dist)-packages/(\w+)")
_TITLES = {"graphql": "graphql-core"}
_IN_C = {
    "_sock.send(": "socket writes (kernel)",
    "_sock.recv(": "socket reads (kernel)",
    "_selector.poll(": "epoll (kernel)",
    "orjson.": "orjson",
    "msgpack.": "msgpack",
    "zlib": "compression",
}
"""What a line calls when its time is spent in C."""


def package_of(file: str, line: int) -> str:
    """The package that a line of a file works for."""
    source = linecache.getline(file, line)
    for call, title in _IN_C.items():
        if call in source:
            return title
    if file.startswith("<"):
        return "generated code (dataclasses)"
    if installed := _INSTALLED.search(file):
        return _TITLES.get(installed[1], installed[1])
    if file.startswith(_STANDARD_LIBRARY):
        return "asyncio" if "/asyncio/" in file else "standard library"
    return next((title for folder, title in _OWN.items() if file.startswith(folder)), "other")
