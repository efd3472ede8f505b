"""What makes two subscriptions equal."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from contextvars import Context, ContextVar
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asgiref.local import Local
from django.utils import timezone, translation
from graphql import build_schema

from django_gqlws.execution.documents import DocumentCache
from django_gqlws.execution.sharing import context_key
from django_gqlws.execution.variables import Variables
from tests.support.tables import situations

VALUES: list[dict[str, Any]] = [
    {},
    {"x": None},
    {"x": 1},
    {"x": True},
    {"x": 1.0},
    {"x": "1"},
    {"x": 0.0},
    {"x": -0.0},
    {"x": 0},
    {"x": False},
    {"x": ""},
    {"x": []},
    {"x": {}},
    {"x": [[]]},
    {"x": "null"},
    {"x": 2**63},
    {"x": 2**64},
    {"x": 2**64 + 1},
    {"x": float(2**64)},
    {"x": "\ud800"},
    {"x": "\\ud800"},
    {"x": "\udc00"},
    {"x": "é"},
    {"x": "e\u0301"},
    {"y": 1},
    {"x": {"y": 1}},
    {"x": 1, "y": 1},
]


NAME_NOTHING = DocumentCache(build_schema("type Query { value: Int }")).find("{ value }").select(None)


def variables_key(values: dict[str, Any]) -> str:
    return Variables(NAME_NOTHING, values).key


def test_variables_that_differ() -> None:
    """Their keys differ."""
    keys = [variables_key(values) for values in VALUES]

    assert [VALUES[number] for number, key in enumerate(keys) if key in keys[:number]] == []


@pytest.mark.parametrize("values", VALUES)
def test_variables_that_are_equal(values: dict[str, Any]) -> None:
    """Their keys are equal and hashable."""
    assert hash(variables_key(dict(values))) == hash(variables_key(values))


def test_the_order_of_the_variables() -> None:
    """It makes no difference, on any level."""
    one = variables_key({"a": 1, "b": {"c": 1, "d": [{"e": 1, "f": 2}]}})
    other = variables_key({"b": {"d": [{"f": 2, "e": 1}], "c": 1}, "a": 1})

    assert one == other


variable: ContextVar[Any] = ContextVar("variable")
unrelated: ContextVar[Any] = ContextVar("unrelated")


def context_with(*actions: Callable[[], Any]) -> Context:
    context = Context()
    for action in actions:
        context.run(action)
    return context


def setting(value: Any, which: ContextVar[Any] = variable) -> Context:
    return context_with(lambda: which.set(value))


class AlwaysEqual:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


class Text(str):
    """Equal to a plain text, and yet something else."""


one_object = AlwaysEqual()
local, other_local = Local(), Local()
critical = Local(thread_critical=True)

SAME: dict[str, Callable[[], Context]] = {
    "nothing": Context,
    "a text": lambda: setting("a"),
    "a number": lambda: setting(7),
    "None": lambda: setting(None),
    "arithmetic with decimals": lambda: context_with(lambda: decimal.Decimal(1) / 3),
    "the same object": lambda: setting(one_object),
    "two variables": lambda: context_with(lambda: variable.set(1), lambda: unrelated.set(2)),
    "a Local": lambda: context_with(lambda: setattr(local, "user", "ann")),
    "a thread-critical Local": lambda: context_with(lambda: setattr(critical, "user", "ann")),
    "a language": lambda: context_with(lambda: translation.activate("fr")),
    "a time zone": lambda: context_with(lambda: timezone.activate("Europe/Paris")),
    "a time zone as an object": lambda: context_with(lambda: timezone.activate(ZoneInfo("Europe/Paris"))),
}


@pytest.mark.parametrize("make", situations(SAME))
def test_contexts_that_are_equal(make: Callable[[], Context]) -> None:
    """Their keys are equal and hashable."""
    one, other = context_key(make()), context_key(make())

    assert one == other
    assert hash(one) == hash(other)


DIFFERENT: dict[str, tuple[Callable[[], Context], Callable[[], Context]]] = {
    "set or not": (lambda: setting(None), Context),
    "another variable": (lambda: setting(1), lambda: setting(1, unrelated)),
    "another value": (lambda: setting("a"), lambda: setting("b")),
    "1 and True": (lambda: setting(1), lambda: setting(True)),
    "1 and 1.0": (lambda: setting(1), lambda: setting(1.0)),
    "text and bytes": (lambda: setting("a"), lambda: setting(b"a")),
    "a subclass": (lambda: setting("a"), lambda: setting(Text("a"))),
    "equal objects": (lambda: setting(AlwaysEqual()), lambda: setting(AlwaysEqual())),
    "equal lists": (lambda: setting([]), lambda: setting([])),
    "equal tuples": (lambda: setting((AlwaysEqual(),)), lambda: setting((AlwaysEqual(),))),
    "an attribute of a Local": (
        lambda: context_with(lambda: setattr(local, "user", "ann")),
        lambda: context_with(lambda: setattr(local, "user", "bob")),
    ),
    "another attribute": (
        lambda: context_with(lambda: setattr(local, "user", "ann")),
        lambda: context_with(lambda: setattr(local, "name", "ann")),
    ),
    "another Local": (
        lambda: context_with(lambda: setattr(local, "user", "ann")),
        lambda: context_with(lambda: setattr(other_local, "user", "ann")),
    ),
    "objects in a Local": (
        lambda: context_with(lambda: setattr(local, "user", AlwaysEqual())),
        lambda: context_with(lambda: setattr(local, "user", AlwaysEqual())),
    ),
    "the language": (
        lambda: context_with(lambda: translation.activate("fr")),
        lambda: context_with(lambda: translation.activate("de")),
    ),
    "no translation": (
        lambda: context_with(lambda: translation.activate("en")),
        lambda: context_with(translation.deactivate_all),
    ),
    "the time zone": (
        lambda: context_with(lambda: timezone.activate("Europe/Paris")),
        lambda: context_with(lambda: timezone.activate("Europe/Berlin")),
    ),
    "0.0 and -0.0": (lambda: setting(0.0), lambda: setting(-0.0)),
}


@pytest.mark.parametrize(("one", "other"), situations(DIFFERENT))
def test_contexts_that_differ(one: Callable[[], Context], other: Callable[[], Context]) -> None:
    """Their keys differ."""
    kept = one(), other()

    assert context_key(kept[0]) != context_key(kept[1])


def test_a_variable_that_is_left_out() -> None:
    """It counts for nothing, and the others count."""
    assert context_key(setting("a"), ["variable"]) == context_key(setting("b"), ["variable"])
    assert context_key(setting("a", unrelated), ["variable"]) != context_key(setting("b", unrelated), ["variable"])


@pytest.mark.parametrize("name", ["current_context", "nr_customer", "sentry_user"])
def test_a_variable_of_the_application_with_a_name_like_tracing(name: str) -> None:
    """It counts: a name says nothing about whose it is."""
    own: ContextVar[str] = ContextVar(name)

    assert context_key(setting("ann", own)) != context_key(setting("bob", own))
