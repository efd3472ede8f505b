"""Who listens to a group: asked over the channel layer, answered by every process that serves clients."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from ..conf import get_settings
from ..exceptions import BroadcastError, PayloadError
from ..serialization import pack
from ..tasks import Tasks
from .bus import Bus, Message
from .envelope import Kind
from .event import Event
from .groups import group_name
from .layer import Layer, get_layer, new_channel

logger = logging.getLogger(__name__)

ANSWER_TYPE = "gqlws.census"
CHANNEL_PREFIX = "gqlws.census"

FIRST_ANSWER = 2.0
"""Seconds until it is certain enough that nobody answers: a process that is busy answers late."""

NEXT_ANSWER = 0.3
"""Seconds of silence after an answer that end the census: nobody knows how many processes there are."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one event loop of one process said."""

    host: str
    pid: int
    subscriptions: Mapping[str, int]
    """Live subscriptions by the layer's name of the group."""


def census_group() -> str:
    """The group in the channel layer that every hub is a member of."""
    return group_name(get_settings().group_name_prefix, __name__, None)


async def take_census(bus: Bus, groups: Sequence[str]) -> list[Answer]:
    """Who is there, and how many subscriptions they have to these groups. Takes a fraction of a second, 2 s if nobody
    answers. Raises BroadcastError if the channel layer fails."""
    layer = get_layer()
    try:
        channel = await new_channel(layer, CHANNEL_PREFIX)
    except Exception as error:
        raise BroadcastError(f"The channel layer gives no channel: {type(error).__name__}: {error}") from error
    await bus.post(Message(Kind.CENSUS, census_group(), pack({"groups": list(groups), "answer_to": channel})))
    answers: list[Answer] = []
    while True:
        try:
            async with asyncio.timeout(NEXT_ANSWER if answers else FIRST_ANSWER):
                message = await layer.receive(channel)
        except TimeoutError:
            return answers
        except Exception as error:
            raise BroadcastError(f"The channel layer gave no answer: {type(error).__name__}: {error}") from error
        if message.get("type") == ANSWER_TYPE:
            try:
                answers.append(Answer(message["host"], message["pid"], message["subscriptions"]))
            except KeyError:
                logger.error("An answer to a census was skipped: it is not in the form that this version knows.")


class Respondent:
    """A hub's member of the census group."""

    def __init__(self, count: Callable[[str], int], tasks: Tasks) -> None:
        self._count = count
        self._tasks = tasks

    def offer(self, event: Event) -> None:
        """Answers, if it is a census."""
        if event.kind is not Kind.CENSUS:
            return
        try:
            question = event.unpack()
            counted = {group: self._count(group) for group in question["groups"]}
            channel = question["answer_to"]
        except (PayloadError, TypeError, KeyError):
            logger.error("A census was skipped: it is not in the form that this version knows.")
            return
        self._tasks.start_soon(_answer(get_layer(), channel, counted), Context())


async def _answer(layer: Layer, channel: str, counted: dict[str, int]) -> None:
    answer: dict[str, Any] = {
        "type": ANSWER_TYPE,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "subscriptions": counted,
    }
    try:
        await layer.send(channel, answer)
    except Exception as error:
        logger.warning("A census was not answered, the channel layer failed: %r", error)
