"""Close codes and reasons: what fits into a close frame."""

from __future__ import annotations

import pytest

from django_gqlws.protocol import close
from django_gqlws.protocol.close import MAX_REASON_BYTES, Close, fit_reason
from tests.support.tables import situations

CUT = {
    "nothing": ("", ""),
    "what just fits": ("x" * 123, "x" * 123),
    "one byte too many": ("x" * 124, "x" * 123),
    "two-byte characters": ("é" * 100, "é" * 61),
    "emoji": ("x" + "🙂" * 40, "x" + "🙂" * 30),
    "an emoji that just fits": ("xxx" + "🙂" * 30, "xxx" + "🙂" * 30),
    "a lone surrogate": ("a\ud800b", "a?b"),
}


@pytest.mark.parametrize(("text", "reason"), situations(CUT))
def test_a_reason_is_cut_between_characters(text: str, reason: str) -> None:
    """What is left is valid UTF-8 of at most 123 bytes."""
    assert fit_reason(text) == reason
    assert len(reason.encode()) <= MAX_REASON_BYTES


CONSTANTS = {name: value for name, value in vars(close).items() if isinstance(value, Close)}


@pytest.mark.parametrize("value", CONSTANTS.values(), ids=CONSTANTS)
def test_every_close_of_the_protocol(value: Close) -> None:
    """Its code is one that an application may send, and its reason is no other than the one it was given."""
    assert value.code == 1000 or 4000 <= value.code <= 4999
    assert value.reason == fit_reason(value.reason)


def test_another_reason_for_the_same_code() -> None:
    """It is cut as well, and the constant stays as it is."""
    told = close.FORBIDDEN.because("no " * 100)

    assert (told.code, len(told.reason)) == (4403, 123)
    assert close.FORBIDDEN.reason == "Forbidden"


def test_the_id_in_the_reason_of_4409() -> None:
    """It is named as the reference server names it, a long one cut."""
    assert close.subscriber_exists("7") == Close(4409, "Subscriber for 7 already exists")
    assert close.subscriber_exists("7" * 500).reason == "Subscriber for " + "7" * 108
