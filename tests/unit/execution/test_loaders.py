"""Data loaders that live as long as one execution, used on the event loop and in worker threads."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import graphene
import pytest
from asgiref.sync import async_to_sync
from graphene.utils.dataloader import DataLoader

from django_gqlws import on_loop
from django_gqlws.execution import workers
from django_gqlws.execution.context import OperationContext
from django_gqlws.execution.executor import Outcome, get_executor
from django_gqlws.execution.loaders import NO_LOADERS, Loaders
from tests.support.tables import situations
from tests.unit.execution.run import on_the_loop, prepare


class Doubles(DataLoader):  # type: ignore[misc]
    """Gives twice the key; `batches` are the keys that were loaded together."""

    made: list[Doubles] = []

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[int]] = []
        self.made.append(self)

    async def batch_load_fn(self, keys: list[int]) -> list[Any]:
        assert on_the_loop()
        self.batches.append(keys)
        return [2 * key if key >= 0 else ValueError("negative") for key in keys]


@pytest.fixture(autouse=True)
def nothing_made() -> None:
    Doubles.made.clear()


FACTORIES = {"doubles": Doubles, "others": Doubles}


async def test_a_loader() -> None:
    """It is made when it is first asked for, by attribute or item, and then it is always the same."""
    loaders = Loaders(FACTORIES)
    assert Doubles.made == []

    first = loaders.doubles

    assert loaders["doubles"] is first
    assert loaders.others is not first
    assert Doubles.made == [first, loaders.others]
    assert (list(loaders), "doubles" in loaders, "triples" in loaders) == (["doubles", "others"], True, False)


async def test_a_loader_that_is_not_declared() -> None:
    """The error says where to declare it, and which there are."""
    with pytest.raises(
        AttributeError, match=r"""no loader 'triples': declare it in GQLWS\["LOADERS"\]. There are: d"""
    ):
        Loaders(FACTORIES).triples  # noqa: B018
    with pytest.raises(KeyError, match="There is no loader"):
        NO_LOADERS["triples"]
    with pytest.raises(AttributeError, match="_private"):
        copy.copy(Loaders(FACTORIES))._private  # noqa: B018


async def test_fresh_loaders() -> None:
    """They have cached nothing; those that nobody has used are fresh already."""
    loaders = Loaders(FACTORIES)
    assert loaders.fresh() is loaders

    used = loaders.doubles

    assert loaders.fresh().doubles is not used


async def test_loads_in_worker_threads() -> None:
    """Loads of one job, and of jobs beside it, make one batch on the loop, where the loader lives."""
    loaders = Loaders(FACTORIES)

    def load(*keys: int) -> list[Any]:
        return [loaders.doubles.load(key) for key in keys]

    jobs = await asyncio.gather(workers.run(load, 1, 2), workers.run(load, 2, 3))

    assert [await asyncio.gather(*answers) for answers in jobs] == [[2, 4], [4, 6]]
    [loader] = Doubles.made
    assert sorted(key for batch in loader.batches for key in batch) == [1, 2, 3]
    assert len(loader.batches) <= 2


async def test_one_batch_for_a_job() -> None:
    """Nothing of it begins before the job is done with its thread."""
    loaders = Loaders(FACTORIES)

    def load() -> Any:
        loaders.doubles.prime(5, "primed")
        return loaders.doubles.load_many([1, 2]), loaders["doubles"].load(3), loaders.doubles.load(5)

    many, one, primed = await workers.run(load)

    assert (await many, await one, await primed) == ([2, 4], 6, "primed")
    assert Doubles.made[0].batches == [[1, 2, 3]]


async def test_a_load_that_fails_in_a_worker_thread() -> None:
    """Who awaits it gets the error; so does who calls what is not there."""
    loaders = Loaders(FACTORIES)

    failed, missing = await workers.run(lambda: (loaders.doubles.load(-1), loaders.doubles.no_method()))

    with pytest.raises(ValueError, match="negative"):
        await failed
    with pytest.raises(AttributeError, match="no_method"):
        await missing


async def test_a_load_that_nobody_waits_for_any_more() -> None:
    """The others that share it get their value."""
    loaders = Loaders(FACTORIES)
    first, second = await workers.run(lambda: (loaders.doubles.load(1), loaders.doubles.load(1)))

    first.cancel()

    assert await second == 2


async def test_a_thread_of_the_users_own() -> None:
    """Its loads are made on the loop as well."""
    loaders = Loaders(FACTORIES)

    answer = await asyncio.to_thread(lambda: loaders.doubles.load(4))

    assert await answer == 8


async def test_a_worker_thread_that_waits_for_its_load() -> None:
    """`async_to_sync` brings the value into sync code."""
    loaders = Loaders(FACTORIES)

    async def load() -> Any:
        return await loaders.doubles.load(4)

    assert await workers.run(async_to_sync(load)) == 8


# In operations


def plainly(root: Any, info: Any, key: int) -> Any:
    return info.context.loaders.doubles.load(key)


async def asynchronously(root: Any, info: Any, key: int) -> Any:
    return await info.context.loaders["doubles"].load(key)


RESOLVERS = {
    "a plain function": plainly,
    "a coroutine function": asynchronously,
    "a plain function on the loop": on_loop(lambda root, info, key: info.context.loaders.doubles.load(key)),
}


@pytest.mark.parametrize("resolve", situations(RESOLVERS))
async def test_a_resolver_that_loads(resolve: Any) -> None:
    """The loads of an execution are one batch; the next execution of the same operation has new loaders."""
    double = graphene.Field(graphene.Int, key=graphene.Int(), resolver=resolve)
    executor = get_executor(graphene.Schema(type("Query", (graphene.ObjectType,), {"double": double})), None, FACTORIES)
    operation = prepare(executor, "{ a: double(key: 1) b: double(key: 2) c: double(key: 1) }")
    context = OperationContext({}, "1", None, Loaders(executor.loaders))

    for _ in range(2):
        outcome = executor.execute(operation, {}, None, context)
        outcome = outcome if isinstance(outcome, Outcome) else await outcome
        assert (outcome.data, list(outcome.errors)) == ({"a": 2, "b": 4, "c": 2}, [])

    assert [[sorted(batch) for batch in loader.batches] for loader in Doubles.made] == [[[1, 2]], [[1, 2]]]


async def test_loaders_of_the_applications_own() -> None:
    """What it puts into the context stands there, whatever is declared."""
    context = OperationContext({}, "1", None, Loaders(FACTORIES))

    context.loaders = "own"
    context.renew_loaders()

    assert context.loaders == context["loaders"] == "own"
