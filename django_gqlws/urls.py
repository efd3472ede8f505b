"""URL patterns for `include`: GraphiQL at ``graphiql/``."""

from __future__ import annotations

from django.urls import path

from .views import GraphiQLView

app_name = "django_gqlws"
urlpatterns = [path("graphiql/", GraphiQLView.as_view(), name="graphiql")]
