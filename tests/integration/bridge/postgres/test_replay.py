"""Random transactions, one after the other and side by side: who replays what was told has the same rows."""

from __future__ import annotations

import random
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import psycopg
import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.bridge.conftest import Told
from tests.integration.bridge.test_replay import Mirror, Step, steps, take
from tests.project.models import Product, Supplier

from .conftest import Follower

WRITERS, TRANSACTIONS, ROWS = 4, 60, 5


@given(st.lists(steps, max_size=6))
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_a_mirror(told: Told, relay: Follower, script: list[Step]) -> None:
    """After each transaction, whoever follows a group has exactly its rows."""
    Supplier.objects.using(relay.using).all().delete()
    Product.objects.using(relay.using).all().delete()
    relay.follow()
    told.messages.clear()
    mirrors = [Mirror("all"), *(Mirror(f"supplier-{pk}", supplier_id=pk) for pk in (1, 2))]

    for step in script:
        take(("block", True, [step]), relay.using)
        relay.follow()
        for mirror in mirrors:
            mirror.follow(told, relay.using)
        told.messages.clear()


def write(alias: str, seed: int) -> None:
    """Change a few rows at random, in transactions of several changes each; some fail or are rolled back."""
    dice = random.Random(seed)
    parameters = connections[alias].get_connection_params()
    known = {key: parameters[key] for key in ("host", "user", "dbname")}
    with closing(psycopg.connect(**known, options="-c deadlock_timeout=20ms")) as connection:
        for _ in range(TRANSACTIONS):
            with suppress(psycopg.errors.DeadlockDetected), connection.transaction(force_rollback=dice.random() < 0.2):
                for _ in range(dice.randint(1, 3)):
                    pk, stock = dice.randint(1, ROWS), dice.randint(1, 9)
                    statement = dice.choice([
                        "INSERT INTO project_product (id, name, kind, attributes, manual, preview, stock)"
                        f" VALUES ({pk}, 'cup', 'paper', '{{}}', '', '', {stock}) ON CONFLICT DO NOTHING",
                        f"UPDATE project_product SET stock = {stock} WHERE id = {pk}",
                        f"UPDATE project_product SET stock = {stock} WHERE id <= {pk}",
                        f"DELETE FROM project_product WHERE id = {pk}",
                    ])  # fmt: skip
                    connection.execute(statement)


def replayed(told: Told) -> set[Any]:
    """The rows that are there after all that was told; nothing is told that does not fit what was told before."""
    there: set[Any] = set()
    for row in told.rows():
        assert (row.pk in there) is (row.event != "created")
        if row.event == "created":
            there.add(row.pk)
        elif row.event == "deleted":
            there.remove(row.pk)
    return there


def relay_until(writing: list[Future[None]], alias: str, told: Told, dies: float) -> None:
    """Relay until everything is written and sent; now and then another relay goes on."""
    dice = random.Random(0)
    while True:
        with Follower(alias, told) as relay:
            relay.begin()
            while not all(one.done() for one in writing):
                relay.send_next(patience=0.05)
                if dice.random() < dies:
                    break
            else:
                relay.follow()
                return


@pytest.mark.parametrize("dies", [0, 0.1], ids=["one relay", "a new relay now and then"])
def test_writers_side_by_side(told: Told, alias: str, dies: float) -> None:
    """The changes of a row are told in the order in which they were committed, also when the relay changes."""
    with ThreadPoolExecutor() as pool:
        writing = [pool.submit(write, alias, seed) for seed in range(WRITERS)]
        relay_until(writing, alias, told, dies)
    for one in writing:
        one.result()

    assert len(told.rows()) > TRANSACTIONS
    assert replayed(told) == set(Product.objects.using(alias).values_list("pk", flat=True))
