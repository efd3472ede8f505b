"""The names of groups in the channel layer."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

Group = str | int | UUID
"""What users name a group by. Compared by its str: 42 and "42" are one group."""


@lru_cache(maxsize=4096)
def group_name(prefix: str, topic: str, group: str | None) -> str:
    """The layer's name for a topic (a subscription class) and one of its groups; None: all of the topic.

    Layers allow 100 ASCII characters: the readable parts are hashed.
    """
    parts = [topic] if group is None else [topic, group]
    # Each part with its length, so that no two pairs give one text.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return f"{prefix}-{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"
