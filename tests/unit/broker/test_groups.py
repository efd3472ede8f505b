"""The names of groups in the channel layer."""

from __future__ import annotations

import pytest
from channels.layers import BaseChannelLayer

from django_gqlws.broker.groups import group_name

PAIRS: dict[str, tuple[str, str | None]] = {
    "a topic": ("a.B", None),
    "a group without a name": ("a.B", ""),
    "a group": ("a.B", "room"),
    "another group": ("a.B", "room2"),
    "the same group of another topic": ("a.C", "room"),
    "parts that join to the same text": ("a.Br", "oom"),
    "a group that looks like a length": ("a.B", "4:room"),
    "a topic that looks like a pair": ("a.B4:room", None),
    "a lone surrogate": ("a.B", "\ud800"),
    "10,000 characters": ("a.B", "x" * 10_000),
    "an emoji": ("a.B", "🙂"),
}


def test_different_groups_have_different_names() -> None:
    """Whatever the texts of topic and group are."""
    names = {group_name("GQLWS", *pair) for pair in PAIRS.values()}
    names.add(group_name("OTHER", "a.B", None))

    assert len(names) == len(PAIRS) + 1


@pytest.mark.parametrize(("topic", "group"), PAIRS.values(), ids=PAIRS)
def test_a_name(topic: str, group: str | None) -> None:
    """Every layer takes it; it begins with the prefix and is the same each time."""
    name = group_name("p" * 50, topic, group)

    assert BaseChannelLayer().require_valid_group_name(name)
    assert name.startswith("p" * 50 + "-")
    assert name == group_name("p" * 50, topic, group)
