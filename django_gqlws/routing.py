"""URL patterns for ``URLRouter``: the ready-made consumer at ``graphql/``."""

from __future__ import annotations

from django.urls import path

from .consumers import GraphqlWsConsumer

websocket_urlpatterns = [path("graphql/", GraphqlWsConsumer.as_asgi())]  # type: ignore[arg-type]
