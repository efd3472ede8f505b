"""Where the file of a layer lies if the settings do not say it."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

FOLDER = ".channels"
FILE = "channels.sqlite3"


def default_path() -> Path:
    """A file in a hidden folder of the project.

    It depends on nothing but the project, so that all of its processes find the same one: a server started by systemd
    and a shell of the same user differ in TMPDIR, XDG_RUNTIME_DIR and HOME. Raises ImproperlyConfigured.
    """
    base = getattr(settings, "BASE_DIR", None)
    if base is None:
        raise ImproperlyConfigured(
            "SqliteChannelLayer does not know where to keep its file: set BASE_DIR, or"
            ' "CONFIG": {"path": "/a/local/folder/channels.sqlite3"} in CHANNEL_LAYERS.'
        )
    return Path(base) / FOLDER / FILE
