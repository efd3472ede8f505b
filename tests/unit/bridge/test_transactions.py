"""The changes of a row in one transaction, put together."""

from __future__ import annotations

from typing import Any

from django.test import override_settings

from django_gqlws.bridge.capture import find_bridge
from django_gqlws.bridge.transactions import Change
from tests.project.models import Product


def change(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Change:
    """A change of one product."""
    with override_settings(GQLWS={"MODELS": {"project.Product": {}}}):
        return Change(find_bridge(Product), 1, before, after)


OLD, NEW = {"pk": 1, "name": "cup"}, {"pk": 1, "name": "mug"}


def test_a_row_that_is_still_there_while_it_is_deleted() -> None:
    """What changes it between the signal and the deletion does not bring it back."""
    deleted = change(OLD, None)

    assert deleted.then(change(OLD, NEW)).after is None


def test_a_row_that_is_created_again() -> None:
    """It is there."""
    deleted = change(OLD, None)

    assert deleted.then(change(None, NEW)).after == NEW
