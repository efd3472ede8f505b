"""What goes into a payload comes out: the same value of the same type."""

from __future__ import annotations

import enum
import math
from collections import Counter, OrderedDict, defaultdict, namedtuple
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgpack
import pytest
from django.utils import translation
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from django_gqlws.serialization import pack, unpack
from tests.project.models import Product

BERLIN = ZoneInfo("Europe/Berlin")
Point = namedtuple("Point", "x y")


class Colour(enum.Enum):
    RED = object()
    GREEN = "green"
    LEAF = GREEN


class Level(enum.IntEnum):
    LOW = 1


class Access(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


class FixedZone(tzinfo):
    """A time zone that is not zoneinfo's."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        return timedelta(hours=5)

    def dst(self, moment: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, moment: datetime | None) -> str:
        return "five"


def exactly(value: Any) -> Any:
    """The value with the types of everything in it, so that 1, True, 1.0 and (1,), [1] differ."""
    if isinstance(value, dict):
        return type(value), tuple((exactly(key), exactly(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return type(value), tuple(exactly(item) for item in value)
    if isinstance(value, (set, frozenset)):
        return type(value), frozenset(exactly(item) for item in value)
    if isinstance(value, (datetime, time)):
        return type(value), value.replace(tzinfo=None), value.utcoffset(), value.fold
    return type(value), repr(value) if isinstance(value, (float, Decimal)) else value


SAME = {
    "None": None,
    "true": True,
    "false": False,
    "zero": 0,
    "the largest native integer": 2**64 - 1,
    "an integer beyond 64 bits": 2**64,
    "a negative integer beyond 64 bits": -(2**63) - 1,
    "an integer of 5,000 digits": 10**5000,
    "float": 1.5,
    "negative zero": -0.0,
    "infinity": math.inf,
    "text": "žluťoučký 🐎 \0",
    "a lone surrogate": "\ud800",
    "lone surrogates among other text": {"\udfff": ["é", "\ud83d"]},
    "bytes": b"\x00\xff",
    "list": [1, [2, []]],
    "tuple": (1, "two"),
    "an empty tuple": (),
    "nested tuples": [(1, (2, [(3,)])), {"key": ((),)}],
    "dict": {"a": {"b": None}},
    "integer keys": {1: "one", 2**70: "large"},
    "tuple keys": {(1, ("a", b"b")): "tuple"},
    "keys of other types": {None: 1, 2.5: 2, b"b": 3, date(2026, 1, 2): 4, frozenset({1}): 5},
    "set": {1, "a", (2, 3)},
    "an empty set": set(),
    "frozenset": frozenset({frozenset({1}), 2}),
    "a naive datetime": datetime(2026, 1, 2, 3, 4, 5, 6),
    "an aware datetime": datetime(2026, 1, 2, tzinfo=UTC),
    "an odd offset": datetime(1900, 1, 1, tzinfo=timezone(timedelta(seconds=-12345, microseconds=6))),
    "the first datetime": datetime.min,
    "the last datetime": datetime.max,
    "the second 2:30 of the night": datetime(2026, 10, 25, 2, 30, fold=1),
    "date": date(2026, 2, 28),
    "time": time(1, 2, 3, 4, fold=1),
    "an aware time": time(1, 2, tzinfo=timezone(timedelta(hours=-3))),
    "timedelta": timedelta(days=-1, seconds=2, microseconds=3),
    "the longest timedelta": timedelta.max,
    "Decimal": Decimal("1.500"),
    "a large Decimal": Decimal("-1E+400"),
    "Decimal infinity": Decimal("-Infinity"),
    "Decimal NaN": Decimal("NaN"),
    "UUID": UUID("12345678-1234-5678-1234-567812345678"),
    "Enum": Colour.RED,
    "an Enum's alias": Colour.LEAF,
    "IntEnum": Level.LOW,
    "a combination of flags": Access.READ | Access.WRITE,
    "no flags": Access(0),
    "an Enum in a model": Product.Kind.DIGITAL,
    "Enums as keys": {Level.LOW: 1, Product.Kind.PAPER: 2},
    "a list that begins with an extended value": [Decimal(1), [UUID(int=1)], [(), ()]],
}


@pytest.mark.parametrize("value", SAME.values(), ids=SAME)
def test_round_trip(value: Any) -> None:
    """The value comes back as what it was, types included."""
    assert exactly(unpack(pack(value))) == exactly(value)


@pytest.mark.parametrize("value", SAME.values(), ids=SAME)
def test_round_trip_of_a_value_deep_inside(value: Any) -> None:
    """Lists, dicts and tuples carry every value."""
    payload = {"items": [{"value": (value, value)}]}

    assert exactly(unpack(pack(payload))) == exactly(payload)


class Text(str):
    def __str__(self) -> str:
        return "something else"


CHANGED = {
    "bytearray": (bytearray(b"a"), b"a"),
    "memoryview": (memoryview(b"a"), b"a"),
    "OrderedDict": (OrderedDict(a=1), {"a": 1}),
    "defaultdict": (defaultdict(list, a=[1]), {"a": [1]}),
    "Counter": (Counter("aab"), {"a": 2, "b": 1}),
    "namedtuple": (Point(1, 2), (1, 2)),
    "safe text": (mark_safe("<b>"), "<b>"),
    "a subclass of str": (Text("text"), "text"),
    "a subclass as a key": ({mark_safe("a"): 1}, {"a": 1}),
    "a subclass of int": (type("Number", (int,), {})(5), 5),
    "a subclass of float": (type("Real", (float,), {})(5), 5.0),
    "a subclass of datetime": (type("Moment", (datetime,), {})(2026, 1, 2), datetime(2026, 1, 2)),
    "a time zone of another library": (
        datetime(2026, 1, 2, tzinfo=FixedZone()),
        datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=5))),
    ),
    "a lazy object": (SimpleLazyObject(lambda: {"a": (1,)}), {"a": (1,)}),
    "a lazy object in a lazy object": (SimpleLazyObject(lambda: SimpleLazyObject(lambda: 1)), 1),
}


@pytest.mark.parametrize(("value", "expected"), CHANGED.values(), ids=CHANGED)
def test_a_relative_of_a_known_type(value: Any, expected: Any) -> None:
    """It travels as the known type."""
    assert exactly(unpack(pack(value))) == exactly(expected)


def test_a_lazy_string() -> None:
    """It is evaluated in the language of the sender."""
    # Given
    label = gettext_lazy("Yes")

    # When
    with translation.override("de"):
        packed = pack({"label": label, label: 1})

    # Then
    assert exactly(unpack(packed)) == exactly({"label": "Ja", "Ja": 1})


def test_a_datetime_in_a_named_zone() -> None:
    """It keeps the zone, not only the offset: adding days goes on to work across a clock change."""
    before, after = (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1))

    unpacked = unpack(pack([before, after, time(2, 30, tzinfo=BERLIN)]))

    assert [moment.tzinfo for moment in unpacked] == [BERLIN] * 3
    assert [moment.utcoffset() for moment in unpacked[:2]] == [timedelta(hours=2), timedelta(hours=1)]


def test_plain_values_are_plain_msgpack() -> None:
    """A payload that msgpack knows costs no byte more and can be read by anybody."""
    payload = {"id": 1, "text": "hi", "ok": True, "none": None, "tags": ["a", 1.5, b"c"]}

    assert pack(payload) == msgpack.packb(payload)


def test_packing_is_a_snapshot() -> None:
    """What changes after packing does not change the payload; each unpacking makes a copy of its own."""
    # Given
    payload = {"items": [1]}
    packed = pack(payload)

    # When
    payload["items"].append(2)
    unpack(packed)["items"].append(3)

    # Then
    assert unpack(packed) == {"items": [1]}


ZONES = (
    st.none() | st.just(UTC) | st.timezones() | st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone)
)
HASHABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False)
    | st.text(st.characters())  # surrogates too
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.datetimes(timezones=ZONES)
    | st.sampled_from([*Colour, *Level, *Access, *Product.Kind]),
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.frozensets(inner, max_size=4),
    max_leaves=8,
)
VALUES = st.recursive(
    HASHABLE | st.sets(HASHABLE, max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(HASHABLE, inner, max_size=4),
    max_leaves=16,
)


@given(VALUES)
def test_round_trip_of_anything(value: Any) -> None:
    """Any combination of the known types comes back as it was."""
    assert exactly(unpack(pack(value))) == exactly(value)
