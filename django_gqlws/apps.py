"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig


class DjangoGqlwsConfig(AppConfig):
    """Registers the system checks."""

    name = "django_gqlws"
    verbose_name = "GraphQL over WebSocket"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - registering is the purpose; models must be loaded first
