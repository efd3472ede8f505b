"""`gqlws_listen`: the events of a subscription, one JSON object a line."""

from __future__ import annotations

import asyncio
import json
import os
import re

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import Manager

from django_gqlws.management.login import find_user
from tests.integration.serving import payload
from tests.support.server import ROOT
from tests.support.tables import situations

from .conftest import Process
from .running import Environment, Here, Listening, command_line

ON_MESSAGE = 'subscription {{ onMessage(group: "{}") {{ text }} }}'
TO_MESSAGES = ("--subscription", "tests.project.subscriptions.OnMessage", "--payload")
ON_ONE_LAYER = pytest.mark.parametrize("environment", ["sqlite"], indirect=True)
WHO_AM_I = "subscription { whoAmI }"


async def say(here: Here, key: str, text: str) -> None:
    done = await here("gqlws_broadcast", key, *TO_MESSAGES, json.dumps(payload(text)))
    assert done.code == 0, done.stderr


@pytest.mark.parametrize("where", ["in its own process", "over a socket"])
async def test_events(
    environment: Environment, processes: tuple[Process, Process], here: Here, key: str, where: str
) -> None:
    """They are printed as they come, until Ctrl-C, which is no failure."""
    confirming = {**environment, "GQLWS_TEST_SETTINGS": json.dumps({"CONFIRM_SUBSCRIPTIONS": True})}
    url = () if where == "in its own process" else ("--url", processes[0].url("confirming/"))
    async with Listening(confirming, "gqlws_listen", ON_MESSAGE.format(key), *url) as listening:
        assert await listening.notice() == "Listening. Ctrl-C ends it."
        assert await listening.event() == {"data": None}  # The confirmation.

        await say(here, key, "hello")
        await say(here, key, "there")

        assert await listening.event() == {"data": {"onMessage": {"text": "hello"}}}
        assert await listening.event() == {"data": {"onMessage": {"text": "there"}}}
        assert await listening.interrupt() == 0


@ON_ONE_LAYER
async def test_a_reader_that_has_heard_enough(environment: Environment) -> None:
    """As in `gqlws_listen ... | head -1`: the command ends, and does not complain."""
    reading, writing = os.pipe()
    os.close(reading)

    listening = await asyncio.create_subprocess_exec(
        *command_line(["gqlws_listen", "{ __typename }"]),
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=writing,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(writing)

    _, notices = await listening.communicate()
    assert listening.returncode == 0
    assert notices.endswith(b"Listening. Ctrl-C ends it.\n")


@ON_ONE_LAYER
async def test_a_server_that_restarts(environment: Environment, here: Here, key: str) -> None:
    """It connects again, and says that events may be missing."""
    with Process(env=environment) as server:
        command = ("gqlws_listen", ON_MESSAGE.format(key), "--url", server.url("confirming/"))
        async with Listening(environment, *command) as listening:
            await listening.notice()
            assert await listening.event() == {"data": None}

            server.kill()
            server.start()

            assert await listening.notice() == "The connection was lost and is back: events may be missing."
            assert await listening.event() == {"data": None}
            await say(here, key, "hello")
            assert await listening.event() == {"data": {"onMessage": {"text": "hello"}}}


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "an invalid document": (
        (ON_MESSAGE.format("room").replace("text", "txt"),),
        "Error in GraphQL response: Cannot query field 'txt'",
    ),
    "a path that serves nothing": ((ON_MESSAGE.format("room"), "--url", "{url}nowhere/"), "no WebSocket at this path"),
    "nobody there": ((ON_MESSAGE.format("room"), "--url", "ws://127.0.0.1:1/"), "No connection"),
    "another kind of URL": ((ON_MESSAGE.format("room"), "--url", "localhost/graphql/"), "not the URL of a WebSocket"),
    "an origin that may not": (
        (ON_MESSAGE.format("room"), "--url", "{url}graphql/", "--header", "Origin: http://elsewhere.example"),
        "The connection is closed (4403): Origin not allowed",
    ),
}


@ON_ONE_LAYER
@pytest.mark.parametrize(("arguments", "says"), situations(REFUSED))
async def test_a_subscription_that_does_not_come_about(
    here: Here, processes: tuple[Process, Process], arguments: tuple[str, ...], says: str
) -> None:
    """It fails at once and says why."""
    done = await here("gqlws_listen", *(text.replace("{url}", processes[0].url("")) for text in arguments))

    assert (done.code, done.stdout) == (1, "")
    assert says in done.stderr


def test_a_layer_that_reaches_no_other_process() -> None:
    """Nothing would ever be heard: it says what to do instead."""
    with pytest.raises(CommandError, match="give the --url of a server"):
        call_command("gqlws_listen", ON_MESSAGE.format("room"))


@pytest.mark.django_db
def test_an_unknown_user() -> None:
    """It is named."""
    with pytest.raises(CommandError, match="There is no user nobody"):
        call_command("gqlws_listen", WHO_AM_I, "--user", "nobody")


@pytest.mark.django_db
def test_a_user_whose_manager_knows_no_natural_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found by what it logs in with."""
    ann = User.objects.create(username="ann")
    manager: Manager[User] = Manager()
    manager.model = User
    monkeypatch.setitem(vars(User._meta), "default_manager", manager)

    assert find_user("ann") == ann


def test_a_header_in_another_form() -> None:
    """It shows the form."""
    with pytest.raises(CommandError, match=re.escape('is not in the form "Name: value"')):
        call_command("gqlws_listen", WHO_AM_I, "--header", "Authorization")
