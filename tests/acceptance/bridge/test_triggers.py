"""Rows change by raw SQL of another process; relays are killed, connections and the database are lost."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support import services
from tests.support.client import Client, connect
from tests.support.postgres import POSTGRES_HINT, PostgresServer, find_pg_ctl
from tests.support.server import ROOT, Server

SETTINGS = {
    "SCHEMA": "tests.acceptance.bridge.schema.schema",
    "CONFIRM_SUBSCRIPTIONS": True,
    "MODELS": {"project.Product": {"groups": ["all"], "fields": ["name"], "source": "triggers"}},
}

TIMEOUT = 30


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL, of this test alone."""
    with PostgresServer(find_pg_ctl() or services.give_up(POSTGRES_HINT)) as server:
        yield server


@pytest.fixture
def environment(postgres: PostgresServer, tmp_path: Path) -> dict[str, str]:
    """Of all processes of the project."""
    return {
        "DJANGO_SETTINGS_MODULE": "tests.acceptance.bridge.settings",
        "GQLWS_TEST_POSTGRES": json.dumps(postgres.settings),
        "GQLWS_TEST_LAYER": "sqlite",
        "GQLWS_TEST_LAYER_FILE": str(tmp_path / "channels.sqlite3"),
        "GQLWS_TEST_SETTINGS": json.dumps(SETTINGS),
    }


@asynccontextmanager
async def program(environment: dict[str, str], *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command of the project, which is killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "django", *arguments),
        cwd=ROOT,
        env={**os.environ, **environment},
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def run(environment: dict[str, str], *arguments: str) -> None:
    """Run a command to its end."""
    async with program(environment, *arguments) as process:
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()


async def says(process: asyncio.subprocess.Process, line: bytes) -> None:
    """Wait until the process writes a line."""
    assert process.stderr is not None
    async with asyncio.timeout(TIMEOUT):
        while await process.stderr.readline() != line + b"\n":
            assert not process.stderr.at_eof()


def execute(postgres: PostgresServer, statement: str) -> None:
    """What somebody else does, who knows nothing of the project."""
    with psycopg.connect(f"host={postgres.settings['HOST']} user=test dbname=postgres") as connection:
        connection.execute(statement)


def insert(postgres: PostgresServer, name: str) -> None:
    """A new product."""
    execute(
        postgres,
        "INSERT INTO project_product (name, kind, attributes, manual, preview, stock)"
        f" VALUES ('{name}', 'paper', '{{}}', '', '', 0)",
    )


async def told(client: Client) -> tuple[str, str]:
    """What a client is told next."""
    async with asyncio.timeout(TIMEOUT):
        change = (await client.receive())["payload"]["data"]["onProduct"]
    return change["event"], change["row"]["name"]


async def test_raw_sql_reaches_a_subscriber(
    server: Callable[..., Server], postgres: PostgresServer, environment: dict[str, str]
) -> None:
    """Every committed change arrives, whatever ends in between."""
    await run(environment, "migrate", "--run-syncdb", "--verbosity=0")
    await run(environment, "gqlws_triggers")
    process = server(env=environment)
    seen: list[Any] = []
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(program(environment, "gqlws_relay"))
        await says(first, b"Relaying.")
        second = await stack.enter_async_context(program(environment, "gqlws_relay"))
        await says(second, b"Another process relays. Waiting to take over.")
        client = await stack.enter_async_context(connect(process.ws_url))
        await client.init()
        await client.subscribe("1", "subscription { onProduct { event row { name } } }")
        assert (await client.receive())["payload"] == {"data": None}

        insert(postgres, "pen")
        seen.append(await told(client))
        first.kill()
        execute(postgres, "UPDATE project_product SET name = 'ink'")
        await says(second, b"Relaying.")
        seen.append(await told(client))
        execute(postgres, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        insert(postgres, "cup")
        seen.append(await told(client))
        postgres.restart()
        execute(postgres, "TRUNCATE project_product CASCADE")
        seen += sorted([await told(client), await told(client)])

    assert seen == [
        ("CREATED", "pen"),
        ("UPDATED", "ink"),
        ("CREATED", "cup"),
        ("DELETED", "cup"),
        ("DELETED", "ink"),
    ]
