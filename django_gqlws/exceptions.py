"""Every error that django_gqlws raises, in one tree.

::

    GqlwsError
    ├── PayloadError      a broadcast's payload cannot be packed or unpacked
    └── BroadcastError    a broadcast or an unsubscribe did not reach the channel layer
        ├── BacklogError    too many sends of this process wait for the layer
        └── RunningLoopError    a ``..._sync`` method was called where it would block the event loop

Wrong settings raise Django's own ``ImproperlyConfigured``.
"""

from __future__ import annotations


class GqlwsError(Exception):
    """The base of all errors of this package."""


class PayloadError(GqlwsError, TypeError):
    """A payload cannot be packed or unpacked; the message names the type and the path to it."""


class BroadcastError(GqlwsError):
    """A message did not reach the channel layer."""


class BacklogError(BroadcastError):
    """Too many messages of this process are waiting for the channel layer; this one was not sent."""


class RunningLoopError(BroadcastError, RuntimeError):
    """A blocking call was made on a running event loop; call the ``..._async`` method and await it."""
