"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig


class DjangoGqlwsConfig(AppConfig):
    """Registers the system checks, and begins to notice changes of models."""

    name = "django_gqlws"
    verbose_name = "GraphQL over WebSocket"

    def ready(self) -> None:
        # Registering is the purpose; models must be loaded first.
        from . import checks  # noqa: F401
        from .bridge import capture
        from .bridge import checks as bridge_checks  # noqa: F401
        from .bridge.postgres import checks as postgres_checks  # noqa: F401
        from .monitoring import checks as monitoring_checks  # noqa: F401

        capture.connect()
