"""Whatever the document and the values are: the outcome is the one that graphql-core would have given."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable, Generator, Iterator
from typing import Any

import graphene
import pytest
from graphql import DocumentNode, GraphQLError, Undefined, parse
from graphql import execute as execute_by_graphql_core
from graphql.pyutils import is_awaitable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_gqlws import on_loop
from django_gqlws.execution.documents import Operation
from django_gqlws.execution.executor import get_executor

# An error in a required field abandons what was to be awaited beside it, here and there.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")


@pytest.fixture(autouse=True)
def abandoned() -> Iterator[None]:
    """Python notices what was abandoned, and warns, while that is expected."""
    yield
    gc.collect()


class Choice(graphene.Enum):
    ONE = 1
    TWO = "two"


class Item(graphene.InputObjectType):
    name = graphene.String(name="the_name")
    numbers = graphene.List(graphene.Int, default_value=[1])


class Animal(graphene.Interface):
    name = graphene.String()

    @classmethod
    def resolve_type(cls, instance: Any, info: Any) -> Any:
        return instance["species"]


class Dog(graphene.ObjectType):
    class Meta:
        interfaces = [Animal]

    barks = graphene.Int(required=True)


class Cat(graphene.ObjectType):
    class Meta:
        interfaces = [Animal]

    meows = graphene.Int()

    @classmethod
    def is_type_of(cls, instance: Any, info: Any) -> bool:
        return not instance.get("is_ill")


class Thing(graphene.ObjectType):
    text = graphene.String()
    number = graphene.Int()
    key = graphene.ID()
    ratio = graphene.Float()
    flag = graphene.Boolean()
    choice = Choice()
    day = graphene.Date()
    anything = graphene.JSONString()
    required = graphene.String(required=True)
    texts = graphene.List(graphene.NonNull(graphene.String))
    matrix = graphene.List(graphene.List(graphene.Int, required=True), required=True)
    thing = graphene.Field(lambda: Thing)
    needed = graphene.Field(lambda: Thing, required=True)
    things = graphene.List(lambda: Thing)
    animal = graphene.Field(Animal)
    animals = graphene.List(graphene.NonNull(Animal))
    later = graphene.Field(lambda: Thing)
    later_text = graphene.String(required=True)
    place = graphene.String()
    echo = graphene.String(
        text=graphene.String(default_value="default"),
        number=graphene.Int(),
        choice=Choice(),
        item=Item(),
        numbers=graphene.List(graphene.Int),
        needed=graphene.Int(required=True, name="must"),
    )

    @staticmethod
    async def resolve_later(root: Any, info: Any) -> Any:
        await asyncio.sleep(0)
        return read(root, "thing")

    @staticmethod
    async def resolve_later_text(root: Any, info: Any) -> Any:
        return read(root, "text")

    @staticmethod
    @on_loop
    def resolve_place(root: Any, info: Any) -> str:
        return f"{info.path.as_list()} {info.field_name} {info.parent_type} {info.return_type} {len(info.field_nodes)}"

    @staticmethod
    @on_loop
    def resolve_echo(root: Any, info: Any, **arguments: Any) -> str:
        return repr(arguments)


SCHEMA = graphene.Schema(query=Thing, types=[Dog, Cat])

LEAVES = ("text", "number", "key", "ratio", "flag", "choice", "day", "anything", "required", "texts", "matrix")
ODD = (None, Undefined, "text", 7, 2**40, 1.5, float("nan"), True, [], [None], ["a", None], [[1], None], {}, b"x")


class Row:
    """A value that is no dict: reading from it may fail."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        value = self._values.get(name)
        if isinstance(value, RuntimeError):
            raise value
        return value


def read(root: Any, name: str) -> Any:
    return root.get(name) if isinstance(root, dict) else getattr(root, name)


Recipe = Callable[[], Any]
"""Makes a value, a new one each time."""


class Awaitable:
    """No coroutine: nobody warns of one that is not awaited."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe

    def __repr__(self) -> str:
        return "awaitable"  # The same for both.

    def __await__(self) -> Generator[Any, Any, Any]:
        yield from asyncio.sleep(0).__await__()
        value = self._recipe()
        if isinstance(value, Exception):
            raise value
        return value


def awaited(recipe: Recipe) -> Recipe:
    return lambda: Awaitable(recipe)


def listed(recipes: list[Recipe], kind: Callable[[Any], Any]) -> Recipe:
    return lambda: kind(recipe() for recipe in recipes)


def thing_of(recipes: dict[str, Recipe], kind: Callable[[Any], Any]) -> Recipe:
    return lambda: kind({name: recipe() for name, recipe in recipes.items()})


odd_values = st.sampled_from(ODD).map(lambda value: lambda: value)
errors = st.sampled_from([ValueError, RuntimeError, GraphQLError]).map(lambda kind: lambda: kind("odd"))
animals = st.builds(
    lambda *values: lambda: dict(zip(("species", "name", "barks", "meows", "is_ill"), values, strict=True)),
    st.sampled_from(["Dog", "Cat", "Cat", "Thing", "Nothing", None]),
    st.sampled_from(["rex", None]),
    st.sampled_from([1, 1, None]),
    st.sampled_from([2, "odd"]),
    st.booleans(),
)


def roots(eventual: Callable[[st.SearchStrategy[Recipe]], st.SearchStrategy[Recipe]]) -> st.SearchStrategy[Recipe]:
    """Values for a thing, good and bad; ``eventual`` may make some of them awaitable."""

    def things_of(inner: st.SearchStrategy[Recipe]) -> st.SearchStrategy[Recipe]:
        lists = st.builds(listed, st.lists(inner, max_size=3), st.sampled_from([list, tuple, iter]))
        values = {
            **dict.fromkeys(LEAVES, eventual(odd_values | errors)),
            **dict.fromkeys(("thing", "needed"), eventual(inner)),
            "things": eventual(lists | odd_values),
            "animal": eventual(animals | odd_values),
            "animals": st.builds(listed, st.lists(eventual(animals), max_size=2), st.just(list)),
        }
        return st.builds(thing_of, st.fixed_dictionaries({}, optional=values), st.sampled_from([dict, dict, Row]))

    return st.recursive(odd_values | errors, things_of, max_leaves=6)


ECHOES = (
    "(must: 1)",
    "(must: $n)",
    "(must: 2, text: $t, number: $n)",
    '(must: 2, text: "t", choice: ONE)',
    "(must: 2, text: null, choice: $c)",
    '(must: 2, item: {the_name: "n"})',
    "(must: 2, item: $i, numbers: [1, $n])",
    "(must: 2, numbers: 3)",
)
CONDITIONS = ("", "", "", " @include(if: $a)", " @skip(if: $b)", " @include(if: true)", " @skip(if: true)")
OBJECTS = ("thing", "needed", "things", "a: thing")
conditions = st.sampled_from(CONDITIONS)
sync_fields = st.sampled_from([*LEAVES, "place", "__typename"])
async_fields = st.sampled_from([*LEAVES, "laterText", "place"])
echoes = st.builds("e{}: echo{}".format, st.integers(0, 9), st.sampled_from(ECHOES))
of_animals = st.sampled_from(["name", "... on Dog { barks }", "...C", "__typename", "... on Cat { meows place: name }"])


def selections(leaves: st.SearchStrategy[str], objects: tuple[str, ...]) -> st.SearchStrategy[str]:
    """What may be selected of a thing."""

    def selections_of(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        nested = st.builds("{} {{ {} }}".format, st.sampled_from(objects), inner)
        alive = st.lists(of_animals, min_size=1).map(" ".join)
        living = st.builds("{} {{ {} }}".format, st.sampled_from(["animal", "animals"]), alive)
        fragments = st.builds("... on Thing{} {{ {} }}".format, conditions, inner) | st.just("...F")
        fields = st.builds("{}{}".format, leaves | echoes, conditions) | nested | living | fragments
        return st.lists(fields, min_size=1, max_size=4).map(" ".join)

    return st.recursive(st.builds("{}{}".format, leaves, conditions), selections_of, max_leaves=8)


HEAD = "query ($a: Boolean!, $b: Boolean = false, $n: Int!, $t: String, $c: Choice, $i: Item)"
FRAGMENTS = """
fragment F on Thing { text thing { number @skip(if: $b) place } }
fragment C on Cat { meows @include(if: $a) }
"""
variables = st.fixed_dictionaries(
    {"a": st.booleans(), "n": st.integers(0, 3)},
    optional={
        "b": st.booleans(),
        "t": st.sampled_from(["t", None]),
        "c": st.sampled_from(["ONE", "TWO"]),
        "i": st.sampled_from([None, {}, {"the_name": "n", "numbers": [2]}]),
    },
)


async def around(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
    result = resolve(root, info, **arguments)
    return await result if is_awaitable(result) else result


Answer = tuple[str, list[Any]]
"""Data as JSON, so that the order of keys counts, and the errors."""


async def answers(operation: Operation, values: dict[str, Any], root: Recipe, middleware: Any) -> tuple[Answer, Answer]:
    """Ours and graphql-core's."""
    executor = get_executor(SCHEMA, middleware)
    coerced = operation.coerce_variables(values)
    assert isinstance(coerced, dict), coerced
    ours: Any = executor.execute(operation, coerced, root(), None)
    theirs: Any = execute_by_graphql_core(
        SCHEMA.graphql_schema,
        DocumentNode(definitions=[operation.node, *operation.fragments.values()]),
        root(),
        variable_values=values,
        middleware=middleware,
    )
    first, second = [await result if is_awaitable(result) else result for result in (ours, theirs)]
    return _answer(first), _answer(second)


def _answer(result: Any) -> Answer:
    return json.dumps(result.data), [error.formatted for error in result.errors or ()]


def prepare(selected: str) -> Operation:
    """An operation that is not validated: executing does not depend on it."""
    document = parse(f"{HEAD} {{ {selected} }} {FRAGMENTS}")
    [operation] = get_executor(SCHEMA, None).documents._operations(document).values()
    return operation


def nulled(answer: Answer) -> set[str]:
    """Where errors have left a null."""
    found = set()
    for error in answer[1]:
        value, place = json.loads(answer[0]), ""
        for key in error["path"]:
            if value is None:
                break
            value, place = value[key], f"{place}/{key}"
        found.add(place)
    return found


some_executions = st.lists(variables, min_size=1, max_size=3)
property_test = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@given(selections(sync_fields, OBJECTS), roots(lambda recipes: recipes), some_executions)
@property_test
def test_an_execution_that_waits_for_nothing(selected: str, root: Recipe, executions: list[dict[str, Any]]) -> None:
    """Data, its order and errors are the same with each set of variables, however often it was executed before."""
    operation = prepare(selected)

    async def run() -> None:
        for values in executions:
            ours, theirs = await answers(operation, values, root, None)

            assert ours == theirs

    asyncio.run(run())


@pytest.mark.parametrize("middleware", [None, [around]], ids=["without middleware", "with middleware"])
@given(
    selections(async_fields, (*OBJECTS, "later")),
    roots(lambda recipes: recipes | recipes | recipes.map(awaited)),
    some_executions,
)
@property_test
def test_an_execution_that_waits(
    middleware: Any, selected: str, root: Recipe, executions: list[dict[str, Any]]
) -> None:
    """The same, but that of several errors which leave the same null another one may be the first."""
    operation = prepare(selected)

    async def run() -> None:
        for values in executions:
            ours, theirs = await answers(operation, values, root, middleware)

            assert ours == theirs or (ours[0], nulled(ours)) == (theirs[0], nulled(theirs))

    asyncio.run(run())
