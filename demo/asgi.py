"""The ASGI application of the demo: pages over HTTP, GraphQL over WebSocket."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")

# uvicorn serves no static files by itself. In production a web server does, or WhiteNoise; the demo has neither.
http = ASGIStaticFilesHandler(get_asgi_application())

# Behind get_asgi_application(): the consumer needs the apps to be loaded.
from django_gqlws.routing import lifespan, websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": AuthMiddlewareStack(URLRouter(websocket_urlpatterns)),
        "lifespan": lifespan,
    }
)
