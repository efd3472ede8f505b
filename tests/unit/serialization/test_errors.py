"""What cannot be packed or unpacked: one kind of error, which says where and why."""

from __future__ import annotations

import enum
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgpack
import pytest
from django.db.models import F
from django.utils.functional import SimpleLazyObject
from hypothesis import given
from hypothesis import strategies as st

from django_gqlws.exceptions import GqlwsError, PayloadError
from django_gqlws.serialization import pack, unpack
from tests.project.models import Product


class Stranger:
    """A type nobody has heard of."""


class Shape(enum.Enum):
    ROUND = 1


def hidden_enum() -> enum.Enum:
    class Hidden(enum.Enum):
        ONE = 1

    return Hidden.ONE


def namesake() -> enum.Enum:
    other = enum.Enum("Shape", "ROUND", module=__name__)  # type: ignore[misc]
    return other.ROUND


def failing_lazy() -> object:
    def fail() -> None:
        raise ZeroDivisionError("not today")

    return SimpleLazyObject(fail)


PATHS = {
    "itself": (lambda it: it, "payload"),
    "in a dict": (lambda it: {"a": 1, "key": it}, 'payload["key"]'),
    "under a key with quotes": (lambda it: {'a"b': it}, r'payload["a\"b"]'),
    "under an integer": (lambda it: {1: it}, "payload[1]"),
    "under a tuple": (lambda it: {("a", 1): it}, "payload[('a', 1)]"),
    "in a list": (lambda it: [1, it], "payload[1]"),
    "in a tuple": (lambda it: (1, (it,)), "payload[1][0]"),
    "in a set": (lambda it: {"all": {it}}, 'payload["all"] (an item)'),
    "a key": (lambda it: {"a": {it: 1}}, 'payload["a"] (a key)'),
    "in a model": (
        lambda it: {"items": [1, 2, 3, Product(attributes={"x": it})]},
        'payload["items"][3].attributes["x"]',
    ),
    "in a lazy object": (lambda it: [SimpleLazyObject(lambda: {"a": it})], 'payload[0]["a"]'),
    "behind a circle": (lambda it: [circle(), it], "payload[1]"),
    "two times": (lambda it: {"a": [it], "b": it}, 'payload["a"][0]'),
}


def circle() -> list[Any]:
    """A small one, which the failing value is found behind."""
    return [[1]] * 2


@pytest.mark.parametrize(("around", "path"), PATHS.values(), ids=PATHS)
def test_an_unknown_type(around: Callable[[object], object], path: str) -> None:
    """The error names the path, the type, and what would do."""
    with pytest.raises(PayloadError) as caught:
        pack(around(Stranger()))

    message = str(caught.value)
    assert message.startswith(f"{path}: {__name__}.Stranger cannot be packed: make it one of None, bool, int")


REFUSED = {
    "a function": (len, "builtin_function_or_method cannot be packed"),
    "a class": (Stranger, "type cannot be packed"),
    "a generator": ((n for n in [1]), "generator cannot be packed"),
    "a complex number": (1j, "complex cannot be packed"),
    "an enum in a function": (hidden_enum(), "define it at the top of a module or class"),
    "an enum behind another's name": (namesake(), f"another enum has taken the name {__name__}.Shape"),
    "a lazy object that fails": (failing_lazy(), "cannot be packed: ZeroDivisionError: not today"),
    "a value that the database would compute": (
        Product(stock=F("stock") + 1),
        "payload.stock: django.db.models.expressions.CombinedExpression cannot be packed",
    ),
    "a manager": (Product.objects, "Manager cannot be packed"),
}


@pytest.mark.parametrize(("value", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_packed(value: object, message: str) -> None:
    """The error says what is wrong with it."""
    with pytest.raises(PayloadError) as caught:
        pack(value)

    assert message in str(caught.value)


def test_the_cause_of_a_failure_is_kept() -> None:
    """The traceback leads to the code that failed."""
    with pytest.raises(PayloadError) as caught:
        pack(failing_lazy())

    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_error_is_a_type_error_and_one_of_ours() -> None:
    """It is caught by who catches either."""
    assert issubclass(PayloadError, TypeError)
    assert issubclass(PayloadError, GqlwsError)


def nested(depth: int, wrap: Callable[[Any], Any]) -> Any:
    value: Any = "bottom"
    for _ in range(depth):
        value = wrap(value)
    return value


WRAPS: dict[str, Callable[[Any], Any]] = {
    "lists": lambda value: [value],
    "tuples": lambda value: (value,),
    "dicts": lambda value: {"a": value},
    "frozensets": lambda value: frozenset([value]),
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_nesting_that_packs_also_unpacks(wrap: Callable[[Any], Any]) -> None:
    """The limit is the sender's: no payload is accepted that no receiver can read."""
    for depth in range(1000, 1100):
        try:
            packed = pack(nested(depth, wrap))
        except PayloadError:
            break
        unpack(packed)
    else:
        pytest.fail("there is no limit")


def test_a_payload_that_contains_itself() -> None:
    """The error says so."""
    payload: list[Any] = []
    payload.append({"self": payload})

    with pytest.raises(PayloadError, match=r"^payload: list cannot be packed: .* It contains itself"):
        pack(payload)


def test_an_unknown_type_behind_a_circle() -> None:
    """The search for its path comes to an end."""
    circle: list[Any] = [Stranger()]
    circle.insert(0, circle)

    with pytest.raises(PayloadError):
        pack(circle)


def tagged(code: int, *parts: object) -> bytes:
    return msgpack.packb([msgpack.ExtType(code, b""), *parts])


SHAPE = [__name__, "Shape"]
CORRUPT = {
    "nothing": b"",
    "half a value": pack({"a": "text"})[:-1],
    "trailing bytes": pack(1) + b"\x00",
    "an invalid byte": b"\xc1",
    "text that is not UTF-8": b"\xa1\xff",
    "no bytes": "text",
    "an unhashable key": b"\x81\x90\x01",
    "an unknown extension": msgpack.packb(msgpack.ExtType(99, b"")),
    "a known extension with data": msgpack.packb(msgpack.ExtType(1, b"1")),
    "too few parts": tagged(5, "2026-01-01"),
    "too many parts": tagged(9, "1", None, "3"),
    "a wrong Decimal": tagged(9, "one"),
    "a wrong date": tagged(6, "yesterday"),
    "a timedelta out of range": tagged(8, 10**10, 0, 0),
    "a wrong UUID": tagged(10, b"short"),
    "a set of lists": tagged(3, []),
    "an unknown time zone": tagged(5, "2026-01-01", "Moon/Base", 0),
    "a time zone outside of the database": tagged(5, "2026-01-01", "../../etc/passwd", 0),
    "an unknown enum": tagged(11, __name__, "Missing", "ONE"),
    "an unknown member": tagged(11, *SHAPE, "SQUARE"),
    "an unknown value": tagged(11, *SHAPE, 99),
    "a class that is no enum": tagged(11, __name__, "Stranger", "ONE"),
    "a function as an enum": tagged(11, "os", "system", "true"),
    "a module as an enum": tagged(11, "os", "path.join", "true"),
    "a model that is not installed": tagged(12, "shop.Missing", None, False, {}, {}),
    "a model of no name": tagged(12, None, None, False, {}, {}),
    "a field's text that is wrong": tagged(12, "project.Product", None, False, {}, {"added": "yesterday"}),
    "fields that are no dict": tagged(12, "project.Product", None, False, 5, 5),
    "100,000 nested lists": b"\x91" * 100_000 + b"\x01",
    "100,000 nested tuples": b"\x92\xc7\x00\x02" * 100_000 + b"\x01",
    "a list longer than the data": b"\xdd\xff\xff\xff\xff\x01",
}


@pytest.mark.parametrize("data", CORRUPT.values(), ids=CORRUPT)
def test_what_cannot_be_unpacked(data: Any) -> None:
    """It is a PayloadError, whatever is wrong with it."""
    with pytest.raises(PayloadError, match=r"^payload: cannot be unpacked: \w+: "):
        unpack(data)


@given(st.binary(max_size=200))
def test_arbitrary_bytes(data: bytes) -> None:
    """They are unpacked or refused by a PayloadError."""
    with suppress(PayloadError):
        unpack(data)


EXAMPLE = pack({"when": [(1,), {2}], "product": Product(name="pen", code=None), "shape": Shape.ROUND})


@given(st.integers(0, len(EXAMPLE) - 1), st.integers(0, 255))
def test_a_payload_with_one_wrong_byte(position: int, byte: int) -> None:
    """It is unpacked or refused by a PayloadError."""
    with suppress(PayloadError):
        unpack(EXAMPLE[:position] + bytes([byte]) + EXAMPLE[position + 1 :])


def test_unpacking_imports_nothing() -> None:
    """An enum is only looked for in modules that are already there."""
    assert "this" not in sys.modules

    with pytest.raises(PayloadError, match="no enum Zen in an imported module this"):
        unpack(tagged(11, "this", "Zen", "ONE"))

    assert "this" not in sys.modules


def test_without_django_settings() -> None:
    """A plain script packs and unpacks plain values, and loads no database code for it."""
    script = """if True:
        import sys
        from decimal import Decimal
        from django_gqlws.exceptions import PayloadError
        from django_gqlws.serialization import pack, unpack
        assert unpack(pack({"a": (1, Decimal("1.0"))})) == {"a": (1, Decimal("1.0"))}
        assert "django.db" not in sys.modules
        try:
            pack([object()])
        except PayloadError as error:
            print(str(error).partition(":")[0], end="")
    """
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}

    answer = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)

    assert answer.stdout == "payload[0]"
