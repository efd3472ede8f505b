"""Results as JSON."""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.utils.functional import lazystr
from graphql import GraphQLError

from django_gqlws.execution.results import encode_errors, encode_result
from tests.project.models import Product
from tests.support.tables import situations

VALUES: dict[str, tuple[Any, Any]] = {
    "a date": (dt.date(2026, 1, 2), "2026-01-02"),
    "a datetime": (dt.datetime(2026, 1, 2, 3, 4, 5, 678901, dt.UTC), "2026-01-02T03:04:05.678Z"),
    "a time": (dt.time(3, 4, 5), "03:04:05"),
    "a timedelta": (dt.timedelta(days=1), "P1DT00H00M00S"),
    "a Decimal": (Decimal("9.90"), "9.90"),
    "a UUID": (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "a lazy string": (lazystr("text"), "text"),
    "a choice": (Product.Kind.PAPER, "paper"),
    "a tuple": ((1, 2), [1, 2]),
    "integers as keys": ({1: 2}, {"1": 2}),
    "a big integer": (10**30, 10**30),
    "a lone surrogate": ("\ud800", "\ud800"),
    "NaN": (float("nan"), None),
}


@pytest.mark.parametrize(("value", "expected"), situations(VALUES))
def test_a_value_of_a_resolver(value: Any, expected: Any) -> None:
    """It is written as Django writes it; there are no errors where there are none."""
    assert json.loads(encode_result({"a": value}, [], True, "")) == {"data": {"a": expected}}


def test_a_result_with_errors() -> None:
    """They stand beside the data."""
    text = encode_result({"a": None}, [GraphQLError("no", path=["a"])], True, "")

    assert json.loads(text) == {"data": {"a": None}, "errors": [{"message": "no", "path": ["a"]}]}


UNSPEAKABLE: dict[str, Any] = {"an object": object(), "bytes": b"x", "a set": {1}, "a tuple as a key": {(1, 2): 3}}


@pytest.mark.parametrize("value", situations(UNSPEAKABLE))
def test_a_value_that_json_lacks(caplog: pytest.LogCaptureFixture, value: Any) -> None:
    """It becomes an error of the result, and the log has the reason."""
    text = encode_result({"a": value}, [], True, "The operation")

    assert json.loads(text) == {"data": None, "errors": [{"message": "Internal server error"}]}
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith("The operation failed: TypeError: ")


def test_extensions_of_an_error_that_json_lacks() -> None:
    """The client gets an error all the same."""
    error = GraphQLError("no", extensions={"what": object()})

    result = json.loads(encode_result(None, [error], True, ""))
    errors = json.loads(encode_errors([error], True, ""))

    assert result == {"data": None, "errors": [{"message": "Internal server error"}]}
    assert errors == [{"message": "Internal server error"}]


def test_an_array_of_errors() -> None:
    """All of them, in order."""
    assert json.loads(encode_errors([GraphQLError("a"), GraphQLError("b")], True, "")) == [
        {"message": "a"},
        {"message": "b"},
    ]
