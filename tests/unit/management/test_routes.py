"""What an ASGI application serves over WebSocket."""

from __future__ import annotations

from typing import Any

import pytest
from channels.auth import AuthMiddlewareStack
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path, re_path

from django_gqlws import GraphqlWsConsumer
from django_gqlws.management.routes import graphql_routes
from tests.support.tables import situations


class Other(GraphqlWsConsumer):
    """A consumer of a project's own."""


class Chat(AsyncWebsocketConsumer):
    """Something else that a project serves."""


OURS = path("graphql/", GraphqlWsConsumer.as_asgi())

APPLICATIONS: dict[str, tuple[Any, list[tuple[str, type]]]] = {
    "nothing": (ProtocolTypeRouter({}), []),
    "a route": (ProtocolTypeRouter({"websocket": URLRouter([OURS])}), [("graphql/", GraphqlWsConsumer)]),
    "middleware around it": (
        ProtocolTypeRouter({"websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter([OURS])))}),
        [("graphql/", GraphqlWsConsumer)],
    ),
    "middleware of a route": (URLRouter([path("x/", AuthMiddlewareStack(Other.as_asgi()))]), [("x/", Other)]),
    "several, and others": (
        URLRouter([OURS, path("chat/", Chat.as_asgi()), re_path(r"^two/$", Other.as_asgi())]),
        [("graphql/", GraphqlWsConsumer), ("^two/$", Other)],
    ),
    "a router in a router": (URLRouter([path("api/", URLRouter([OURS]))]), [("api/graphql/", GraphqlWsConsumer)]),
    "a consumer alone": (Other.as_asgi(), [("", Other)]),
    "a function": (lambda scope, receive, send: None, []),
}


@pytest.mark.parametrize(("application", "routes"), situations(APPLICATIONS))
def test_what_is_found(application: Any, routes: list[tuple[str, type]]) -> None:
    """Paths and classes, in the order of the routes."""
    assert list(graphql_routes(application)) == routes
