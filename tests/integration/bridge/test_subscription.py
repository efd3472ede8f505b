"""`ModelSubscription`, from the row that changes to the client."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import graphene
import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model, QuerySet
from pytest_django import Settings

from django_gqlws import ModelSubscription
from tests.integration import shop
from tests.integration.threads import in_thread
from tests.project.models import Product, Supplier
from tests.support.peers import Peer
from tests.support.sharing import Since, serve, subscribed

from .conftest import PRODUCT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bridged", "own_process")]

FIELDS = "{ event pk changed move row { name } }"
ALL = f"subscription {{ onEvent {FIELDS} }}"
SHELF = f"subscription ($of: ID) {{ onEvent(supplierId: $of) {FIELDS} }}"


def declare(row: Any = None, **members: Any) -> type[ModelSubscription]:
    """A subscription to products, with methods of a test's own."""
    filters = ["pk", "supplier_id"]
    meta = type("Meta", (), {"model": Product, "filters": filters, "select_related": ["supplier"], "row": row})
    return type("OnProduct", (ModelSubscription,), {"__module__": __name__, "Meta": meta, **members})


def told(event: str, product: Product, *changed: str, move: str | None = None, name: str | None = None) -> Any:
    """What a client gets."""
    row = {"name": product.name if name is None else name}
    return {"onEvent": {"event": event, "pk": str(product.pk), "changed": list(changed), "move": move, "row": row}}


async def create(**values: Any) -> Product:
    """A new product, created in a thread."""
    return await in_thread(lambda: Product.objects.create(**values))


async def test_created_updated_deleted() -> None:
    """Each commit is told, with the row as it is; of a deleted one, as it was."""
    client = await subscribed(serve(declare()), ALL)

    product = await create(name="cup")
    await client.data("1", 1)
    product.name = "mug"
    await in_thread(product.save)
    await client.data("1", 2)
    deleted = Product(pk=product.pk)
    await in_thread(product.delete)

    assert await client.data("1", 3) == [
        told("CREATED", deleted, name="cup"),
        told("UPDATED", deleted, "name", name="mug"),
        told("DELETED", deleted, name="mug"),
    ]


async def test_one_row() -> None:
    """Who gives a primary key is told of no other row."""
    cup, mug = await create(name="cup"), await create(name="mug")
    client = await subscribed(serve(declare()), f'subscription {{ onEvent(pk: "{mug.pk}") {FIELDS} }}')

    for product in (cup, mug):
        product.stock = 5
        await in_thread(product.save)

    assert await client.data("1", 1) == [told("UPDATED", mug, "stock")]


async def test_a_row_moves() -> None:
    """The old group is told that it left, with values from before; the new one that it entered."""
    old, new = await in_thread(lambda: [Supplier.objects.create(name=name) for name in "ab"])
    cup = await create(name="cup", supplier=old)
    consumer = serve(declare())
    behind = await subscribed(consumer, SHELF, {"of": str(old.pk)})
    ahead = await subscribed(consumer, SHELF, {"of": str(new.pk)})

    cup.supplier, cup.name = new, "mug"
    await in_thread(cup.save)

    assert await behind.data("1", 1) == [told("UPDATED", cup, "name", "supplier", move="LEFT", name="cup")]
    assert await ahead.data("1", 1) == [told("UPDATED", cup, "name", "supplier", move="ENTERED", name="mug")]


async def test_many_rows_of_one_transaction(settings: Settings) -> None:
    """They are split into broadcasts; a client gets one result for each row, in order."""
    settings.GQLWS = {**settings.GQLWS, "MODEL_ROWS_PER_BROADCAST": 4}
    client = await subscribed(serve(declare()), ALL)
    since = Since()

    def fill() -> list[Product]:
        with transaction.atomic():
            return [Product.objects.create(name=str(number)) for number in range(10)]

    products = await in_thread(fill)

    assert await client.data("1", 10) == [told("CREATED", product) for product in products]
    assert since.sent == 3 + 10  # To all, and to each row's own group.


async def test_the_queue_counts_broadcasts() -> None:
    """A limit of 2 holds two transactions, however many rows they have."""
    client = await subscribed(serve(declare(notification_queue_limit=2)), ALL)

    def fill() -> list[Product]:
        with transaction.atomic():
            return [Product.objects.create(name=str(number)) for number in range(20)]

    await in_thread(fill)

    assert len(await client.data("1", 20)) == 20


async def test_equal_subscribers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of a broadcast are read by one query, and each is executed once for all."""
    queries: list[str] = []
    monkeypatch.setattr(
        Product._default_manager, "using", lambda alias: (queries.append(alias), Product.objects.get_queryset())[1]
    )
    consumer = serve(declare())
    clients = [await subscribed(consumer, ALL) for _ in range(5)]
    since = Since()

    def fill() -> list[Product]:
        with transaction.atomic():
            return [Product.objects.create(name=str(number)) for number in range(3)]

    products = await in_thread(fill)

    for client in clients:
        assert await client.data("1", 3) == [told("CREATED", product) for product in products]
    assert since.executed == 3
    assert queries == ["default"]


async def test_a_row_that_is_gone_when_it_is_read() -> None:
    """It is skipped."""
    client = await subscribed(serve(declare()), ALL)

    def come_and_go() -> Product:
        with transaction.atomic():
            # Before anybody is told.
            transaction.on_commit(lambda: Product.objects.filter(name="cup").delete())
            Product.objects.create(name="cup")
        return Product.objects.create(name="mug")

    mug = await in_thread(come_and_go)

    assert await client.data("1", 1) == [told("CREATED", mug)]


async def test_a_row_that_has_moved_when_it_is_read() -> None:
    """Who is told of its old group is not shown what it has become in another one."""
    old, new = await in_thread(lambda: [Supplier.objects.create(name=name) for name in "ab"])
    cup = await create(name="cup", supplier=old)
    client = await subscribed(serve(declare()), SHELF, {"of": str(old.pk)})

    def change_and_move() -> None:
        with transaction.atomic():
            # Before anybody is told.
            elsewhere = Product._base_manager.filter(pk=cup.pk)
            transaction.on_commit(lambda: elsewhere.update(name="secret", supplier=new))
            cup.name = "mug"
            cup.save()

    await in_thread(change_and_move)
    last = await create(name="last", supplier=old)

    assert await client.data("1", 1) == [told("CREATED", last)]


class TestColumnsThatAreNotTold:
    """Those outside of `fields`, in the last values of a row."""

    class Card(graphene.ObjectType):
        name = graphene.String()
        stock = graphene.Int()

    QUERY = "subscription ($of: ID) { onEvent(supplierId: $of) { event move row { name stock } } }"

    async def read_last(self, settings: Settings, change: Callable[[Product, Supplier], Any]) -> Any:
        """What a client of the old group is told of a cup that changes."""
        entry = {"groups": ["supplier-{supplier_id}"], "fields": ["name", "supplier"]}
        settings.GQLWS = {**settings.GQLWS, "MODELS": {"project.Product": entry}}
        old, new = await in_thread(lambda: [Supplier.objects.create(name=name) for name in "ab"])
        cup = await create(name="cup", supplier=old, stock=1)
        client = await subscribed(serve(declare(self.Card)), self.QUERY, {"of": str(old.pk)})
        await in_thread(lambda: change(cup, new))
        # The first says that the subscription is confirmed.
        await client.until(lambda messages: len(client.payloads("1")) == 2)
        return client.payloads("1")[1]

    async def test_of_a_row_that_has_left(self, settings: Settings) -> None:
        """They are not what they have become elsewhere; the error names the key of the settings."""

        def move(cup: Product, new: Supplier) -> None:
            cup.supplier, cup.stock = new, 777
            cup.save()

        result = await self.read_last(settings, move)

        assert result["data"]["onEvent"] == {"event": "UPDATED", "move": "LEFT", "row": {"name": "cup", "stock": None}}
        assert '"fields"' in result["errors"][0]["message"]

    async def test_of_a_deleted_row(self, settings: Settings) -> None:
        """Likewise."""
        result = await self.read_last(settings, lambda cup, _: cup.delete())

        assert result["data"]["onEvent"] == {"event": "DELETED", "move": None, "row": {"name": "cup", "stock": None}}
        assert '"fields"' in result["errors"][0]["message"]


async def test_rows_that_not_everybody_may_see() -> None:
    """The queryset decides about rows, `permits` about what is told of them; each for its subscriber."""

    def get_queryset(cls: Any, queryset: QuerySet[Any], info: Any, **_: Any) -> QuerySet[Any]:
        return queryset.filter(name__startswith=info.context.channels_scope["user"])

    def permits(cls: Any, change: Any, info: Any, **_: Any) -> bool:
        return bool(change.row.name.startswith(info.context.channels_scope["user"]))

    consumer = serve(declare(get_queryset=classmethod(get_queryset), permits=classmethod(permits)))
    ann, bob = await subscribed(consumer, ALL, user="ann"), await subscribed(consumer, ALL, user="bob")

    products = [await create(name=name) for name in ("ann's", "bob's")]
    kept = [Product(pk=product.pk, name=product.name) for product in products]
    for client in (ann, bob):
        await client.data("1", 1)
    for product in products:
        await in_thread(product.delete)

    for client, product in zip((ann, bob), kept, strict=True):
        assert await client.data("1", 2) == [told("CREATED", product), told("DELETED", product)]


async def test_a_row_that_becomes_visible_after_it_was_read() -> None:
    """Who is shown a row is shown the values with which it was visible."""

    def get_queryset(cls: Any, queryset: QuerySet[Any], info: Any, **_: Any) -> QuerySet[Any]:
        # What another process may do at this moment.
        Product._base_manager.filter(name="secret").update(name="public")
        return queryset.filter(name="public")

    members = {
        "get_queryset": classmethod(get_queryset),
        "permits": classmethod(lambda cls, change, info, **_: True),
    }
    client = await subscribed(serve(declare(**members)), ALL)

    product = await create(name="secret")

    assert await client.data("1", 1) == [told("CREATED", product, name="public")]


async def test_an_argument_that_is_null() -> None:
    """It does not stand for all rows."""
    client = await Peer.connect(serve(declare()).as_asgi())

    client.start("1", f"subscription {{ onEvent(supplierId: null) {FIELDS} }}")
    await client.until(lambda messages: messages[-1]["type"] == "error")

    [error] = client.payloads("1")[0]
    assert error["message"] == "There is no group for null: give supplier_id a value, or leave it out."


def test_a_beginning() -> None:
    """The bridge has no row to begin with: the class is refused."""
    with pytest.raises(AssertionError, match=r"OnProduct has `initial`.*query"):
        declare(initial=staticmethod(lambda root, info, **_: None))


async def test_arguments_without_a_group() -> None:
    """The client is told what there are groups for."""
    client = await Peer.connect(serve(declare()).as_asgi())

    client.start("1", f'subscription {{ onEvent(pk: "1", supplierId: "1") {FIELDS} }}')
    await client.until(lambda messages: messages[-1]["type"] == "error")

    [error] = client.payloads("1")[0]
    assert error["message"] == (
        "There is no group for pk, supplier_id. There are groups for: no argument; pk; supplier_id."
    )


async def test_groups_from_a_function(settings: Settings) -> None:
    """It gets the row as it was and as it is."""

    def initials(product: Product) -> list[str]:
        return [f"initial-{product.name[0]}"]

    settings.GQLWS = {**settings.GQLWS, "MODELS": {"project.Product": {**PRODUCT, "groups": initials}}}
    subscription = declare(subscribe=staticmethod(lambda root, info, **_: ["initial-c"]))
    client = await subscribed(serve(subscription), ALL)

    cup = await create(name="cup")
    await client.data("1", 1)
    cup.name = "mug"
    await in_thread(cup.save)

    assert await client.data("1", 2) == [
        told("CREATED", cup, name="cup"),
        told("UPDATED", cup, "name", move="LEFT", name="cup"),
    ]


class Card(graphene.ObjectType):
    """What a payload may be, other than a product."""

    name = graphene.String()


class TestPayload:
    """What the settings make of a row travels in its place."""

    def use(self, settings: Settings, payload: Any, **options: Any) -> None:
        """Make it the payload of products."""
        entry = {**PRODUCT, "payload": payload, **options}
        settings.GQLWS = {**settings.GQLWS, "MODELS": {"project.Product": entry}}

    async def test_of_each_change(self, settings: Settings) -> None:
        """It gets the change with the row after it, or before it if there is none; the client gets what it returns."""
        self.use(settings, lambda change: {"name": f"{change.event} {change.row.name} {change.row.stock}"})
        client = await subscribed(serve(declare(Card)), ALL)

        cup = await create(name="cup", stock=1)
        cup.name = "mug"
        await in_thread(cup.save)
        await in_thread(Product(pk=cup.pk).delete)

        assert await client.data("1", 3) == [
            told("CREATED", cup, name="created cup 1"),
            told("UPDATED", cup, "name", name="updated mug 1"),
            told("DELETED", cup, name="deleted mug 1"),
        ]

    async def test_a_row_moves(self, settings: Settings) -> None:
        """The old group's is made of the values from before."""
        self.use(settings, lambda change: {"name": f"{change.move} {change.row.name}"})
        old, new = await in_thread(lambda: [Supplier.objects.create(name=name) for name in "ab"])
        cup = await create(name="cup", supplier=old)
        consumer = serve(declare(Card))
        behind = await subscribed(consumer, SHELF, {"of": str(old.pk)})
        ahead = await subscribed(consumer, SHELF, {"of": str(new.pk)})

        cup.supplier, cup.name = new, "mug"
        await in_thread(cup.save)

        assert await behind.data("1", 1) == [told("UPDATED", cup, "name", "supplier", move="LEFT", name="left cup")]
        assert await ahead.data("1", 1) == [
            told("UPDATED", cup, "name", "supplier", move="ENTERED", name="entered mug"),
        ]

    async def test_nothing(self, settings: Settings) -> None:
        """None: the change is not told."""
        self.use(settings, lambda change: None if change.row.name == "secret" else change.row)
        client = await subscribed(serve(declare()), ALL)

        await create(name="secret")
        mug = await create(name="mug")

        assert await client.data("1", 1) == [told("CREATED", mug)]

    async def test_a_type_of_its_own(self, settings: Settings) -> None:
        """`row` of the class says it; anything that can be packed travels."""
        self.use(settings, lambda change: len(change.row.name))
        client = await subscribed(serve(declare(graphene.Int)), "subscription { onEvent { row } }")

        await create(name="cup")

        assert await client.data("1", 1) == [{"onEvent": {"row": 3}}]

    async def test_rows_that_not_everybody_may_see(self, settings: Settings) -> None:
        """They are looked for in the queryset all the same."""
        self.use(settings, lambda change: {"name": "a card"})
        members = {
            "get_queryset": classmethod(lambda cls, queryset, info, **_: queryset.exclude(name="secret")),
            "permits": classmethod(lambda cls, change, info, **_: True),
        }
        client = await subscribed(serve(declare(Card, **members)), ALL)

        await create(name="secret")
        mug = await create(name="mug")

        assert await client.data("1", 1) == [told("CREATED", mug, name="a card")]

    @pytest.mark.parametrize("payload", [lambda change: change.row.nothing, lambda change: object()])
    async def test_troubles(self, caplog: pytest.LogCaptureFixture, settings: Settings, payload: Any) -> None:
        """One that raises, or that cannot be packed, costs its own row; the log names setting and key."""

        def only_for_cups(change: Any) -> Any:
            return payload(change) if change.row.name == "cup" else change.row

        self.use(settings, only_for_cups, groups=["all"])
        client = await subscribed(serve(declare()), ALL)

        def fill() -> list[Product]:
            with transaction.atomic():
                return [Product.objects.create(name=name) for name in ("cup", "mug")]

        cup, mug = await in_thread(fill)

        assert await client.data("1", 1) == [told("CREATED", mug)]
        assert await Product.objects.filter(pk=cup.pk).aexists()
        [record] = caplog.records
        assert record.levelno == logging.ERROR
        assert '"payload" of GQLWS["MODELS"]["project.Product"]' in record.getMessage()


def schema_for(model: type[Model]) -> str:
    """The schema of a subscription to a model."""
    meta = type("Meta", (), {"model": model})
    subscription = type("OnRow", (ModelSubscription,), {"__module__": __name__, "Meta": meta})
    return str(graphene.Schema(query=type("Query", (graphene.ObjectType,), {"on_row": subscription.Field()})))


async def test_a_generated_type() -> None:
    """Without a type of graphene-django's, the columns are its fields."""
    assert "type GroupRow {\n  id: ID!\n  name: String!\n}" in schema_for(Group)


async def test_a_type_of_graphene_django() -> None:
    """It is taken, if there is one."""
    assert "row: SupplierType" in schema_for(shop.SupplierType._meta.model)


class TestTroubles:
    async def test_a_broadcast_by_hand(self) -> None:
        """It is refused where it is sent; the subscribers hear nothing of it."""
        subscription = declare()

        with pytest.raises(TypeError, match="takes no broadcast of its own"):
            subscription.broadcast(group="all", payload={"name": "cup"})
        with pytest.raises(TypeError, match="takes no broadcast of its own"):
            await subscription.broadcast_async(group="all")
        with pytest.raises(TypeError, match="takes no broadcast of its own"):
            await in_thread(subscription.broadcast_sync)

    async def test_the_layer_is_down(self, caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
        """The row is saved, and the log names the setting."""
        settings.CHANNEL_LAYERS = {}

        product = await create(name="cup")

        assert await Product.objects.filter(pk=product.pk).aexists()
        [record] = caplog.records
        assert record.levelno == logging.ERROR
        assert 'GQLWS["MODELS"]["project.Product"]' in record.getMessage()

    async def test_a_function_that_raises(self, caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
        """Likewise."""

        def broken(product: Product) -> list[str]:
            raise ValueError("no group today")

        settings.GQLWS = {**settings.GQLWS, "MODELS": {"project.Product": {**PRODUCT, "groups": broken}}}

        await create(name="cup")

        [record] = caplog.records
        assert "no group today" in record.getMessage()
        assert 'GQLWS["MODELS"]["project.Product"]' in record.getMessage()

    async def test_a_function_that_returns_one_name(self, caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
        """The log says what to write; its letters are no groups."""
        entry = {**PRODUCT, "groups": lambda product: "room-5"}
        settings.GQLWS = {**settings.GQLWS, "MODELS": {"project.Product": entry}}

        await create(name="cup")

        [record] = caplog.records
        assert "write ['room-5']" in record.getMessage()
