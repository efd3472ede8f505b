"""What tests of an application need: a client and a transport in the test's own process.

Names are loaded when they are used, so that pytest can load the plugin without Django.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .broadcasts import deliver_broadcasts
    from .client import GraphqlWsClient
    from .transport import GraphqlWsTransport

__all__ = ["GraphqlWsClient", "GraphqlWsTransport", "deliver_broadcasts"]

_HOMES = {"GraphqlWsClient": "client", "GraphqlWsTransport": "transport", "deliver_broadcasts": "broadcasts"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
