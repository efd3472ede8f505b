"""The stack that the real servers of the tests run."""

from __future__ import annotations

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.project.settings")
http = get_asgi_application()

from django_gqlws.routing import lifespan  # noqa: E402  (needs the app registry)

from .routing import websocket_urlpatterns  # noqa: E402  (the same)

application = ProtocolTypeRouter(
    {"http": http, "websocket": AuthMiddlewareStack(URLRouter(websocket_urlpatterns)), "lifespan": lifespan}
)
