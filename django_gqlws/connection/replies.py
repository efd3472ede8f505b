"""What the client gets of one operation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..execution.results import encode_confirmation, encode_errors, encode_result
from ..protocol import messages
from ..protocol.codec import encode
from ..protocol.messages import Subscribe
from .session import Session


class Replies:
    """Results, then one end. Once it is over nothing more is sent, whoever ended it."""

    __slots__ = ("_head", "_id", "_outbox", "_request", "_session", "is_over", "name")

    def __init__(self, session: Session, request: Subscribe) -> None:
        self.is_over = False
        self.name = request.operation_name
        """The operation's name, if it is known and it has one."""
        self._session = session
        self._outbox = session.outbox
        self._request = request
        self._id = encode(request.id)
        # Each result begins with it: made once, because one subscription sends many.
        self._head = messages.head(self._id, session.dialect.result)

    @property
    def id(self) -> str:
        """The id that the client gave to the operation."""
        return self._request.id

    @property
    def description(self) -> str:
        """The operation in words, for logs."""
        name = f"{self.name!r} " if self.name else ""
        return f"The operation {name}with the id {self._request.id[:50]!r}"

    def send_result(self, data: Any, errors: Collection[Exception]) -> None:
        """Sends a result."""
        if not self.is_over:
            where = self.description if errors else ""
            self.send_payload(encode_result(data, errors, self._session.masks_errors, where))

    def send_confirmation(self, message: Mapping[str, Any]) -> None:
        """Sends what the developer wants a confirmed subscription to say."""
        self.send_payload(encode_confirmation(message))

    def send_payload(self, payload: str) -> None:
        """Sends an encoded result."""
        if not self.is_over:
            self._outbox.send(f"{self._head}{payload}}}")

    def complete(self) -> None:
        """Ends with ``complete``."""
        if not self.is_over:
            self._outbox.send(messages.complete(self._id))
            self._end()

    def fail(self, *errors: Exception) -> None:
        """Ends with errors: the operation could not run, or its stream broke."""
        self._end_with(self._session.dialect.fail, errors)

    def decline(self, error: Exception) -> None:
        """Ends with an error: the operation may not run."""
        self._end_with(self._session.dialect.decline, [error])

    def _end_with(self, last_frames: Callable[[str, str], tuple[str, ...]], errors: Collection[Exception]) -> None:
        if not self.is_over:
            payload = encode_errors(errors, self._session.masks_errors, self.description)
            for frame in last_frames(self._id, payload):
                self._outbox.send(frame)
            self._end()

    def _end(self) -> None:
        """The server's side ended the operation. Extended by those who have something to clean up."""
        self.is_over = True
