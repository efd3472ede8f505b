"""A user for a connection that a command opens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.core.management.base import CommandError

from .database import database


def find_user(name: str) -> Any:
    """The user with this name. Raises CommandError."""
    model: Any = get_user_model()
    try:
        with database():
            return model._default_manager.get(**{model.USERNAME_FIELD: name})
    except model.DoesNotExist as error:
        raise CommandError(f"There is no user {name}.", returncode=2) from error


@contextmanager
def session_cookie(user: Any) -> Iterator[dict[str, str]]:
    """The cookie of a session in which the user is logged in; the session ends with the block."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = user._meta.pk.value_to_string(user)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    with database():
        session.save()
    try:
        yield {settings.SESSION_COOKIE_NAME: session.session_key}
    finally:
        session.delete()
