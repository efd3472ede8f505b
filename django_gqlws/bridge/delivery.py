"""The changes of a committed transaction, into the channel layer: one broadcast for each group."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from django.db.models import Model

from ..broker.bus import Message
from ..broker.envelope import Kind
from ..broker.groups import group_name
from ..broker.process import current_broker, send_from_thread
from ..conf import get_settings
from ..exceptions import PayloadError
from ..prefixes import prefix_of
from ..serialization import pack
from ..signals import announce, broadcast_sent
from .declaration import Bridge
from .reading import breaks_transaction
from .rows import CREATED, DELETED, UPDATED, Row, RowChange, RowEvent, RowMove, State
from .transactions import Change

logger = logging.getLogger(__name__)

AT_ONCE = 100
"""Messages that are waited for together: fewer than the bus takes in, more than one hop of a thread costs."""


class Outgoing(NamedTuple):
    """A message to a group of a model's rows."""

    bridge: Bridge
    group: str
    message: Message

    def was_sent(self) -> None:
        """The channel layer has it."""
        announce(broadcast_sent, self.bridge.model, group=self.group, size=len(self.message.payload))


def layer_group(label: str, group: str) -> str:
    """The layer's name of a group of a model's rows."""
    # Who changes a row knows no consumer: the prefix of the settings counts.
    return group_name(prefix_of(lambda schema: False), f"rows of {label}", group)


def deliver(changes: Sequence[Change], using: str) -> None:
    """Tells the subscribers. Raises nothing: what fails is logged, the transaction is committed."""
    try:
        send(changes, using)
    except Exception as error:
        _report(sorted({str(change.bridge) for change in changes}), error)


def send(changes: Sequence[Change], using: str) -> None:
    """Tells the subscribers. What is wrong with a change is logged; raises what the channel layer does."""
    batches: defaultdict[tuple[Bridge, str], list[Row]] = defaultdict(list)
    for change in changes:
        try:
            for group, row in rows_of(change, using):
                batches[change.bridge, group].append(row)
        except Exception as error:
            _report([str(change.bridge)], error)
    messages = [
        message for (bridge, group), rows in batches.items() for message in _messages(bridge, group, rows, using)
    ]
    if messages:
        _send(messages)


def rows_of(change: Change, using: str) -> Iterator[tuple[str, Row]]:
    """What each group is told about a change."""
    bridge, before, after = change.bridge, change.before, change.after
    if before is None and after is None:
        return
    event = CREATED if before is None else DELETED if after is None else UPDATED
    if event not in bridge.events:
        return
    changed: Sequence[str] = ()
    if before is not None and after is not None:
        changed = [*bridge.changed(before, after), *sorted(change.relations)]
    old, new = bridge.groups(before, using), bridge.groups(after, using)
    if event is UPDATED and not changed and old == new:
        return
    for move, state, groups in _parts(event, before, after, old, new):
        if not groups or state is None:
            continue
        made = None
        if bridge.payload is not None or state is not after:
            made = _make(change, event, changed, move, bridge.instance(state, using))
            if made is None:
                continue
        row = Row(change.pk, event.value, changed, move and move.value, made)
        for group in groups:
            yield group, row


def _make(change: Change, event: RowEvent, changed: Sequence[str], move: RowMove | None, instance: Model) -> Any:
    bridge = change.bridge
    if bridge.payload is None:
        return instance
    try:
        return bridge.payload(RowChange(event, change.pk, [*changed], move, instance))
    except Exception as error:
        _report([_payload_of(bridge)], error)
        return None


def _parts(
    event: RowEvent, before: State | None, after: State | None, old: list[str], new: list[str]
) -> list[tuple[RowMove | None, State | None, list[str]]]:
    """What a change means, the state of the row that may be told, and to which groups."""
    if event is not UPDATED or old == new:
        return [(None, after or before, new or old)]
    return [
        (None, after, [group for group in new if group in old]),
        (RowMove.ENTERED, after, [group for group in new if group not in old]),
        (RowMove.LEFT, before, [group for group in old if group not in new]),
    ]


class logged:  # noqa: N801 # as contextlib's
    """What goes wrong in the bridge is logged, and nothing else: to save a row is more important.

    But for what has broken the transaction on the database ``using``: the save is lost, and is to say why.
    """

    __slots__ = ("_bridge", "_using")

    def __init__(self, bridge: Bridge, using: str | None = None) -> None:
        self._bridge = bridge
        self._using = using

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if not isinstance(error, Exception):
            return False
        if self._using is not None and breaks_transaction(error, self._using):
            return False
        _report([str(self._bridge)], error)
        return True


def _messages(bridge: Bridge, group: str, rows: list[Row], using: str) -> Iterator[Outgoing]:
    size = get_settings().model_rows_per_broadcast
    name = layer_group(bridge.model._meta.label, group)
    for start in range(0, len(rows), size):
        for payload in _pack(bridge, rows[start : start + size], using):
            yield Outgoing(bridge, group, Message(Kind.BATCH, name, payload))


def _pack(bridge: Bridge, rows: list[Row], using: str) -> Iterator[bytes]:
    try:
        yield pack([using, [[pk, event, [*changed], move, made] for pk, event, changed, move, made in rows]])
    except PayloadError as error:
        if len(rows) == 1:
            _report([str(bridge) if bridge.payload is None else _payload_of(bridge)], error)
            return
        # One row must not cost the others.
        for row in rows:
            yield from _pack(bridge, [row], using)


def _send(outgoing: Sequence[Outgoing]) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        for start in range(0, len(outgoing), AT_ONCE):
            together = outgoing[start : start + AT_ONCE]
            send_from_thread(*(item.message for item in together))
            for item in together:
                item.was_sent()
        return
    for item in outgoing:
        current_broker().bus.post(item.message).add_done_callback(partial(_settle, item))


def _settle(item: Outgoing, sent: asyncio.Future[None]) -> None:
    if sent.cancelled():
        return
    if (error := sent.exception()) is None:
        item.was_sent()
    else:
        _report([str(item.bridge)], error)


def _payload_of(bridge: Bridge) -> str:
    return f'"payload" of {bridge}'


def _report(where: Iterable[str], error: BaseException) -> None:
    logger.error(
        "%s: subscribers were not told of a change: %s: %s",
        " and ".join(where),
        type(error).__name__,
        error,
        exc_info=error,
    )
