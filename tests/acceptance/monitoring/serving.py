"""Server processes that write to the registry, and clients of theirs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client as Browser

from django_gqlws import monitoring
from django_gqlws.monitoring import Subscription
from tests.support.client import Client, connect
from tests.support.server import Server

TOPIC = "tests.project.subscriptions.OnMessage"
DOCUMENT = "subscription Watch($group: String!, $key: String) { onMessage(group: $group, key: $key) { text } }"
LEASE = 30.0
"""Seconds: no process may be taken for gone because the machine has held it up."""
PATIENCE = 30.0


def environment(layer_folder: Path, **more: str) -> dict[str, str]:
    """What makes a server process write to the registry, often."""
    wishes = {"MONITORING": True, "MONITORING_INTERVAL": 0.2, "MONITORING_LEASE": LEASE}
    return {
        "GQLWS_TEST_LAYER": "sqlite",
        "GQLWS_TEST_LAYER_FILE": str(layer_folder / "channels.sqlite3"),
        "GQLWS_TEST_SETTINGS": json.dumps(wishes),
        **more,
    }


async def eventually(look: Callable[[], Any]) -> Any:
    """What a look at another process gives, as soon as it gives something."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await sync_to_async(look)()):  # noqa: ASYNC110 - nobody here could tell
            await asyncio.sleep(0.05)
    return found


@asynccontextmanager
async def subscriber(server: Server, group: str, id: str = "1", user: User | None = None) -> AsyncIterator[Client]:
    """A client with one subscription."""
    headers = None if user is None else await sync_to_async(logged_in)(user)
    async with connect(server.ws_url, headers=headers) as client:
        await client.init()
        await client.subscribe(id, DOCUMENT, {"group": group})
        yield client


def logged_in(user: User) -> dict[str, str]:
    """The headers of a client that is logged in as this user."""
    browser = Browser()
    browser.force_login(user)
    return {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"}


def subscriptions(group: str) -> list[Subscription]:
    """The live subscriptions to a group."""
    return list(Subscription.objects.live().filter(memberships__name=group).select_related("connection", "process"))


async def told(group: str, *clients: Client) -> None:
    """Return when each of them got a broadcast to the group."""
    payload = {"text": "here", "error": None, "gate": None}
    await sync_to_async(monitoring.broadcast)(TOPIC, group, payload)
    for client in clients:
        assert (await client.receive())["payload"] == {"data": {"onMessage": {"text": "here"}}}
