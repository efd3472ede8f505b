"""The demo, and beside it consumers each of which has something that GraphiQL must get on with."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.acceptance.graphiql.settings")

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

from demo.asgi import http  # before all that needs the apps to be loaded

from django_gqlws.routing import websocket_urlpatterns  # isort: skip
from tests.acceptance.graphiql import consumers as own  # isort: skip
from tests.project import consumers as project  # isort: skip

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": AuthMiddlewareStack(
            URLRouter(
                [
                    *websocket_urlpatterns,
                    path("brief/", project.BriefConsumer.as_asgi()),
                    path("confirming/", project.ConfirmingConsumer.as_asgi()),
                    path("crowded/", own.CrowdedConsumer.as_asgi()),
                    path("impatient/", project.ImpatientConsumer.as_asgi()),
                    path("legacy-only/", project.LegacyOnlyConsumer.as_asgi()),
                    path("narrow/", project.NarrowConsumer.as_asgi()),
                    path("partner/", project.PartnerConsumer.as_asgi()),
                    path("schemaless/", own.SchemalessConsumer.as_asgi()),
                    path("staff/", own.StaffConsumer.as_asgi()),
                ]
            )
        ),
    }
)
