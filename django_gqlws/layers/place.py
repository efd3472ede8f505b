"""Where the file of a layer lies if the settings do not say it."""

from __future__ import annotations

import os
import re
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


NETWORK_FILE_SYSTEMS = re.compile(
    r"9p|afs|ceph|cifs|drvfs|fuse\.(ceph|glusterfs|sshfs)|glusterfs|gpfs|lustre|nfs4?|smb3|smbfs|vboxsf"
)
"""Where the processes of a host do not share memory, or locks do not hold."""


MOUNTS = Path("/proc/self/mountinfo")


def file_system(path: Path) -> str:
    """The type of the file system that a path lies on, as Linux calls it; empty where that cannot be told."""
    try:
        mounts = MOUNTS.read_text()
    except OSError:
        return ""
    found, kind = "", ""
    for line in mounts.splitlines():
        mount, _, source = line.partition(" - ")
        # Spaces are written as \040; later mounts hide earlier ones.
        point = mount.split()[4].encode().decode("unicode_escape")
        if len(point) >= len(found) and path.is_relative_to(point):
            found, kind = point, source.split()[0]
    return kind


def is_writable(path: Path) -> bool:
    """Whether this process may write the file and beside it, or make them."""
    # Path.exists raises PermissionError where this process may not look.
    if os.path.isdir(path) or (os.path.exists(path) and not os.access(path, os.W_OK)):  # noqa: PTH110, PTH112
        return False
    folder = next(folder for folder in path.parents if os.path.exists(folder))  # noqa: PTH110
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
