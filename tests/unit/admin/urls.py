"""The registry on the default site of the admin, and on one of a project's own."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from django_gqlws.admin import register

own_site = admin.AdminSite(name="own")
register(own_site)

urlpatterns = [path("admin/", admin.site.urls), path("own/", own_site.urls)]
