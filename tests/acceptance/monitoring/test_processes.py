"""The registry of two server processes with one database, and what can be done to their clients from a third one."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db.models import F

from django_gqlws import monitoring
from django_gqlws.monitoring import Connection, Process, Subscription
from tests.support.client import connect, is_let_in
from tests.support.server import Server

from .serving import (
    DOCUMENT,
    LEASE,
    PATIENCE,
    TOPIC,
    environment,
    eventually,
    logged_in,
    subscriber,
    subscriptions,
    told,
)

LEAVING = "tests.acceptance.monitoring.asgi:application"

pytestmark = pytest.mark.django_db(transaction=True)


async def test_who_listens_where_is_seen_and_what_is_secret_is_not(servers: tuple[Server, Server]) -> None:
    """Each process writes its own; markup, a NUL and a 1 MiB document disturb nobody."""
    hostile = "<script>alert(1)</script>\0\ud800"
    document = DOCUMENT + "#" + "x" * 1_040_000
    variables = {"group": "room", "key": None, "password": "hunter2", hostile: {"apiToken": "t", "ok": hostile}}
    eve = await User.objects.acreate(username="eve")
    async with subscriber(servers[0], "room", "<b>", eve) as one, connect(servers[1].ws_url) as two:
        await two.init()
        await two.send(id="2", type="subscribe", payload={"query": document, "variables": variables})

        found = await eventually(lambda: len(rows := subscriptions("room")) == 2 and rows)

        by_id = {row.operation_id: row for row in found}
        assert {row.process.pid for row in found} == {server.pid for server in servers}
        assert (by_id["<b>"].connection.user, by_id["<b>"].connection.user_label) == (str(eve.pk), "eve")
        assert by_id["<b>"].connection.address == "127.0.0.1"
        assert (by_id["<b>"].field, by_id["<b>"].topic, by_id["<b>"].operation_name) == ("onMessage", TOPIC, "Watch")
        assert by_id["<b>"].variables == {"group": "room"}
        assert len(by_id["2"].document) <= 10_000
        assert "hunter2" not in json.dumps(by_id["2"].variables)
        await told("room", one, two)
        await eventually(lambda: [row.delivered for row in subscriptions("room")] == [1, 1])
        (group,) = await sync_to_async(lambda: list(monitoring.groups("room")))()
        assert (group["subscriptions"], group["processes"]) == (2, 2)


async def test_a_subscription_is_ended_in_whatever_process_it_lives(servers: tuple[Server, Server]) -> None:
    """Its client gets `complete`; the other one goes on."""
    async with subscriber(servers[0], "end", "stays") as stays, subscriber(servers[1], "end", "goes") as goes:
        found = await eventually(lambda: len(rows := subscriptions("end")) == 2 and rows)

        ids = [row.pk for row in found if row.operation_id == "goes"]
        assert await sync_to_async(monitoring.end)(ids) == 1

        assert await goes.receive() == {"id": "goes", "type": "complete"}
        await told("end", stays)
        await eventually(lambda: [row.operation_id for row in subscriptions("end")] == ["stays"])


@pytest.mark.parametrize(("may_reconnect", "code"), [(True, 4499), (False, 4401)])
async def test_a_connection_is_closed_with_a_reason(
    servers: tuple[Server, Server], may_reconnect: bool, code: int
) -> None:
    """The code says whether a client may come back."""
    async with subscriber(servers[1], "close") as client:
        (row,) = await eventually(lambda: subscriptions("close"))

        await sync_to_async(monitoring.disconnect)([row.connection_id], "Go <home>", may_reconnect)

        closed = await client.closed()
        assert (closed.code, closed.reason) == (code, "Go <home>")
        await eventually(lambda: not Connection.objects.filter(pk=row.connection_id).exists())


async def test_a_blocked_user_is_closed_everywhere_and_refused(servers: tuple[Server, Server]) -> None:
    """Others are not; when the block is lifted the user is let in again."""
    eve, bob = [await User.objects.acreate(username=name) for name in ("eve", "bob")]
    async with (
        subscriber(servers[0], "block", user=eve) as one,
        subscriber(servers[1], "block", user=eve) as two,
        subscriber(servers[1], "block", user=bob) as other,
    ):
        await eventually(lambda: len(subscriptions("block")) == 3)

        await sync_to_async(monitoring.block)(eve.pk, 5, "Flooding")

        for client in (one, two):
            closed = await client.closed()
            assert closed.code == 4401
            assert closed.reason.startswith("Blocked until ")
            assert closed.reason.endswith(": Flooding")
        await told("block", other)
    headers = await sync_to_async(logged_in)(eve)
    for server in servers:
        async with connect(server.ws_url, headers=headers) as client:
            await client.send(type="connection_init")
            assert (await client.closed()).code == 4401
    await sync_to_async(monitoring.unblock)(eve.pk)
    for server in servers:
        await is_let_in(server.ws_url, headers)


async def test_rows_of_a_killed_process_go_with_its_lease(servers: tuple[Server, Server], layer_folder: Path) -> None:
    """They are hidden at once when it is over, and deleted by a process that lives."""
    async with subscriber(servers[0], "kill", "stays"):
        with Server(env=environment(layer_folder)) as third:
            async with subscriber(third, "kill", "goes"):
                rows = await eventually(lambda: len(found := subscriptions("kill")) == 2 and found)
                (doomed,) = (row.process_id for row in rows if row.operation_id == "goes")
                third.kill()
                assert len(await sync_to_async(subscriptions)("kill")) == 2

                # The time of its lease passes.
                await Process.objects.filter(pk=doomed).aupdate(seen=F("seen") - timedelta(seconds=LEASE))

                (row,) = await sync_to_async(subscriptions)("kill")
                assert row.operation_id == "stays"
                await eventually(lambda: not Subscription.objects.filter(process_id=doomed).exists())
                assert not await Process.objects.filter(pk=doomed).aexists()


async def test_a_process_that_shuts_down_removes_its_own(servers: tuple[Server, Server], layer_folder: Path) -> None:
    """Before it ends, not when its lease does, whether somebody is connected or not."""
    with Server(LEAVING, env=environment(layer_folder)) as third:
        async with subscriber(third, "stop"):
            (row,) = await eventually(lambda: subscriptions("stop"))
            await sync_to_async(third.stop)()

        assert not await Process.objects.filter(pk=row.process_id).aexists()
        assert not await Subscription.objects.filter(pk=row.pk).aexists()

        third.start()
        async with subscriber(third, "stop"):
            (row,) = await eventually(lambda: subscriptions("stop"))
        await eventually(lambda: Process.objects.filter(pk=row.process_id, connections_total=0).exists())
        await sync_to_async(third.stop)()

        assert not await Process.objects.filter(pk=row.process_id).aexists()


async def test_a_process_that_shuts_down_while_another_writes(
    servers: tuple[Server, Server], layer_folder: Path
) -> None:
    """It waits a moment for the lock, and its rows do not stay behind."""
    with (
        Server(LEAVING, env=environment(layer_folder)) as third,
        closing(sqlite3.connect(django_settings.DATABASE_FILE, timeout=PATIENCE, isolation_level=None)) as other,
    ):
        async with subscriber(third, "stop"):
            (row,) = await eventually(lambda: subscriptions("stop"))
            other.execute("BEGIN IMMEDIATE")

            third.terminate()
            await eventually(lambda: "Waiting for background tasks" in third.log)
            other.execute("ROLLBACK")
            await sync_to_async(third.stop)()

        assert not await Process.objects.filter(pk=row.process_id).aexists()


async def test_a_locked_database_delays_nobody(servers: tuple[Server, Server]) -> None:
    """The process gives up at once, serves, and writes when the lock is gone."""
    async with subscriber(servers[0], "locked", "before") as client:
        await eventually(lambda: subscriptions("locked"))
        with closing(sqlite3.connect(django_settings.DATABASE_FILE, timeout=PATIENCE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            async with subscriber(servers[0], "locked", "meanwhile") as late:
                await told("locked", client, late)
                other.execute("ROLLBACK")

                await eventually(lambda: len(subscriptions("locked")) == 2)


async def test_without_tables_a_server_serves_and_says_so_once(layer_folder: Path, tmp_path: Path) -> None:
    """It goes on without the registry."""
    with Server(env=environment(layer_folder, GQLWS_TEST_DATABASE=str(tmp_path / "empty.sqlite3"))) as server:
        async with subscriber(server, "bare") as client:
            await eventually(lambda: "cannot be written" in server.log)
            for _ in range(3):
                await told("bare", client)

        assert server.log.count("cannot be written") == 1
        assert "manage.py migrate" in server.log
