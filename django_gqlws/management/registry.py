"""What the commands share that look at live connections and subscriptions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, CommandParser
from django.db import Error

from ..conf import get_setting
from ..monitoring.tables import migrate_command


def add_filters(parser: CommandParser) -> None:
    """The options that say which ones."""
    parser.add_argument("--user", metavar="NAME", help="Of this user: the name, or the primary key.")
    parser.add_argument("--group", metavar="PATTERN", help="Subscribed to this group; * stands for anything: 'room-*'.")
    parser.add_argument("--field", metavar="NAME", help="Of this field of the schema: onMessage.")


def filters_of(options: dict[str, Any]) -> dict[str, Any]:
    """What they say, as the functions of `monitoring` take it."""
    return {name: options[name] for name in ("user", "group", "field")}


def uuid(text: str) -> UUID:
    """An id, for argparse: raises ValueError."""
    return UUID(text)


@contextmanager
def registry() -> Iterator[None]:
    """Around what reads the registry: raises CommandError where there is none."""
    try:
        if not get_setting("monitoring"):
            raise CommandError('There is no registry: GQLWS["MONITORING"] is False.')
        yield
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from error
    except Error as error:
        raise CommandError(f"The registry cannot be read. Has `{migrate_command()}` been run? {error}") from error
