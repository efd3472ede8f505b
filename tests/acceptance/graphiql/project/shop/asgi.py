import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
http = get_asgi_application()

from django_gqlws.routing import websocket_urlpatterns  # noqa: E402

project = ProtocolTypeRouter({"http": http, "websocket": URLRouter(websocket_urlpatterns)})


async def application(scope, receive, send):
    """The project, mounted at /shop."""
    await project({**scope, "root_path": "/shop"}, receive, send)
