"""Tables of situations as test parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest


def situations(table: Mapping[str, Any]) -> list[Any]:
    """One parameter set for each row: the key names the test, the value or tuple of values is what varies."""
    return [
        pytest.param(*(values if isinstance(values, tuple) else (values,)), id=situation)
        for situation, values in table.items()
    ]
