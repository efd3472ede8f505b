"""The cursor that a row is read with before a save is kept, and goes with its connection."""

from __future__ import annotations

import pytest
from django.db import connections

from tests.project.models import Product, Supplier

from .conftest import Told

pytestmark = pytest.mark.usefixtures("bridged")


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_connection_that_is_lost_between_requests(told: Told, alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With CONN_HEALTH_CHECKS it is made anew also where a save is the first that a request does."""
    first, second = (Supplier.objects.using(alias).create(name=name) for name in "ab")
    product = Product.objects.using(alias).create(name="pen", supplier=first)
    product.save()
    connection = connections[alias]
    monkeypatch.setattr(connection, "health_check_enabled", True)
    monkeypatch.setattr(connection, "health_check_done", False)
    other = connection.copy()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()
    connection.health_check_done = False

    product.supplier = second
    product.save()

    assert told.words(group=f"supplier-{first.pk}")[-1] == "updated supplier left"
