"""A program changes rows while a client of a server process subscribes to them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.project.models import Product
from tests.support.client import connect
from tests.support.server import ROOT, Server

SETTINGS = {
    "SCHEMA": "tests.acceptance.bridge.schema.schema",
    "CONFIRM_SUBSCRIPTIONS": True,
    "MODELS": {"project.Product": {"groups": ["all"], "fields": ["name"]}},
}


async def committed() -> dict[str, str]:
    """The names of the products, by key."""
    return {str(product.pk): product.name async for product in Product.objects.all()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
async def test_a_subscriber_in_the_middle_of_it(server: Callable[..., Server], tmp_path: Path, seed: int) -> None:
    """Who reads the rows when the subscription is confirmed, and follows what is told, has the rows as they are."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.project.settings",
        "GQLWS_TEST_LAYER": "sqlite",
        "GQLWS_TEST_LAYER_FILE": str(tmp_path / "channels.sqlite3"),
        "GQLWS_TEST_SETTINGS": json.dumps(SETTINGS),
    }
    process = server(env=environment)
    saver = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.acceptance.bridge.saver",
        str(seed),
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert saver.stdin is not None
    assert saver.stdout is not None

    assert await saver.stdout.readline() == b"half\n"
    async with connect(process.ws_url) as client:
        await client.init()
        await client.subscribe("1", "subscription { onProduct { event pk row { name } } }")
        assert (await client.receive())["payload"] == {"data": None}
        saver.stdin.write(b"somebody listens\n")
        mirror = await committed()
        last: dict[str, Any] = {}
        while last.get("name") != "end":
            change = (await client.receive())["payload"]["data"]["onProduct"]
            last = change["row"]
            if change["event"] == "DELETED":
                mirror.pop(change["pk"], None)
            else:
                mirror[change["pk"]] = last["name"]
    await saver.wait()

    assert saver.returncode == 0
    assert mirror == await committed()
