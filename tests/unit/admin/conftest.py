"""People in front of the admin."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings

LogIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def urls(db: None) -> Iterator[None]:
    """The addresses of the admin."""
    with override_settings(ROOT_URLCONF="tests.unit.admin.urls"):
        yield


@pytest.fixture
def log_in() -> LogIn:
    """A function that gives the client of a member of staff with these permissions of the app, and no others."""

    def log_in(*permissions: str, is_staff: bool = True) -> Client:
        user = User.objects.create_user("ann", is_staff=is_staff)
        for name in permissions:
            user.user_permissions.add(Permission.objects.get(content_type__app_label="django_gqlws", codename=name))
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def staff() -> Client:
    """The client of somebody who may do everything."""
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client
