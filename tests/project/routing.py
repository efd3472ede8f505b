"""The paths of the test project: the package's own `graphql/`, and one for each consumer of ours."""

from __future__ import annotations

from django.urls import path

from django_gqlws.routing import websocket_urlpatterns as package_urlpatterns

from . import consumers

websocket_urlpatterns = [
    *package_urlpatterns,
    path("confirming/", consumers.ConfirmingConsumer.as_asgi()),
    path("doorman/", consumers.DoormanConsumer.as_asgi()),
    path("blocking-doorman/", consumers.BlockingDoormanConsumer.as_asgi()),
    path("impatient/", consumers.ImpatientConsumer.as_asgi()),
    path("narrow/", consumers.NarrowConsumer.as_asgi()),
    path("frank/", consumers.FrankConsumer.as_asgi()),
    path("discreet/", consumers.DiscreetConsumer.as_asgi()),
    path("echoing/", consumers.EchoingConsumer.as_asgi()),
    path("pinging/", consumers.PingingConsumer.as_asgi()),
    path("partner/", consumers.PartnerConsumer.as_asgi()),
    path("public/", consumers.PublicConsumer.as_asgi()),
    path("mortal/", consumers.MortalConsumer.as_asgi()),
    path("ordered/", consumers.OrderedConsumer.as_asgi()),
    path("legacy/", consumers.LegacyConsumer.as_asgi()),
    path("legacy-only/", consumers.LegacyOnlyConsumer.as_asgi()),
    path("legacy-frank/", consumers.LegacyFrankConsumer.as_asgi()),
    path("legacy-pinging/", consumers.LegacyPingingConsumer.as_asgi()),
    path("legacy-confirming/", consumers.LegacyConfirmingConsumer.as_asgi()),
    path("legacy-ordered/", consumers.LegacyOrderedConsumer.as_asgi()),
    path("hooked/", consumers.HookedConsumer.as_asgi()),
    path("plainly-hooked/", consumers.PlainlyHookedConsumer.as_asgi()),
    path("channel/", consumers.ChannelConsumer.as_asgi()),
    path("talkative/", consumers.TalkativeConsumer.as_asgi()),
    path("brief/", consumers.BriefConsumer.as_asgi()),
    path("middleware/", consumers.MiddlewareConsumer.as_asgi()),
    path("plain-middleware/", consumers.PlainMiddlewareConsumer.as_asgi()),
    path("managed-middleware/", consumers.ManagedMiddlewareConsumer.as_asgi()),
    path("watchful/", consumers.WatchfulConsumer.as_asgi()),
]
