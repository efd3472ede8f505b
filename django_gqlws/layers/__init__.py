"""A channel layer for the processes of one host that needs no server: a log in a SQLite file.

It can be used in any Channels project, without the rest of this package::

    CHANNEL_LAYERS = {"default": {"BACKEND": "django_gqlws.layers.SqliteChannelLayer"}}
"""

from .layer import SqliteChannelLayer
from .log import ReadingProcess

__all__ = ["ReadingProcess", "SqliteChannelLayer"]
