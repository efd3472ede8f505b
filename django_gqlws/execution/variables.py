"""The variables of an operation that is executed more than once."""

from __future__ import annotations

from typing import Any

import orjson
from graphql import GraphQLError

from ..protocol.codec import decode, encode
from .documents import Operation

_IMMUTABLE = frozenset({str, int, float, bool, type(None)})


class Variables:
    """Coerced variables, fresh for each execution: what one writes into them must not reach another.

    Raises VariableErrors.
    """

    __slots__ = ("_operation", "_values", "key")

    def __init__(self, operation: Operation, raw: dict[str, Any]) -> None:
        self.key = _canonical(raw)
        """The raw variables as canonical JSON: 1, true and 1.0 differ, the order of keys does not matter."""
        self._operation = operation
        values = self._coerce(raw)
        self._values = values if _IMMUTABLE.issuperset(map(type, values.values())) else None

    def fresh(self) -> dict[str, Any]:
        """A copy of one's own."""
        return self._coerce(decode(self.key)) if self._values is None else self._values.copy()

    def _coerce(self, raw: dict[str, Any]) -> dict[str, Any]:
        values = self._operation.coerce_variables(raw)
        if isinstance(values, list):
            raise VariableErrors(values)
        return values


class VariableErrors(Exception):
    """The variables are not what the document declares."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors)
        self.errors = errors


def _canonical(raw: dict[str, Any]) -> str:
    try:
        return orjson.dumps(raw, option=orjson.OPT_SORT_KEYS).decode()
    except (TypeError, RecursionError):
        return encode(raw)  # Integers over 64 bits, lone surrogates: at worst the order of keys matters.
