"""A user for a connection that a command opens."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.http import HttpRequest

from django_gqlws.management.login import find_user, session_cookie

pytestmark = pytest.mark.django_db


def user_of(cookies: dict[str, str]) -> str:
    """Who a server takes a visitor with these cookies for."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(cookies[settings.SESSION_COOKIE_NAME])
    return get_user(request).get_username()


def test_a_user() -> None:
    """It is found by its name."""
    ann = User.objects.create(username="ann")

    assert find_user("ann") == ann


def test_an_unknown_user() -> None:
    """It is named."""
    with pytest.raises(CommandError, match="There is no user bob") as refused:
        find_user("bob")

    assert refused.value.returncode == 2


def test_a_session() -> None:
    """Its cookie logs the user in, and means nothing any more behind the block."""
    ann = User.objects.create(username="ann")

    with session_cookie(ann) as cookies:
        assert user_of(cookies) == "ann"

    assert user_of(cookies) == ""
