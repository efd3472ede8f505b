"""What the project's ASGI application serves over WebSocket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter, get_default_application
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ..consumers import GraphqlWsConsumer

_WRAPPED = ("inner", "application", "app")
"""Where ASGI middleware of Channels and others keeps what it wraps."""


def load_application() -> Any:
    """What ASGI_APPLICATION names. Raises ImproperlyConfigured, which says why."""
    try:
        return get_default_application()
    except Exception as error:  # Importing it runs code of the project.
        # Channels raises ImproperlyConfigured, and keeps to itself which import failed.
        reason = error.__context__ if isinstance(error.__context__, ImportError | AttributeError) else error
        message = (
            f"ASGI_APPLICATION {settings.ASGI_APPLICATION!r} cannot be imported: {type(reason).__name__}: {reason}"
        )
        raise ImproperlyConfigured(message) from error


def graphql_routes(application: Any) -> Iterator[tuple[str, type[GraphqlWsConsumer]]]:
    """The paths of the consumers of ours that are found in an ASGI application, and their classes."""
    if isinstance(application, ProtocolTypeRouter):
        yield from graphql_routes(application.application_mapping.get("websocket"))
    elif isinstance(application, URLRouter):
        for route in application.routes:
            if isinstance(route, URLRouter):
                yield from graphql_routes(route)
                continue
            for path, served in graphql_routes(route.callback):
                yield str(route.pattern) + path, served
    elif (consumer := _consumer(application)) is not None:
        yield "", consumer
    else:
        for name in _WRAPPED:
            if (wrapped := getattr(application, name, None)) is not None:
                yield from graphql_routes(wrapped)
                return


def _consumer(application: Any) -> type[GraphqlWsConsumer] | None:
    consumer = getattr(application, "consumer_class", None)
    return consumer if isinstance(consumer, type) and issubclass(consumer, GraphqlWsConsumer) else None
