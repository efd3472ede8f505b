"""What the test project has no use for elsewhere."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied

from django_gqlws import GraphqlWsConsumer
from tests.project.consumers import ConfirmingConsumer, ProjectConsumer


class CrowdedConsumer(ConfirmingConsumer):
    """Runs one operation at a time."""

    max_operations = 1


class SchemalessConsumer(GraphqlWsConsumer):
    """Somebody has forgotten the schema."""

    schema = None


class StaffConsumer(ProjectConsumer):
    """Lets members of staff in."""

    async def on_connect(self, payload: Any) -> None:
        if not self.scope["user"].is_staff:
            raise PermissionDenied("Log in as a member of staff.")
