"""The database connections of worker threads: closed, kept and replaced as Django does it for requests."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from typing import Any

import graphene
import pytest
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import DjangoDbBlocker

from django_gqlws import GraphqlWsConsumer
from tests.integration.serving import serving
from tests.integration.threads import in_thread
from tests.project.models import Supplier
from tests.support import services
from tests.support.client import Client, connect
from tests.support.notes import LIMIT
from tests.support.postgres import POSTGRES_HINT, PostgresServer, find_pg_ctl
from tests.support.tables import situations

SIDE_BY_SIDE = 8
"""Operations at once, so that several worker threads have a connection."""

used: defaultdict[BaseDatabaseWrapper, set[object]] = defaultdict(set)
"""The wrapper of each thread, with the connections that it has had while its resolvers ran."""


class Query(graphene.ObjectType):
    count = graphene.Int(alias=graphene.String(default_value="default"))
    async_count = graphene.Int(alias=graphene.String(default_value="default"))
    forgetful = graphene.Int(description="Opens a transaction by hand, writes, and forgets about it.")

    @staticmethod
    def resolve_count(root: object, info: Any, alias: str) -> int:
        count = Supplier.objects.using(alias).count()
        used[connections[alias]].add(connections[alias].connection)
        side_by_side.wait()
        return count

    @staticmethod
    async def resolve_async_count(root: object, info: Any, alias: str) -> int:
        return await Supplier.objects.using(alias).acount()

    @staticmethod
    def resolve_forgetful(root: object, info: Any) -> int:
        transaction.set_autocommit(False)
        Supplier.objects.create(name="forgotten")
        return Supplier.objects.count()


side_by_side = threading.Barrier(1)
"""Where the plain resolvers meet, each in a thread of its own."""


class Consumer(GraphqlWsConsumer):
    schema = graphene.Schema(query=Query)
    mask_errors = False


@pytest.fixture(autouse=True)
def closed_afterwards() -> Iterator[None]:
    """The threads outlive a test; their connections do not."""
    yield
    for wrapper in used:
        wrapper.inc_thread_sharing()
        wrapper.close()
        wrapper.dec_thread_sharing()
    used.clear()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """An acknowledged socket."""
    async with serving(Consumer.as_asgi()) as url, connect(url("")) as client:
        await client.init()
        yield client


async def count_side_by_side(client: Client, monkeypatch: pytest.MonkeyPatch, alias: str) -> list[dict[str, Any]]:
    """The answers to several counts, each in a worker thread of its own."""
    monkeypatch.setitem(globals(), "side_by_side", threading.Barrier(SIDE_BY_SIDE, timeout=LIMIT))
    for number in range(SIDE_BY_SIDE):
        await client.subscribe(str(number), "query ($alias: String!) { count(alias: $alias) }", {"alias": alias})
    received = [await client.receive() for _ in range(2 * SIDE_BY_SIDE)]
    return [one["payload"] for one in received if one["type"] == "next"]


@pytest.mark.django_db(transaction=True)
class TestAge:
    async def test_conn_max_age_0(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each connection is closed when its operation has left the thread."""
        monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)

        assert await count_side_by_side(client, monkeypatch, "default") == [{"data": {"count": 0}}] * SIDE_BY_SIDE

        assert len(used) == SIDE_BY_SIDE
        assert [wrapper.connection for wrapper in used] == [None] * SIDE_BY_SIDE

    async def test_conn_max_age_60(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each thread keeps its connection and uses it again."""
        monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 60)

        for _ in range(3):
            await count_side_by_side(client, monkeypatch, "default")

        for wrapper, had in used.items():
            assert had == {wrapper.connection}
            assert wrapper.connection is not None
            assert not wrapper.in_atomic_block

    async def test_conn_max_age_is_over(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """The connection is closed with the operation that finds it too old."""
        monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 60)
        await count_side_by_side(client, monkeypatch, "default")
        old = {wrapper: wrapper.connection for wrapper in used}
        for wrapper in used:
            wrapper.close_at = 0.0

        await count_side_by_side(client, monkeypatch, "default")

        for wrapper, connection in old.items():
            assert wrapper.connection is not connection

    async def test_a_resolver_forgets_its_transaction(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is rolled back when the operation leaves the thread: it locks nobody out and the next one is clean."""
        monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 60)

        assert await client.execute("1", "{ forgetful }") == {"data": {"forgetful": 1}}

        await in_thread(lambda: Supplier.objects.create(name="written at once"))
        assert await client.execute("1", "{ count }") == {"data": {"count": 1}}


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL that only this module uses."""
    with PostgresServer(find_pg_ctl() or services.give_up(POSTGRES_HINT)) as server:
        yield server


@pytest.fixture
def postgres(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, django_db_blocker: DjangoDbBlocker
) -> Iterator[PostgresServer]:
    """The PostgreSQL with a table of suppliers, as the database `postgres` with the options of the test."""
    like_default = {**connections.settings["default"], "TEST": {}, "OPTIONS": {}}
    connections.settings["postgres"] = {**like_default, **postgres_server.settings, **request.param}
    # Not the mark: that is for the databases of the settings.
    with django_db_blocker.unblock():
        with connections["postgres"].schema_editor() as editor:
            editor.create_model(Supplier)
        connections["postgres"].close()
        yield postgres_server
        with connections["postgres"].schema_editor() as editor:
            editor.delete_model(Supplier)
        connections["postgres"].close()
    del connections["postgres"]
    del connections.settings["postgres"]


@pytest.mark.parametrize(
    "postgres",
    situations(
        {
            "connections closed after each operation": {"CONN_MAX_AGE": 0},
            "kept and checked": {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True},
            "kept for good and checked": {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True},
        }
    ),
    indirect=True,
)
class TestTheDatabaseRestarts:
    async def test_plain_resolvers(
        self, postgres: PostgresServer, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The next operation works, in whatever thread it runs."""
        good = [{"data": {"count": 0}}] * SIDE_BY_SIDE
        assert await count_side_by_side(client, monkeypatch, "postgres") == good

        await asyncio.to_thread(postgres.restart)

        assert await count_side_by_side(client, monkeypatch, "postgres") == good

    async def test_the_async_orm(self, postgres: PostgresServer, client: Client) -> None:
        """The next operation works."""
        query = '{ asyncCount(alias: "postgres") }'
        assert await client.execute("1", query) == {"data": {"asyncCount": 0}}

        await asyncio.to_thread(postgres.restart)

        assert await client.execute("1", query) == {"data": {"asyncCount": 0}}

    async def test_operations_while_it_is_down(self, postgres: PostgresServer, client: Client) -> None:
        """They get an error, the socket stays, and afterwards they work again."""
        query = '{ count(alias: "postgres") }'
        assert await client.execute("1", query) == {"data": {"count": 0}}
        await asyncio.to_thread(postgres.stop)
        try:
            refused = await client.execute("1", query)
            assert refused["data"] == {"count": None}
            assert await client.barrier() == []
        finally:
            await asyncio.to_thread(postgres.start)

        assert await client.execute("1", query) == {"data": {"count": 0}}
