"""What a process is told to do with clients that it may serve: one kind of envelope, to all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

from ..broker.bus import Message
from ..broker.envelope import Kind
from ..broker.groups import group_name
from ..broker.process import send_from_thread
from ..conf import get_setting
from ..serialization import pack

IDS_PER_MESSAGE = 1_000
"""Ids that travel in one message: layers carry messages of some ten kilobytes well."""


class Action(StrEnum):
    """What is to be done."""

    END = "end"
    """End these subscriptions; clients get ``complete``."""
    DISCONNECT = "disconnect"
    """Close these connections."""
    BLOCK = "block"
    """Close all connections of these users, and let them open no other until a time."""
    UNBLOCK = "unblock"
    """Let these users connect again."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One thing to do, wherever it can be done; processes that do not know the ids do nothing."""

    action: Action
    ids: list[str]
    """Of subscriptions, connections or users, as the action asks for."""
    code: int = 0
    """What connections are closed with."""
    reason: str = ""
    until: float = 0
    """Unix time, in seconds, at which a block ends."""

    @classmethod
    def from_payload(cls, payload: Any) -> Instruction:
        """Raises ValueError for a payload of another form."""
        try:
            instruction = cls(**{**payload, "action": Action(payload["action"])})
        except (TypeError, KeyError) as error:
            raise ValueError(f"no instruction: {error}") from error
        if not all(isinstance(item, str) for item in instruction.ids):
            raise ValueError("an instruction whose ids are no text")
        return instruction

    def to_payload(self) -> Mapping[str, Any]:
        """What `from_payload` takes."""
        return {**asdict(self), "action": self.action.value}


def instruction_group() -> str:
    """The group in the channel layer that every process which serves clients is a member of."""
    return group_name(get_setting("group_name_prefix"), __name__, None)


def give(action: Action, ids: Iterable[object], **details: Any) -> int:
    """Sends instructions for all of these ids; returns when the channel layer has them, and how many ids there were.

    Raises BroadcastError if the layer fails, RunningLoopError on a running event loop.
    """
    names = map(str, ids)
    count = 0
    while chunk := list(islice(names, IDS_PER_MESSAGE)):
        instruction = Instruction(action, chunk, **details)
        send_from_thread(Message(Kind.INSTRUCTION, instruction_group(), pack(instruction.to_payload())))
        count += len(chunk)
    return count
