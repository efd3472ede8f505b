"""This project, as its users set it up."""

from django.core.management import call_command

from benchmarks.servers.django_stack import asgi_application
from benchmarks.servers.graphene_schema import build_schema
from django_gqlws import Subscription
from django_gqlws.routing import websocket_urlpatterns

schema = build_schema(Subscription)
application = asgi_application(websocket_urlpatterns)
call_command("migrate", verbosity=0)
