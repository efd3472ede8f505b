"""Real-time GraphQL for Django: a GraphQL server over WebSocket, with subscriptions, and a client.

Names are loaded when they are used: importing the package needs no Django settings, and the client needs no Django.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bridge.decorator import bridged
    from .bridge.querysets import BridgedManager, BridgedQuerySet
    from .bridge.subscription import ModelSubscription
    from .client.aiohttp import GraphqlWsTransportAiohttp
    from .client.client import GraphqlWsClient
    from .client.reconnect import Reconnect
    from .client.transport import GraphqlWsTransport
    from .consumers import GraphqlWsConsumer
    from .exceptions import GraphqlWsResponseError
    from .execution.kinds import on_loop
    from .subscription import Subscription

__all__ = [
    "BridgedManager",
    "BridgedQuerySet",
    "GraphqlWsClient",
    "GraphqlWsConsumer",
    "GraphqlWsResponseError",
    "GraphqlWsTransport",
    "GraphqlWsTransportAiohttp",
    "ModelSubscription",
    "Reconnect",
    "Subscription",
    "bridged",
    "on_loop",
]

__version__ = "0.1.0"

_HOMES = {
    "BridgedManager": "bridge.querysets",
    "BridgedQuerySet": "bridge.querysets",
    "GraphqlWsClient": "client.client",
    "GraphqlWsConsumer": "consumers",
    "GraphqlWsResponseError": "exceptions",
    "GraphqlWsTransport": "client.transport",
    "GraphqlWsTransportAiohttp": "client.aiohttp",
    "ModelSubscription": "bridge.subscription",
    "Reconnect": "client.reconnect",
    "Subscription": "subscription",
    "bridged": "bridge.decorator",
    "on_loop": "execution.kinds",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
