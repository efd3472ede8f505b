"""What is typed to see and to stop the clients of two server processes."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import override_settings

from tests.support.server import Server

from .serving import eventually, subscriber, subscriptions, told

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def command(*arguments: str) -> tuple[str, str]:
    """What a command prints to stdout and stderr."""
    stdout, stderr = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=stdout, stderr=stderr)
    return stdout.getvalue(), stderr.getvalue()


async def as_json(*arguments: str) -> Any:
    return json.loads((await command(*arguments, "--format", "json"))[0])


async def test_lists(servers: tuple[Server, Server]) -> None:
    """Groups by their readable names; connections and subscriptions by user, group and field."""
    eve = await User.objects.acreate(username="eve")
    async with subscriber(servers[0], "list-1", "a", eve), subscriber(servers[1], "list-1", "b"):
        await eventually(lambda: len(subscriptions("list-1")) == 2)

        (group,) = await as_json("gqlws_groups", "list-*")
        assert (group["group"], group["subscriptions"], group["processes"]) == ("list-1", 2, 2)
        (connection,) = await as_json("gqlws_connections", "--user", "eve", "--group", "list-*")
        assert (connection["user"], connection["subscriptions"]) == ("eve", 1)
        (row,) = await as_json("gqlws_subscriptions", "--user", str(eve.pk), "--field", "onMessage")
        assert (row["groups"], row["operation_id"], row["variables"]) == (["list-1"], "a", {"group": "list-1"})
        assert row["connection"] == connection["id"]
        assert await as_json("gqlws_subscriptions", "--field", "onOther") == []
        head, *lines = (await command("gqlws_subscriptions", "--group", "list-1"))[0].splitlines()
        assert head.split()[:4] == ["ID", "USER", "FIELD", "GROUPS"]
        assert len(lines) == 2


async def test_kick(servers: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks first; a no does nothing; others go on."""
    async with subscriber(servers[0], "kick", "stays") as stays, subscriber(servers[1], "kick", "goes") as goes:
        rows = await eventually(lambda: len(found := subscriptions("kick")) == 2 and found)
        (id,) = [str(row.pk) for row in rows if row.operation_id == "goes"]
        monkeypatch.setattr("builtins.input", lambda: "n")
        with pytest.raises(CommandError, match="Nothing was done"):
            await command("gqlws_kick", id)
        await told("kick", stays, goes)

        monkeypatch.setattr("builtins.input", lambda: "y")
        _, notice = await command("gqlws_kick", id)

        assert "End 1 subscription? [y/N]" in notice
        assert await goes.receive() == {"id": "goes", "type": "complete"}
        await told("kick", stays)
        await command("gqlws_kick", "--group", "k*", "--disconnect", "--may-reconnect", "--reason", "Update", "--yes")
        closed = await stays.closed()
        assert (closed.code, closed.reason) == (4499, "Update")


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["gqlws_kick", "--yes"], "Say which ones", 2),
        (["gqlws_kick", "--user", "eve", "--reason", "x"], "belong to --disconnect", 2),
        (["gqlws_kick", "--user", "nobody", "--yes"], "no such subscription", 1),
    ],
)
async def test_mistakes(arguments: list[str], message: str, code: int) -> None:
    """They are refused, with what to write."""
    with override_settings(GQLWS={}), pytest.raises(CommandError, match=message) as error:
        await command(*arguments)

    assert error.value.returncode == code


async def test_without_a_registry() -> None:
    """It says that it is switched off."""
    with override_settings(GQLWS={"MONITORING": False}), pytest.raises(CommandError, match="MONITORING"):
        await command("gqlws_groups")
