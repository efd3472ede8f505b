"""The system checks of the bridge."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_gqlws import ModelSubscription, bridged
from django_gqlws.bridge.capture import connect, declared, find_bridge
from django_gqlws.bridge.checks import _subscription_problems, check_models
from tests.project.models import Product
from tests.support.tables import situations

CALLABLE = 5


def groups(product: Product) -> Iterable[str]:
    """A function for groups."""
    return []


def nothing() -> None:
    """A function that takes no argument."""


async def later(change: Any) -> None:
    """A function that nobody would await."""


DECLARATIONS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "defaults": ({"project.Product": {}}, []),
    "everything": (
        {
            "project.Product": {
                "groups": ["all", "pk-{pk}", "supplier-{supplier}-{supplier_id}"],
                "fields": ["name", "supplier_id", "tags"],
                "events": ["created"],
                "raw": True,
            }
        },
        [],
    ),
    "a function": ({"project.Product": {"groups": f"{__name__}.groups"}}, []),
    "a composite key": ({"project.Shelf": {"groups": ["shelf-{aisle}-{number}"]}}, []),
    "no such model": ({"project.Nothing": {}}, ["gqlws.E020"]),
    "no label": ({"Product": {}}, ["gqlws.E020"]),
    "a proxy": ({"project.Bestseller": {}}, ["gqlws.E020"]),
    "no such field": ({"project.Product": {"fields": ["colour"]}}, ["gqlws.E021"]),
    "a field that never travels": ({"auth.User": {"fields": ["password"]}}, ["gqlws.E021"]),
    "a template without such a field": ({"project.Product": {"groups": ["room-{room_id}"]}}, ["gqlws.E022"]),
    "a template over a relation": ({"project.Product": {"groups": ["{supplier.name}"]}}, ["gqlws.E022"]),
    "a template over several rows": ({"project.Product": {"groups": ["{tags}"]}}, ["gqlws.E022"]),
    "a template with a format": ({"project.Product": {"groups": ["{stock:03}"]}}, ["gqlws.E022"]),
    "a broken template": ({"project.Product": {"groups": ["{stock"]}}, ["gqlws.E022"]),
    "a path to nowhere": ({"project.Product": {"groups": "no.such.function"}}, ["gqlws.E023"]),
    "triggers": ({"project.Product": {"source": "triggers"}}, []),
    "triggers, a child": ({"project.Book": {"source": "triggers"}}, ["gqlws.E026"]),
    "triggers, a child's own fields": ({"project.Book": {"source": "triggers", "fields": ["pages"]}}, []),
    "a path to something else": ({"project.Product": {"groups": f"{__name__}.CALLABLE"}}, ["gqlws.E023"]),
    "a payload": ({"project.Product": {"payload": f"{__name__}.groups"}}, []),
    "a payload from nowhere": ({"project.Product": {"payload": "no.such.function"}}, ["gqlws.E025"]),
    "a payload that is no function": ({"project.Product": {"payload": f"{__name__}.CALLABLE"}}, ["gqlws.E025"]),
    "a payload without a change": ({"project.Product": {"payload": f"{__name__}.nothing"}}, ["gqlws.E025"]),
    "an async payload": ({"project.Product": {"payload": f"{__name__}.later"}}, ["gqlws.E025"]),
}


@pytest.mark.parametrize(("models", "ids"), situations(DECLARATIONS))
def test_a_declaration(models: dict[str, Any], ids: list[str]) -> None:
    """What is wrong is found, and says what to write."""
    with override_settings(GQLWS={"MODELS": models}):
        found = check_models()

    assert [message.id for message in found] == ids
    assert all(message.hint for message in found)


def test_a_wrong_declaration_at_run_time(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and costs no other model."""
    with override_settings(GQLWS={"MODELS": {"project.Nothing": {}, "project.Product": {}}}):
        assert find_bridge(Product).model is Product

    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    connect()


@pytest.fixture
def undeclared() -> Iterator[None]:
    """What a test declares next to a model ends with the test."""
    yield
    declared.clear()
    connect()


@pytest.mark.usefixtures("undeclared")
class TestNextToTheModel:
    def test_a_declaration(self) -> None:
        """It counts from then on."""
        assert bridged(groups=["all"], fields=["name"])(Product) is Product

        assert find_bridge(Product).reported == {"name": "name"}
        assert str(find_bridge(Product)) == "@bridged of project.Product"

    def test_the_settings_say_something_else(self) -> None:
        """They win."""
        bridged(fields=["name"])(Product)

        with override_settings(GQLWS={"MODELS": {"project.Product": {"fields": ["stock"]}}}):
            assert find_bridge(Product).reported == {"stock": "stock"}

    def test_a_value_of_the_wrong_type(self) -> None:
        """It is refused at once."""
        with pytest.raises(ImproperlyConfigured, match="@bridged of"):
            bridged(events=["changed"])(Product)

    def test_an_unknown_field(self, caplog: pytest.LogCaptureFixture) -> None:
        """It is a system check, which says where to look."""
        bridged(fields=["colour"])(Product)

        [message] = check_models()
        assert message.id == "gqlws.E021"
        assert message.msg.startswith("@bridged of project.Product: ")


class TestSubscriptions:
    def problems(self, **meta: Any) -> list[str]:
        """What the checks find about a subscription to products."""
        base = type("Base", (ModelSubscription,), {"Meta": type("Meta", (), {"abstract": True})})
        # Held, or it is gone before it is looked at.
        declared = type("OnProduct", (base,), {"Meta": type("Meta", (), {"model": Product, **meta})})
        found = [message.id for message in _subscription_problems(base)]
        del declared
        return found

    def test_all_is_well(self) -> None:
        """Each filter has a group."""
        with override_settings(GQLWS={"MODELS": {"project.Product": {}}}):
            assert self.problems() == []

    def test_no_bridge(self) -> None:
        """Nobody would notice a change."""
        assert self.problems() == ["gqlws.E024"]

    def test_a_filter_without_a_group(self) -> None:
        """It could never be used."""
        with override_settings(GQLWS={"MODELS": {"project.Product": {}}}):
            assert self.problems(filters=["pk", "supplier_id"]) == ["gqlws.W020"]


class TestDeclaringSubscriptions:
    def declare(self, **meta: Any) -> None:
        """Declare a subscription with that Meta; methods come along."""
        members = {name: meta.pop(name) for name in ("get_queryset", "permits") if name in meta}
        type("OnProduct", (ModelSubscription,), {"Meta": type("Meta", (), meta), **members})

    def test_without_a_model(self) -> None:
        """The error says what to write."""
        with pytest.raises(AssertionError, match="write `class Meta: model = Message`"):
            self.declare(filters=["pk"])

    def test_with_an_unknown_filter(self) -> None:
        """The error names it."""
        with pytest.raises(AssertionError, match=r"'colour': project\.Product has no column"):
            self.declare(model=Product, filters=["colour"])

    def test_with_a_queryset_alone(self) -> None:
        """Nobody would decide about rows that are gone."""
        with pytest.raises(AssertionError, match="needs permits"):
            self.declare(model=Product, get_queryset=classmethod(lambda cls, queryset, info: queryset))
