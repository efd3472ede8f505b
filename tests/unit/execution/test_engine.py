"""Where resolvers run, and what that costs in thread hops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import graphene
import pytest
from graphene.utils.dataloader import DataLoader

from django_gqlws import on_loop
from tests.project.models import Product, Supplier
from tests.support.tables import situations
from tests.unit.execution.run import Hops, execute, on_the_loop, schema_of


def here() -> str:
    return "loop" if on_the_loop() else "worker"


class Item(graphene.Interface):
    plain = graphene.String(description="Read from its parent.")

    @classmethod
    def resolve_type(cls, instance: Any, info: Any) -> Any:
        return Thing


class Thing(graphene.ObjectType):
    class Meta:
        interfaces = [Item]

    sync_one = graphene.String()
    async_one = graphene.String()
    marked_one = graphene.String()
    thing = graphene.Field(lambda: Thing)
    sync_thing = graphene.Field(lambda: Thing)

    @staticmethod
    def resolve_sync_one(root: Any, info: Any) -> str:
        return here()

    @staticmethod
    async def resolve_async_one(root: Any, info: Any) -> str:
        return here()

    @staticmethod
    @on_loop
    def resolve_marked_one(root: Any, info: Any) -> str:
        return here()

    @staticmethod
    async def resolve_thing(root: Any, info: Any) -> Thing:
        return Thing(plain="a")

    @staticmethod
    def resolve_sync_thing(root: Any, info: Any) -> Thing:
        return Thing(plain="a")


class Supply(graphene.ObjectType):
    name = graphene.String()


class Good(graphene.ObjectType):
    name = graphene.String()
    supplier = graphene.Field(Supply)


class Query(Thing):
    plain = graphene.String()
    things = graphene.List(Thing)
    sync_things = graphene.List(Thing)
    item = graphene.Field(Item)
    goods = graphene.List(Good)
    good = graphene.Field(Good, loaded=graphene.Boolean(required=True))

    @staticmethod
    async def resolve_things(root: Any, info: Any) -> list[Thing]:
        return [Thing(plain=str(number)) for number in range(50)]

    @staticmethod
    def resolve_sync_things(root: Any, info: Any) -> list[Thing]:
        return [Thing(plain=str(number)) for number in range(50)]

    @staticmethod
    async def resolve_item(root: Any, info: Any) -> Thing:
        return Thing(plain="a")

    @staticmethod
    async def resolve_goods(root: Any, info: Any) -> Any:
        return Product.objects.order_by("pk")

    @staticmethod
    async def resolve_good(root: Any, info: Any, loaded: bool) -> Product:
        products = Product.objects.select_related("supplier") if loaded else Product.objects
        return await products.afirst()  # type: ignore[return-value]


log: list[str] = []


class Mutation(graphene.ObjectType):
    sync_step = graphene.String(name=graphene.String(required=True))
    async_step = graphene.String(name=graphene.String(required=True))

    @staticmethod
    def resolve_sync_step(root: Any, info: Any, name: str) -> str:
        log.append(name)
        return here()

    @staticmethod
    async def resolve_async_step(root: Any, info: Any, name: str) -> str:
        await asyncio.sleep(0)
        log.append(name)
        return here()


SCHEMA = schema_of(Query, mutation=Mutation)

DOCUMENTS = {
    "async": ("{ asyncOne }", 0),
    "marked": ("{ markedOne }", 0),
    "default": ("{ plain }", 0),
    "typename": ("{ __typename }", 0),
    "async below async": ("{ thing { asyncOne markedOne plain thing { asyncOne } } }", 0),
    "a list of async below async": ("{ things { asyncOne plain } }", 0),
    "sync": ("{ syncOne }", 1),
    "many sync side by side": ("{ a: syncOne b: syncOne c: syncOne }", 1),
    "sync below sync": ("{ syncThing { syncOne syncThing { syncOne plain } } }", 1),
    "a list of sync below sync": ("{ syncThings { syncOne syncThing { syncOne } } }", 1),
    "sync and async side by side": ("{ syncOne asyncOne markedOne }", 1),
    "async below sync": ("{ syncThing { asyncOne } }", 1),
    "sync below async": ("{ thing { syncOne } }", 1),
    "much sync below async": ("{ thing { a: syncOne b: syncOne syncThing { syncOne } } }", 1),
    "a list of sync below async": ("{ things { syncOne } }", 1),
    "sync below async below sync": ("{ syncThing { thing { syncOne } } }", 2),
    "sync in a fragment": ("{ thing { ...F } } fragment F on Thing { ... on Item { ... on Thing { syncOne } } }", 1),
    "sync below an interface": ("{ item { ... on Thing { syncOne } } }", 1),
    "async below an interface": ("{ item { plain ... on Thing { asyncOne } } }", 0),
    "a serial mutation, async": ('mutation { a: asyncStep(name: "a") b: asyncStep(name: "b") }', 0),
    "a serial mutation, sync": ('mutation { a: syncStep(name: "a") b: syncStep(name: "b") }', 1),
}


def places(value: Any, name: str = "") -> set[tuple[str, str]]:
    """Which resolvers say where they ran."""
    if isinstance(value, dict):
        return set().union(*(places(inner, key) for key, inner in value.items()))
    if isinstance(value, list):
        return set().union(*(places(inner, name) for inner in value))
    return {(name, value)} if value in ("loop", "worker") else set()


EXPECTED_PLACES = {"syncOne": {"worker"}, "asyncOne": {"loop"}, "markedOne": {"loop", "worker"}}


@pytest.mark.parametrize(("text", "expected"), situations(DOCUMENTS))
async def test_the_thread_hops_of_an_operation(hops: Hops, text: str, expected: int) -> None:
    """One where sync resolvers take part, none where not; each resolver runs where it belongs."""
    outcome = await execute(SCHEMA, text)

    assert not outcome.errors
    assert hops.count == expected
    for name, place in places(outcome.data):
        assert place in EXPECTED_PLACES.get(name, {"loop", "worker"})


async def test_an_operation_that_waits_for_nothing() -> None:
    """It is executed at once, without a task."""
    before = asyncio.all_tasks()

    outcome = await execute(SCHEMA, "{ plain markedOne thing: __typename }", root=Thing(plain="a"))

    assert outcome.data == {"plain": "a", "markedOne": "loop", "thing": "Query"}
    assert asyncio.all_tasks() == before


MUTATION = 'mutation { a: %s(name: "a") b: %s(name: "b") c: %s(name: "c") d: %s(name: "d") }'
KINDS = {
    "async first": ("asyncStep", "syncStep", "asyncStep", "syncStep"),
    "sync first": ("syncStep", "asyncStep", "syncStep", "asyncStep"),
    "all async": ("asyncStep",) * 4,
    "all sync": ("syncStep",) * 4,
}


@pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS)
async def test_the_fields_of_a_mutation(kinds: tuple[str, ...]) -> None:
    """They run one after the other, in the order of the document, whatever they are."""
    log.clear()

    outcome = await execute(SCHEMA, MUTATION % kinds)

    assert log == ["a", "b", "c", "d"]
    assert list(outcome.data or ()) == ["a", "b", "c", "d"]
    assert outcome.data == dict(zip("abcd", ("loop" if k == "asyncStep" else "worker" for k in kinds), strict=True))


CONDITIONS = {
    "on a root field": "query ($yes: Boolean!) { a: plain b: plain @include(if: $yes) }",
    "on a field below": "query ($yes: Boolean!) { thing { a: plain b: plain @include(if: $yes) } }",
    "on a fragment": "query ($yes: Boolean!) { thing { a: plain ... @include(if: $yes) { b: plain } } }",
    "on __typename": "query ($yes: Boolean!) { a: plain b: __typename @include(if: $yes) }",
    "below __schema": "query ($yes: Boolean!) { thing: __schema { a: __typename b: __typename @include(if: $yes) } }",
    "on __typename below": "query ($yes: Boolean!) { thing { a: plain b: __typename @include(if: $yes) } }",
}


@pytest.mark.parametrize("text", situations(CONDITIONS))
async def test_a_document_whose_fields_depend_on_variables(text: str) -> None:
    """Each execution has the fields that its own variables ask for."""
    for yes in (True, False, True):
        outcome = await execute(SCHEMA, text, {"yes": yes})

        assert outcome.data is not None
        assert ("b" in outcome.data.get("thing", outcome.data)) is yes


async def test_the_same_field_selected_twice() -> None:
    """What is selected below is merged, in every execution of the document."""
    for _ in range(2):
        outcome = await execute(SCHEMA, "{ item { plain } item { ... on Thing { asyncOne } } }")

        assert outcome.data == {"item": {"plain": "a", "asyncOne": "loop"}}


MISSING_ROOTS = {"mutation": "mutation { a }", "subscription": "subscription { a }"}


@pytest.mark.parametrize("text", situations(MISSING_ROOTS))
async def test_a_kind_of_operation_that_the_schema_lacks(text: str) -> None:
    """It is an error, not a crash."""
    outcome = await execute(schema_of(Thing), text)

    assert outcome.data is None
    assert "not configured" in str(outcome.errors[0])


@pytest.fixture
def shop(transactional_db: None) -> None:
    maker = Supplier.objects.create(name="maker")
    for number in range(3):
        Product.objects.create(name=f"pen {number}", supplier=maker)


ROWS = {
    "a queryset": ("{ goods { name } }", 1),
    "a queryset and a foreign key of each row": ("{ goods { name supplier { name } } }", 1),
    "a model": ("{ good(loaded: false) { name } }", 0),
    "a model and a foreign key": ("{ good(loaded: false) { name supplier { name } } }", 1),
    "a model and a foreign key that is loaded": ("{ good(loaded: true) { name supplier { name } } }", 0),
}


@pytest.mark.parametrize(("text", "expected"), situations(ROWS))
async def test_what_an_async_resolver_returns_lazily(hops: Hops, shop: None, text: str, expected: int) -> None:
    """It is read in a worker thread if reading it makes queries, all rows in one hop."""
    outcome = await execute(SCHEMA, text)

    assert not outcome.errors
    assert "pen 0" in str(outcome.data)
    assert ("maker" in str(outcome.data)) is ("supplier" in text)
    assert hops.count == expected


class Loading(graphene.ObjectType):
    number = graphene.Int(key=graphene.Int(required=True))
    async_number = graphene.Int(key=graphene.Int(required=True))
    children = graphene.List(lambda: Loading)

    @staticmethod
    def resolve_number(root: Any, info: Any, key: int) -> Awaitable[int]:
        return info.context.load(key)

    @staticmethod
    async def resolve_async_number(root: Any, info: Any, key: int) -> int:
        return await info.context.load(key)

    @staticmethod
    def resolve_children(root: Any, info: Any) -> list[Loading]:
        return [Loading(), Loading()]


class Numbers(DataLoader):
    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[int]] = []

    async def batch_load_fn(self, keys: list[int]) -> list[int]:
        self.batches.append(sorted(keys))
        return [key * 10 for key in keys]


LOADINGS = {
    "plain functions": ("{ a: number(key: 1) b: number(key: 2) c: number(key: 1) }", [[1, 2]]),
    "async functions": ("{ a: asyncNumber(key: 1) b: asyncNumber(key: 2) }", [[1, 2]]),
    "in a list": ("{ children { a: number(key: 1) b: number(key: 2) } }", [[1, 2]]),
}


@pytest.mark.parametrize(("text", "batches"), situations(LOADINGS))
async def test_a_data_loader(text: str, batches: list[list[int]]) -> None:
    """The keys of one step of the execution are loaded in one batch, also from plain functions."""
    loader = Numbers()

    outcome = await execute(schema_of(Loading), text, context=loader)

    assert not outcome.errors
    assert loader.batches == batches
    assert "10" in str(outcome.data)


async def sync_free(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
    result = resolve(root, info, **arguments)
    return f"[{await result if isinstance(result, Awaitable) else result}]"


def sync_around(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
    return f"({resolve(root, info, **arguments)})"


class AroundMethod:
    def resolve(self, resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
        return f"<{resolve(root, info, **arguments)}>"


MIDDLEWARE = {
    "none": ([], "syncOne", "worker", 1),
    "async around sync": ([sync_free], "syncOne", "[worker]", 2),
    "async around async": ([sync_free], "asyncOne", "[loop]", 0),
    "sync around sync": ([sync_around], "syncOne", "(worker)", 1),
    "sync around marked": ([sync_around], "markedOne", "(worker)", 1),
    "a class with a method": ([AroundMethod], "syncOne", "<worker>", 1),
    "an object with a method": ([AroundMethod()], "syncOne", "<worker>", 1),
    "the first is the closest to the resolver": ([sync_around, AroundMethod], "syncOne", "<(worker)>", 1),
}


@pytest.mark.parametrize(("middleware", "field", "result", "expected"), situations(MIDDLEWARE))
async def test_middleware(hops: Hops, middleware: list[Any], field: str, result: str, expected: int) -> None:
    """Sync middleware runs in a worker thread, async middleware on the loop."""
    outcome = await execute(SCHEMA, f"{{ {field} }}", middleware=middleware or None)

    assert not outcome.errors
    assert outcome.data == {field: result}
    assert hops.count == expected


async def test_an_operation_named_introspection_query() -> None:
    """It has to pass the middleware like any other."""
    outcome = await execute(SCHEMA, "query IntrospectionQuery { asyncOne }", middleware=[sync_free])

    assert outcome.data == {"asyncOne": "[loop]"}


class Failing(graphene.ObjectType):
    sync_one = graphene.String()
    async_one = graphene.String()
    required = graphene.String(required=True)

    @staticmethod
    def resolve_sync_one(root: Any, info: Any) -> str:
        raise ValueError("sync")

    @staticmethod
    async def resolve_async_one(root: Any, info: Any) -> str:
        raise ValueError("async")

    @staticmethod
    async def resolve_required(root: Any, info: Any) -> str:
        raise ValueError("required")


FAILURES: dict[str, tuple[str, object, list[str]]] = {
    "a sync resolver": ("{ syncOne }", {"syncOne": None}, ["sync"]),
    "an async resolver": ("{ asyncOne }", {"asyncOne": None}, ["async"]),
    "both": ("{ syncOne asyncOne }", {"syncOne": None, "asyncOne": None}, ["async", "sync"]),
    "a required field": ("{ asyncOne required }", None, ["async", "required"]),
}


@pytest.mark.parametrize(("text", "data", "messages"), situations(FAILURES))
async def test_a_resolver_that_raises(text: str, data: object, messages: list[str]) -> None:
    """The rest of the data is there, and each error says where it belongs."""
    outcome = await execute(schema_of(Failing), text)

    assert outcome.data == data
    assert sorted(error.message for error in outcome.errors) == messages  # type: ignore[attr-defined]
    assert all(error.path and error.locations for error in outcome.errors)  # type: ignore[attr-defined]
