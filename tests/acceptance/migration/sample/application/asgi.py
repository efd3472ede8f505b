"""What a server serves."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "application.settings")
http = get_asgi_application()

from django.urls import path  # noqa: E402 - needs the app registry

from . import consumers  # noqa: E402

urls = [
    path("graphql/", consumers.Consumer.as_asgi()),
    path("doorman/", consumers.Doorman.as_asgi()),
    path("impatient/", consumers.ImpatientDoorman.as_asgi()),
    path("guarded/", consumers.Guarded.as_asgi()),
    path("mortal/", consumers.Mortal.as_asgi()),
    path("discreet/", consumers.Discreet.as_asgi()),
]
application = ProtocolTypeRouter({"http": http, "websocket": URLRouter(urls)})
