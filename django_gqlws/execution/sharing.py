"""When two executions are sure to give the same result, and what they may share then."""

from __future__ import annotations

import decimal
import sys
from collections.abc import Container, Hashable, Iterator
from contextlib import suppress
from contextvars import Context, ContextVar
from functools import lru_cache
from operator import attrgetter
from typing import Any

from asgiref.sync import SyncToAsync

_TRACING = (
    ("opentelemetry.context", "_RUNTIME_CONTEXT._current_context"),
    ("sentry_sdk.scope", "_current_scope"),
    ("sentry_sdk.scope", "_isolation_scope"),
    ("ddtrace._trace.provider", "_DD_CONTEXTVAR"),
    ("elasticapm.context.contextvars", "ContextVarsContext.elasticapm_transaction_var"),
    ("elasticapm.context.contextvars", "ContextVarsContext.elasticapm_spans_var"),
)
"""Where tracing libraries keep the variables that are new for each connection and that no resolver reads.

Known by the object, not by its name: an application may use the same name for something that matters.
"""

# How asgiref finds its way between threads; it differs with what a task happened to do.
_PLUMBING = (SyncToAsync.deadlock_context, SyncToAsync.thread_sensitive_context)

# By their content; everything else by identity. Floats by their digits: 0.0 and -0.0 are equal numbers.
_SCALARS = (str, bytes, int, bool, type(None))


class _Same:
    """Equal to itself alone: what cannot be compared safely by its content."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._value is self._value

    def __hash__(self) -> int:
        return id(self._value)


def context_key(context: Context, left_out: Container[str] = ()) -> Hashable:
    """Equal for contexts in which every context variable has the same value.

    Nobody notices who reads a context variable, so they all count: language, time zone, a tenant. Tracing variables
    do not, nor those whose names are ``left_out``.
    """
    return frozenset(
        [
            (variable, _freeze(variable.name, value))
            for variable, value in context.items()
            if not _is_plumbing(variable) and variable.name not in left_out
        ]
    )


@lru_cache(maxsize=1024)
def _is_plumbing(variable: ContextVar[Any]) -> bool:
    return variable in _PLUMBING or variable in _tracing_variables()


def _tracing_variables() -> Iterator[Any]:
    for module, path in _TRACING:
        if module in sys.modules:
            with suppress(AttributeError):
                yield attrgetter(path)(sys.modules[module])


def _freeze(name: str, value: Any) -> Hashable:
    if name == "asgiref.local":
        # What Django's `Local`s hold is a new dict each time; its content counts.
        data = getattr(value, "data", value)
        if isinstance(data, dict):
            return frozenset((key, _freeze("", item)) for key, item in data.items())
    kind = type(value)
    if kind is decimal.Context:
        traps = frozenset(signal for signal, is_on in value.traps.items() if is_on)
        return kind, value.prec, value.rounding, value.Emin, value.Emax, value.capitals, value.clamp, traps
    if kind is float:
        return kind, repr(value)
    return (kind, value) if kind in _SCALARS else _Same(value)
