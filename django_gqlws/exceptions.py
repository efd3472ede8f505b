"""Every error that django_gqlws raises, in one tree.

::

    GqlwsError
    ├── PayloadError      a broadcast's payload cannot be packed or unpacked
    ├── LayerError        the file of a SqliteChannelLayer cannot be used
    ├── NotSubscribedError    a group is joined or left by an operation that is no live subscription
    ├── BroadcastError    a broadcast or an unsubscribe did not reach the channel layer
    │   ├── BacklogError    too many sends of this process wait for the layer
    │   └── RunningLoopError    a ``..._sync`` method was called where it would block the event loop
    └── ClientError       what a client of a GraphQL server meets
        ├── GraphqlWsResponseError    the server answered with errors
        ├── ConnectionFailedError     no connection came about
        ├── ConnectionClosedError     the connection is closed, or was never opened
        ├── UnexpectedMessageError    another message came than the one that was asked for
        └── SlowReaderError           a stream was not read, and others waited for messages behind it

Wrong settings raise Django's own ``ImproperlyConfigured``.
"""

from __future__ import annotations

from typing import Any


class GqlwsError(Exception):
    """The base of all errors of this package."""


class PayloadError(GqlwsError, TypeError):
    """A payload cannot be packed or unpacked; the message names the type and the path to it."""


class LayerError(GqlwsError):
    """The file of a SqliteChannelLayer cannot be used; the message says why, and what to change."""


class NotSubscribedError(GqlwsError, RuntimeError):
    """Groups are joined and left by a live `Subscription`: not by a query, a mutation or a native stream, and not in
    ``subscribe``, which returns its groups."""


class BroadcastError(GqlwsError):
    """A message did not reach the channel layer."""


class BacklogError(BroadcastError):
    """Too many messages of this process are waiting for the channel layer; this one was not sent."""


class RunningLoopError(BroadcastError, RuntimeError):
    """A blocking call was made on a running event loop; call the ``..._async`` method and await it."""


class ClientError(GqlwsError):
    """The base of what a client raises."""


class GraphqlWsResponseError(ClientError):
    """The server answered with errors."""

    def __init__(self, response: Any, message: str | None = None) -> None:
        super().__init__(response, message)
        self.response = response
        """The whole message of the server."""
        self.message = message

    def __str__(self) -> str:
        return f"{self.message or 'Error in GraphQL response'}: {'; '.join(_messages(self.response)) or self.response}"


def _messages(response: Any) -> list[str]:
    """Of the errors in any of the protocols' messages: `error`, `next`, `connection_error`."""
    payload = response.get("payload") if isinstance(response, dict) else None
    errors = payload.get("errors", [payload]) if isinstance(payload, dict) else payload
    found = [error.get("message") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return [message for message in found if isinstance(message, str)]


class ConnectionFailedError(ClientError):
    """No connection came about: nobody listens there, or whoever does speaks something else."""


class ConnectionClosedError(ClientError):
    """The connection is closed: nothing can be sent, and nothing more will come."""

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        """The close code; None if there was no closing handshake."""
        self.reason = reason

    def __str__(self) -> str:
        return f"The connection is closed ({'without a code' if self.code is None else self.code}): {self.reason}"


class UnexpectedMessageError(ClientError, AssertionError):
    """Another message came than the one that was asked for."""


class SlowReaderError(ClientError):
    """A stream was not read while somebody waited for what came behind it on the same connection; it has ended."""
