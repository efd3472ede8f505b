"""From a thread into `SqliteChannelLayer`, which takes messages from threads as from event loops.

The way over an event loop would wake that loop's thread before the layer's, and afterwards once more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from ..counters import counters
from ..exceptions import BroadcastError, LayerError
from .bus import Message, Sender, not_taken
from .pubsub import class_of

_LAYER = "django_gqlws.layers.layer.SqliteChannelLayer"


class Handover:
    """The way into one such layer, for all threads. Raises LookupError if it is another: a subclass may send in a way
    of its own."""

    def __init__(self, layer: Any) -> None:
        if class_of(layer) != _LAYER:
            raise LookupError("This layer takes messages from event loops alone.")
        self._layer = layer
        self._sender = Sender()
        self._is_free = threading.Lock()

    def send(self, messages: Sequence[Message], timeout: float) -> None:
        """Returns when the layer has them. Raises BroadcastError if it did not take one of them, and BacklogError."""
        until = time.monotonic() + timeout
        try:
            replies = self._hand_over(messages)
        except BroadcastError:
            counters.send_failures += len(messages)
            raise
        errors = [reply.wait(until - time.monotonic()) for reply in replies]
        failures = [error for error in errors if error is not None]
        counters.sent += len(errors) - len(failures)
        counters.send_failures += len(failures)
        if failures:
            raise not_taken(failures[0]) from failures[0]

    def _hand_over(self, messages: Sequence[Message]) -> Sequence[Any]:
        # Two messages to a group reach the layer in the order of their numbers.
        with self._is_free:
            envelopes = [self._sender.seal(message) for message in messages]
            try:
                replies: Sequence[Any] = self._layer.group_send_from_thread(
                    [(envelope.group, envelope.to_message()) for envelope in envelopes]
                )
            except (LayerError, TypeError, ValueError) as error:
                raise not_taken(error) from error
        return replies
