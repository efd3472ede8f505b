"""JSON, strict and exact."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_gqlws.protocol.codec import decode, encode
from tests.support.tables import situations

NOT_JSON = {
    "empty text": "",
    "white space": " \n",
    "cut": '{"a": 1',
    "a byte order mark": '\ufeff{"a": 1}',
    "two values": "{} {}",
    "NaN": "NaN",
    "Infinity": '{"a": Infinity}',
    "negative Infinity": '{"a": -Infinity}',
    "NaN beside a long number": '{"a": NaN, "b": 12345678901234567890}',
    "a number beyond all floats": '{"a": 1e400}',
    "single quotes": "{'a': 1}",
    "a trailing comma": "[1,]",
    "a comment": "{} // no",
    "a control character": '"\n"',
    "a bare word": "nil",
    "a plus sign": "+1",
    "a leading zero": "01",
    "half an escape": '"\\u12"',
    "an integer of 5,000 digits": "9" * 5000,
    "100,000 open brackets": "[" * 100_000,
    "100,000 nested brackets": "[" * 100_000 + "]" * 100_000,
    "100,000 nested objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
}


@pytest.mark.parametrize("text", situations(NOT_JSON))
def test_what_is_not_json(text: str) -> None:
    """It is a ValueError and nothing else."""
    with pytest.raises(ValueError, match=r"\w"):
        decode(text)


EXACT = {
    "64 bits": 2**63 - 1,
    "64 bits without a sign": 2**64 - 1,
    "more than 64 bits": 2**64,
    "thirty digits": 10**30 + 7,
    "thirty digits below zero": -(10**30) - 7,
    "a lone surrogate": "a\ud800b",
    "an emoji": "🙂",
    "NUL": "\x00",
    "a long number in a text": "1" * 40,
    "an integer and a float": [12345678901234567890123, 0.1],
    "nested": [[[[{"a": [{}]}]]]],
}


@pytest.mark.parametrize("value", situations(EXACT))
def test_what_keeps_its_value(value: Any) -> None:
    """There and back, and so that any JSON parser agrees."""
    text = encode(value)

    assert decode(text) == value
    assert json.loads(text) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_any_json_value(value: Any) -> None:
    """It comes back as it went."""
    assert decode(encode(value)) == value


def reference(text: str) -> Any:
    """The value of a text by the standard library alone, or ValueError."""

    def refuse(name: str) -> NoReturn:
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


@given(st.text())
def test_any_text(text: str) -> None:
    """It has the value that the standard library sees in it, or is a ValueError."""
    try:
        expected = reference(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"\w"):
            decode(text)
    else:
        assert decode(text) == expected


def test_a_surrogate_that_is_not_escaped() -> None:
    """Text that no UTF-8 can carry is still one JSON value."""
    assert decode('["\ud800"]') == ["\ud800"]


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", [100, 300, 900])
def test_what_nests_deeper_than_the_fast_encoder_goes(depth: int) -> None:
    """The standard one takes over."""
    assert decode(encode(nested(depth))) == nested(depth)


def test_what_nests_too_deeply_to_be_encoded() -> None:
    """It is a ValueError, which says so."""
    with pytest.raises(ValueError, match="nesting"):
        encode(nested(100_000))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_lacks(number: float) -> None:
    """It becomes null, also beside what only the standard encoder knows."""
    assert json.loads(encode([number])) == [None]
    assert json.loads(encode([number, 10**30])) == [None, 10**30]


def test_unknown_types() -> None:
    """The default gives them a form, in both encoders."""
    assert encode({"price": Decimal("9.90")}, str) == '{"price":"9.90"}'
    assert encode({"price": Decimal("9.90"), "n": 10**30}, str) == '{"price":"9.90","n":1%s}' % ("0" * 30)


UNKNOWN = {"a function": len, "bytes": b"x", "a set": {1}, "a key": {(1, 2): 3}}


@pytest.mark.parametrize("value", situations(UNKNOWN))
def test_types_without_a_form(value: Any) -> None:
    """They are a TypeError."""
    with pytest.raises(TypeError):
        encode(value)


def test_a_value_that_contains_itself() -> None:
    """It is a ValueError."""
    circle: list[Any] = []
    circle.append(circle)

    with pytest.raises(ValueError, match=r"\w"):
        encode(circle)
