"""`gqlws_broadcast`: typed in one terminal, it arrives in the browsers that are connected to the servers."""

from __future__ import annotations

import io
import json
import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django import Settings

from django_gqlws import ModelSubscription
from django_gqlws.broker import census
from tests.integration.serving import listener, message, payload, texts
from tests.integration.threads import in_thread
from tests.support.sharing import declare, serve, subscribed
from tests.support.sharing import texts as texts_of
from tests.support.tables import situations

from .conftest import Process, layer_of
from .running import BRIEFLY, Environment, Here, manage

ON_MESSAGE = "tests.project.subscriptions.OnMessage"
TO_MESSAGES = ("--subscription", ON_MESSAGE)
HELLO = json.dumps(payload("hello"))


async def test_subscribers_in_two_processes(
    environment: Environment, processes: tuple[Process, Process], key: str
) -> None:
    """Each gets it once; other groups get nothing; the command says how many it addressed."""
    async with AsyncExitStack() as stack:
        one, two = processes
        clients = [await stack.enter_async_context(listener(process.url, key)) for process in (one, two, one)]
        other = await stack.enter_async_context(listener(processes[0].url, f"not {key}"))

        done = await manage(environment, "gqlws_broadcast", key, *TO_MESSAGES, "--payload", HELLO, "--format", "json")

        assert (done.code, done.stderr) == (0, "Sent.\n")
        assert done.json == [{"subscription": ON_MESSAGE, "group": key, "subscriptions": 3, "processes": 2}]
        for client in clients:
            assert await client.receive() == message("hello")
            assert await client.barrier() == []
        assert await other.barrier() == []


@pytest.mark.usefixtures("patient")
async def test_a_table(here: Here, processes: tuple[Process, Process], key: str) -> None:
    """The result alone is on stdout; the notice is on stderr."""
    async with listener(processes[0].url, key):
        done = await here("gqlws_broadcast", key, *TO_MESSAGES, "--payload", HELLO)

    head, row = done.stdout.splitlines()
    assert head.split() == ["SUBSCRIPTION", "GROUP", "SUBSCRIPTIONS", "PROCESSES"]
    assert row.split() == [ON_MESSAGE, key, "1", "1"]
    assert done.stderr == "Sent.\n"


async def test_the_payload_of_a_file_and_of_standard_input(
    here: Here, processes: tuple[Process, Process], key: str, tmp_path: Path
) -> None:
    """Both are JSON."""
    file = tmp_path / "payload.json"
    file.write_text(json.dumps(payload("filed")))
    to = ("gqlws_broadcast", key, *TO_MESSAGES)
    async with listener(processes[0].url, key) as client:
        from_file = await here(*to, "--payload-file", str(file))
        from_stdin = await here(*to, "--payload-file", "-", stdin=HELLO)

        assert (from_file.code, from_stdin.code) == (0, 0)
        assert await texts(client, 2) == ["filed", "hello"]


async def test_all_subscribers_of_a_class(here: Here, processes: tuple[Process, Process], key: str) -> None:
    """Whatever their groups are."""
    async with listener(processes[0].url, key) as one, listener(processes[1].url, f"not {key}") as two:
        done = await here("gqlws_broadcast", "--all", *TO_MESSAGES, "--payload", HELLO)

        assert done.code == 0
        for client in (one, two):
            assert await client.receive() == message("hello")


@pytest.mark.usefixtures("patient")
async def test_the_group_of_each_class(here: Here, processes: tuple[Process, Process], key: str) -> None:
    """Those without subscribers are listed with none."""
    async with listener(processes[0].url, key) as client:
        done = await here("gqlws_broadcast", key, "--all-classes", "--payload", HELLO, "--format", "json")

        assert done.code == 0
        assert {row["subscription"]: row["subscriptions"] for row in done.json}[ON_MESSAGE] == 1
        assert sum(row["subscriptions"] for row in done.json) == 1 < len(done.json)
        assert await client.receive() == message("hello")


async def test_a_subscription_to_a_model(here: Here, processes: tuple[Process, Process], key: str) -> None:
    """The bridge alone tells its subscribers something: it is refused by name, and no class of --all-classes."""
    meta = type("Meta", (), {"model": User})
    subscription = type("OnUser", (ModelSubscription,), {"__module__": __name__, "Meta": meta})
    async with listener(processes[0].url, key):
        named = await here("gqlws_broadcast", key, "--subscription", subscription._topic())
        every = await here("gqlws_broadcast", key, "--all-classes", "--dry-run", "--format", "json")

    assert named.code == 2
    assert "OnUser takes no broadcasts: it is a ModelSubscription" in named.stderr
    assert ON_MESSAGE in (known := [row["subscription"] for row in every.json])
    assert subscription._topic() not in known


@pytest.mark.usefixtures("patient")
async def test_a_dry_run(here: Here, processes: tuple[Process, Process], key: str) -> None:
    """It says who would get it, and sends nothing."""
    async with listener(processes[0].url, key) as client:
        done = await here("gqlws_broadcast", key, *TO_MESSAGES, "--dry-run", "--format", "json")

        assert done.code == 0
        assert done.json[0]["subscriptions"] == 1
        assert done.stderr == "Nothing was sent: this is a dry run.\n"
        assert await client.barrier() == []


async def test_nobody_in_the_group(here: Here, processes: tuple[Process, Process], key: str) -> None:
    """A server listens, so it is sent: the zero says that it reached nobody."""
    async with listener(processes[0].url, f"not {key}"):
        done = await here("gqlws_broadcast", key, *TO_MESSAGES, "--format", "json")

    assert done.code == 0
    assert done.json == [{"subscription": ON_MESSAGE, "group": key, "subscriptions": 0, "processes": 0}]


async def test_no_server(here: Here, settings: Settings, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """Nothing is sent, and it says what to look at."""
    monkeypatch.setattr(census, "FIRST_ANSWER", BRIEFLY)
    settings.GQLWS = {**settings.GQLWS, "GROUP_NAME_PREFIX": key}

    done = await here("gqlws_broadcast", key, *TO_MESSAGES, "--format", "json")

    assert (done.code, done.stdout) == (1, "")
    assert "no server listens" in done.stderr
    assert "CHANNEL_LAYERS" in done.stderr


async def test_a_layer_that_reaches_no_other_process(key: str) -> None:
    """Nothing is sent, and it says which layer would."""
    done = await Here()("gqlws_broadcast", key, *TO_MESSAGES)

    assert (done.code, done.stdout) == (1, "")
    assert "reaches no other process" in done.stderr
    assert "SqliteChannelLayer" in done.stderr


def test_no_layer(settings: Settings, key: str) -> None:
    """It says what to write, also where no system check has said so before."""
    settings.CHANNEL_LAYERS = {}

    with pytest.raises(CommandError, match="django_gqlws needs a channel layer: add CHANNEL_LAYERS"):
        call_command("gqlws_broadcast", key, *TO_MESSAGES)


async def test_a_layer_that_is_down(settings: Settings, key: str) -> None:
    """It says what failed."""
    settings.CHANNEL_LAYERS = {"default": layer_of({"GQLWS_TEST_LAYER": "redis", "REDIS_URL": "redis://127.0.0.1:1"})}

    done = await Here()("gqlws_broadcast", key, *TO_MESSAGES)

    assert (done.code, done.stdout) == (1, "")
    assert "Nothing more was sent. The channel layer" in done.stderr


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "no group": (TO_MESSAGES, "Name a GROUP"),
    "a group and all": (("room", "--all", *TO_MESSAGES), "Name a GROUP"),
    "one class and all": (("room", "--all-classes", *TO_MESSAGES), "not both"),
    "several classes": (("room",), ON_MESSAGE),
    "an unknown class": (("room", "--subscription", "tests.project.OnMessage"), f"Did you mean {ON_MESSAGE}?"),
    "a payload that is not JSON": (("room", *TO_MESSAGES, "--payload", "{hello}"), "is not JSON"),
    "a payload that is nested too deeply": (("room", *TO_MESSAGES, "--payload", "[" * 50_000), "is not JSON"),
    "a file that is not there": (("room", *TO_MESSAGES, "--payload-file", "nowhere.json"), "cannot be read"),
    "two payloads": (("room", *TO_MESSAGES, "--payload", "1", "--payload-file", "-"), "not allowed with"),
    "a model in another form": (("room", *TO_MESSAGES, "--model", "auth.User"), "app.Model:pk"),
    "an unknown model": (("room", *TO_MESSAGES, "--model", "auth.Nobody:1"), "There is no model auth.Nobody"),
    "a primary key of another type": (("room", *TO_MESSAGES, "--model", "auth.User:x"), "is no primary key"),
}


@pytest.mark.parametrize(("arguments", "says"), situations(WRONG))
def test_wrong_arguments(arguments: tuple[str, ...], says: str) -> None:
    """It says what to write instead, and exits with 2."""
    done = Here().run("gqlws_broadcast", *arguments)

    assert (done.code, done.stdout) == (2, "")
    assert says in done.stderr


@pytest.mark.django_db
def test_a_row_that_is_not_there() -> None:
    """It is named."""
    with pytest.raises(CommandError, match=re.escape("There is no auth.User with the primary key 7.")):
        call_command("gqlws_broadcast", "room", *TO_MESSAGES, "--model", "auth.User:7")


@pytest.mark.django_db
def test_a_table_that_is_not_there() -> None:
    """It says what may be missing."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE auth_user RENAME TO elsewhere")

    with pytest.raises(CommandError, match=r"no such table: auth_user\. Does it run, and is it migrated\?"):
        call_command("gqlws_broadcast", "room", *TO_MESSAGES, "--model", "auth.User:7")


@pytest.mark.parametrize("command", [("gqlws_broadcast", "room"), ("gqlws_listen", "{ a }"), ("gqlws_check",)])
async def test_on_an_event_loop(command: tuple[str, ...]) -> None:
    """It would block the loop: it says how to call it there."""
    with pytest.raises(CommandError, match=re.escape("await asyncio.to_thread(call_command, ...)")):
        call_command(*command)


@pytest.mark.usefixtures("own_process")
@pytest.mark.django_db(transaction=True)
async def test_a_row_as_payload(key: str) -> None:
    """`publish` gets the instance; called in a process that serves subscribers the in-memory layer will do."""
    ann = await User.objects.acreate(username="ann")
    on_event = declare(lambda payload, info, **_: {"text": payload.username})
    client = await subscribed(serve(on_event))

    def announce() -> None:
        call_command(
            *("gqlws_broadcast", "room", "--model", f"auth.User:{ann.pk}"),
            *("--subscription", f"{on_event.__module__}.{on_event.__qualname__}"),
            stderr=io.StringIO(),
            stdout=io.StringIO(),
        )

    await in_thread(announce)

    assert await texts_of(client, 1) == ["ann"]


@pytest.mark.django_db(transaction=True)
async def test_in_a_transaction(key: str) -> None:
    """It says that nothing is sent before the commit, and so it is."""
    on_event = declare(lambda payload, info, **_: {"text": payload})
    client = await subscribed(serve(on_event))
    notices = io.StringIO()

    def announce() -> None:
        with transaction.atomic():
            call_command(
                *("gqlws_broadcast", "room", "--payload", '"from the command"'),
                *("--subscription", f"{on_event.__module__}.{on_event.__qualname__}"),
                stderr=notices,
                stdout=io.StringIO(),
            )
            on_event.broadcast(group="room", payload="before the commit", on_commit=False)

    await in_thread(announce)

    assert await texts_of(client, 2) == ["before the commit", "from the command"]
    assert notices.getvalue() == "It will be sent when the transaction is committed.\n"
