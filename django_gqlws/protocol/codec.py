"""JSON text to values and back: strict, exact, and fast where that is safe."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

import orjson

Default = Callable[[Any], Any]

_long_number = re.compile(r"[1-9][0-9]{18}").search

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is beyond all floats")
    return number


def decode(text: str) -> Any:
    """The value of a JSON text; integers keep every digit. Raises ValueError for anything else than one JSON value."""
    try:
        value = orjson.loads(text)
        # orjson turns integers over 64 bits into floats without a word.
        if not (_has_float(value) and _long_number(text)):
            return value
    except orjson.JSONDecodeError:
        pass  # The standard decoder has the last word: it takes lone surrogates and deeper nesting.
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("the nesting is too deep") from error


def _has_float(value: Any) -> bool:
    waiting: list[Any] = [[value]]
    for container in waiting:  # It grows meanwhile.
        for inner in container.values() if type(container) is dict else container:
            kind = type(inner)
            if kind is float:
                return True
            if kind is dict or kind is list:
                waiting.append(inner)
    return False


def encode(value: Any, default: Default | None = None) -> str:
    """Strict JSON text. ``default`` turns unknown types into known ones.

    Raises TypeError or ValueError for what cannot be JSON. NaN and infinities become null.
    """
    try:
        return orjson.dumps(value, default, _OPTIONS).decode()
    except (TypeError, RecursionError):
        pass  # Integers over 64 bits, lone surrogates: the standard encoder knows them.
    try:
        text = json.dumps(value, default=default, separators=(",", ":"))
        if "NaN" in text or "Infinity" in text:
            text = json.dumps(json.loads(text, parse_constant=lambda _: None), separators=(",", ":"))
        return text
    except RecursionError as error:
        raise ValueError("the nesting is too deep") from error
