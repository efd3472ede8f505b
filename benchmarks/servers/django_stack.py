"""The ASGI stack that every Django server here has around its consumer."""

from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.urls import path


def graphql_url(consumer: Any) -> list[Any]:
    """URL patterns with a consumer at the path the load generator asks for."""
    return [path("graphql/", consumer)]


def asgi_application(url_patterns: list[Any]) -> ProtocolTypeRouter:
    """ProtocolTypeRouter, Origin check, AuthMiddlewareStack, URLRouter."""
    return ProtocolTypeRouter(
        {
            "http": get_asgi_application(),
            "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(url_patterns))),
        }
    )
