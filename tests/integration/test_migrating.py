"""What docs/migrating.md says is true."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import graphene
import pytest
from asgiref.sync import sync_to_async
from django.db.models.signals import post_save
from pytest_django import Settings

from django_gqlws import GraphqlWsConsumer
from django_gqlws.conf import RULES, get_settings
from tests.project import models
from tests.support.peers import Peer

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "migrating.md").read_text()


class Query(graphene.ObjectType):
    value = graphene.String()


def block_with(text: str) -> dict[str, Any]:
    """What the page's Python that has this text defines."""
    (block,) = [
        block for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) if text in block
    ]
    module: dict[str, Any] = {"__name__": "shop.schema"}
    exec(block, module)
    return module


def application(subscriptions: type) -> Any:
    """A consumer that serves these subscriptions and confirms them."""

    class Consumer(GraphqlWsConsumer):
        schema = graphene.Schema(query=Query, subscription=subscriptions)
        confirm_subscriptions = True

    return Consumer.as_asgi()


def test_the_settings_for_the_old_behaviour(settings: Settings) -> None:
    """They are settings that there are."""
    settings.GQLWS = block_with("ECHO_COMPLETE")["GQLWS"]

    assert get_settings().echo_complete


def test_the_attributes_of_a_consumer() -> None:
    """Those that are the same are there."""
    (row,) = re.findall(r"^\| attributes of a consumer: (.*?) \|", PAGE, re.MULTILINE)

    names = re.findall(r"`(\w+)`", row)

    assert names
    assert set(names) <= RULES.keys()


async def test_a_class_that_does_not_share() -> None:
    """Each subscriber has a number of its own."""
    ticket = block_with("class OnTicket")["OnTicket"]
    served = application(type("Subscriptions", (graphene.ObjectType,), {"on_ticket": ticket.Field()}))
    peers = [await Peer.connect(served) for _ in range(2)]
    for peer in peers:
        await peer.subscribe("1", "subscription { onTicket { number } }")

    await ticket.broadcast()

    first, second = [await peer.data("1", 1) for peer in peers]
    assert first != second
    for peer in peers:
        await peer.leave()


@pytest.fixture
def suppliers(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The module of the example for models, with the test project's models."""
    monkeypatch.setitem(sys.modules, "shop.models", models)
    module = block_with("post_save")
    yield module
    post_save.disconnect(module["supplier_saved"], sender=models.Supplier)


@pytest.mark.django_db(transaction=True)
async def test_models_that_are_saved(suppliers: dict[str, Any]) -> None:
    """Who listens hears of new rows, and of changes of the row that they asked for."""
    other = await models.Supplier.objects.acreate(name="Other")
    supplier = await models.Supplier.objects.acreate(name="Ann")
    peer = await Peer.connect(application(suppliers["Subscriptions"]))
    await peer.subscribe("created", "subscription { supplierCreated { name } }")
    await peer.subscribe("updated", f"subscription {{ supplierUpdated(id: {supplier.pk}) {{ id name }} }}")

    @sync_to_async
    def save() -> None:
        for changed in (other, supplier):
            changed.name += " & Co."
            changed.save()
        models.Supplier.objects.create(name="New")

    await save()

    assert await peer.data("updated", 1) == [{"supplierUpdated": {"id": str(supplier.pk), "name": "Ann & Co."}}]
    assert await peer.data("created", 1) == [{"supplierCreated": {"name": "New"}}]
    await peer.leave()


async def test_an_observable_of_ones_own() -> None:
    """It is an async generator."""
    peer = await Peer.connect(application(block_with("subscribe_hello")["Subscriptions"]))

    peer.start("1", "subscription { hello }")

    await peer.until(lambda _: peer.payloads("1") == [{"data": {"hello": "hello world!"}}])
    await peer.leave()
