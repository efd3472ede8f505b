"""The project's database, as a command finds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import Error


@contextmanager
def database() -> Iterator[None]:
    """The block uses it. Raises CommandError where it cannot be used: it is down, or a table is missing."""
    try:
        yield
    except (Error, ImproperlyConfigured) as error:
        raise CommandError(f"The database cannot be used: {error}. Does it run, and is it migrated?") from error
