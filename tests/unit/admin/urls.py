"""The registry on the default site of the admin, on one of a project's own, and on sites that have one of its pages."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from django_gqlws.admin import register

own_site = admin.AdminSite(name="own")
register(own_site)


def single(model: type) -> admin.AdminSite:
    """A site with the pages of one model."""
    site = admin.AdminSite(name=f"only-{model._meta.model_name}")
    site.register(model, type(own_site._registry[model]))
    return site


single_sites = [single(model) for model in own_site._registry]

urlpatterns = [
    path("admin/", admin.site.urls),
    path("own/", own_site.urls),
    *(path(f"{site.name}/", site.urls) for site in single_sites),
]
