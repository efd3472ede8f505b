"""The pages of the demo, and GraphiQL for each consumer below its name: `narrow/graphiql/`."""

from django.http import HttpRequest
from django.urls import path

from demo.urls import urlpatterns as demo_urlpatterns
from django_gqlws.views import GraphiQLView

ENDPOINTS = ("brief", "confirming", "crowded", "impatient", "legacy-only", "narrow", "nowhere", "partner", "schemaless")


def is_staff(request: HttpRequest) -> bool:
    """What `permission` does by default where DEBUG is off."""
    return request.user.is_staff


urlpatterns = [
    *demo_urlpatterns,
    *(path(f"{name}/graphiql/", GraphiQLView.as_view(endpoint=f"{name}/")) for name in ENDPOINTS),
    path("open/graphiql/", GraphiQLView.as_view(endpoint="confirming/", permission=is_staff)),
    path("staff/graphiql/", GraphiQLView.as_view(endpoint="staff/", permission=is_staff)),
]
