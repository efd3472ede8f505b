"""What a thread sends into Redis pub/sub by itself, and when it leaves that to an event loop."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator

import pytest
import redis
from channels.layers import get_channel_layer
from pytest_django import Settings

from django_gqlws.broker import process
from django_gqlws.broker.bus import Message
from django_gqlws.broker.envelope import Envelope, Kind
from django_gqlws.broker.event import Event
from django_gqlws.broker.process import current_broker, send_from_thread
from django_gqlws.broker.shortcut import Shortcut
from django_gqlws.exceptions import BroadcastError
from tests.support.notes import LIMIT
from tests.support.services import RedisServer

pytestmark = pytest.mark.usefixtures("no_background")

Listen = Callable[[int], list[Envelope]]


@pytest.fixture
def address(redis_layer: Callable[[str, str], None], redis_url: str) -> str:
    """A Redis that the project's layer is of."""
    redis_layer("redis_pubsub", redis_url)
    return redis_url


@pytest.fixture
def listen(address: str, key: str) -> Iterator[Listen]:
    """A function that waits for so many messages to the groups whose names begin with the key, and tells them all."""
    with redis.Redis.from_url(address, socket_timeout=LIMIT) as client, client.pubsub() as listener:
        listener.psubscribe(f"*__group__{key}*")
        assert listener.get_message(timeout=LIMIT)

        def listen(count: int) -> list[Envelope]:
            got = [listener.get_message(timeout=LIMIT) for _ in range(count)]
            return [
                Envelope.from_message(get_channel_layer().deserialize(message["data"])) for message in got if message
            ]

        yield listen


@pytest.fixture
def publishers(address: str) -> Callable[[], set[str]]:
    """A function that tells the connections that have published last."""

    def ids() -> set[str]:
        with redis.Redis.from_url(address) as client:
            return {one["id"] for one in client.client_list(_type="normal") if one["cmd"] == "publish"}

    return ids


@pytest.fixture
def own_shortcut(own_redis: RedisServer, redis_layer: Callable[[str, str], None]) -> Shortcut:
    """The project's way into a Redis of the test's own; something was sent already."""
    redis_layer("redis_pubsub", own_redis.url)
    send_from_thread(to("room", "hello"))
    return current_shortcut()


def current_shortcut() -> Shortcut:
    """The one into the layer that is the project's now."""
    shortcut = process._shortcuts.find(get_channel_layer())
    assert shortcut is not None
    return shortcut


class Listening:
    """A subscriber, so that the hub of its loop serves."""

    def offer(self, event: Event) -> None: ...
    def keep(self, event: Event) -> None: ...
    def step(self) -> None: ...


def to(group: str, text: str) -> Message:
    return Message(Kind.EVENT, group, text.encode())


def texts(envelopes: list[Envelope]) -> list[str]:
    return [envelope.payload.decode() for envelope in envelopes]


def test_a_thread_without_a_loop(listen: Listen, key: str) -> None:
    """It sends by itself, as one sender that counts."""
    send_from_thread(to(key, "first"), to(key, "second"))
    send_from_thread(to(key, "third"))

    got = listen(3)
    assert texts(got) == ["first", "second", "third"]
    assert [envelope.sequence for envelope in got] == [1, 2, 3]
    assert len({envelope.sender for envelope in got}) == 1
    assert process._background.running is None


def test_several_threads(listen: Listen, key: str) -> None:
    """Their messages get to Redis in the order of their numbers: none looks lost."""

    def send() -> None:
        for _ in range(50):
            send_from_thread(to(key, "hello"))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()

    assert [envelope.sequence for envelope in listen(200)] == list(range(1, 201))
    for thread in threads:
        thread.join(LIMIT)


async def test_a_task_does_not_wait_for_what_it_has_sent(listen: Listen, key: str) -> None:
    """A thread that it awaits, where subscribers are served, does not overtake that."""
    await current_broker().hub.join(Listening(), ["room"])

    for number in range(10):
        current_broker().bus.post(to(key, str(number)))
    await asyncio.to_thread(send_from_thread, to(key, "thread"))

    assert texts(await asyncio.to_thread(listen, 11)) == [*map(str, range(10)), "thread"]


def test_a_loop_that_has_ended_has_left_something(listen: Listen, key: str) -> None:
    """What the same thread sends then is sent behind it."""

    async def view() -> None:
        for number in range(10):
            current_broker().bus.post(to(key, str(number)))

    asyncio.run(view())
    send_from_thread(to(key, "later"))

    assert texts(listen(11)) == [*map(str, range(10)), "later"]


def test_a_fork(listen: Listen, key: str) -> None:
    """The child has a connection of its own, and is a sender of its own."""
    send_from_thread(to(key, "parent"))

    child = os.fork()
    if not child:
        try:
            send_from_thread(to(key, "child"))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    send_from_thread(to(key, "parent again"))

    got = listen(3)
    assert texts(got) == ["parent", "child", "parent again"]
    assert [envelope.sequence for envelope in got] == [1, 1, 2]


def test_redis_has_closed_the_connection(listen: Listen, key: str, address: str) -> None:
    """The message is sent over a new one."""
    send_from_thread(to(key, "before"))
    with redis.Redis.from_url(address) as client:
        for one in client.client_list(_type="normal"):
            if one["cmd"] == "publish":
                client.client_kill_filter(_id=one["id"])

    send_from_thread(to(key, "after"))

    assert texts(listen(2)) == ["before", "after"]


def test_redis_does_not_answer(own_redis: RedisServer, own_shortcut: Shortcut) -> None:
    """The send raises; who waits behind it does, too, and not later than for itself."""
    for line in own_shortcut._lines.values():
        line._connection._sock.settimeout(0.1)  # From here on: what answers may take its time.
    with redis.Redis.from_url(own_redis.url) as client:
        client.execute_command("CLIENT", "PAUSE", 60_000)

    with pytest.raises(BroadcastError, match="did not take the message: TimeoutError"):
        send_from_thread(to("room", "lost"))
    with own_shortcut._is_free, pytest.raises(BroadcastError, match=r"within 0\.01 seconds"):
        own_shortcut.send([to("room", "late")], 0.01)


def test_redis_is_gone(own_redis: RedisServer, own_shortcut: Shortcut, monkeypatch: pytest.MonkeyPatch) -> None:
    """The send raises when the time for a new connection is over: who has waited that long behind others tries once."""
    monkeypatch.setattr("django_gqlws.broker.shortcut.RETRY_TIME", 0.0)
    asked: list[object] = []
    for line in own_shortcut._lines.values():
        ask = line._ask
        monkeypatch.setattr(line, "_ask", lambda *args, ask=ask: [asked.append(args), ask(*args)])

    own_redis.stop()

    with pytest.raises(BroadcastError, match="did not take the message: ConnectionError"):
        send_from_thread(to("room", "lost"))
    assert len(asked) == 1


def test_an_idle_connection(
    listen: Listen, key: str, address: str, monkeypatch: pytest.MonkeyPatch, publishers: Callable[[], set[str]]
) -> None:
    """It is made anew before a message goes over it: who has dropped it meanwhile may not have told."""
    send_from_thread(to(key, "before"))
    old = publishers()

    monkeypatch.setattr("django_gqlws.broker.shortcut.MAX_IDLE", -1.0)
    send_from_thread(to(key, "after"))

    assert texts(listen(2)) == ["before", "after"]
    assert not old & publishers()


def test_several_hosts(settings: Settings, listen: Listen, key: str, address: str) -> None:
    """Each message goes where channels-redis looks for its group."""
    database = f"{address}{'&' if '?' in address else '?'}db=0"
    settings.CHANNEL_LAYERS = {"default": {**settings.LAYERS["redis_pubsub"], "CONFIG": {"hosts": [address, database]}}}

    for number in range(10):
        send_from_thread(to(f"{key}-{number}", str(number)))

    assert texts(listen(10)) == [*map(str, range(10))]
    assert process._background.running is None


@pytest.mark.parametrize("hosts", [[{"sentinels": [("localhost", 26379)], "master_name": "main"}]])
def test_a_host_for_the_async_client_alone(settings: Settings, hosts: list[object]) -> None:
    """There is no shortcut: an event loop sends."""
    settings.CHANNEL_LAYERS = {"default": {**settings.LAYERS["redis_pubsub"], "CONFIG": {"hosts": hosts}}}

    with pytest.raises(LookupError, match="not for a blocking client"):
        Shortcut(get_channel_layer())


def test_messages_are_packed_in_another_way(settings: Settings, address: str) -> None:
    """An event loop sends: a serializer of the project's is not called under a lock, and what it raises is told."""
    layer = {**settings.LAYERS["redis_pubsub"], "CONFIG": {"hosts": [address], "serializer_format": "json"}}
    settings.CHANNEL_LAYERS = {"default": layer}

    with pytest.raises(BroadcastError, match="did not take the message: TypeError"):
        send_from_thread(to("room", "hello"))


class TimeIsOver(Exception):
    """What a worker's time limit raises in the middle of what it runs."""


def test_the_sender_is_interrupted(listen: Listen, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets what has interrupted it, and the next message goes over a new connection."""
    send_from_thread(to(key, "before"))

    def interrupted() -> None:
        raise TimeIsOver

    (line,) = current_shortcut()._lines.values()
    with monkeypatch.context() as patch, pytest.raises(TimeIsOver):
        patch.setattr(line._connection, "read_response", interrupted)
        send_from_thread(to(key, "interrupted"))
    send_from_thread(to(key, "after"))

    assert texts(listen(3)) == ["before", "interrupted", "after"]


@pytest.mark.parametrize("hosts", ["redis://localhost", ["http://localhost"], [{"address": "redis://", "color": 1}]])
def test_a_host_that_is_wrong(settings: Settings, hosts: object) -> None:
    """The broadcast fails with what is wrong."""
    settings.CHANNEL_LAYERS = {"default": {**settings.LAYERS["redis_pubsub"], "CONFIG": {"hosts": hosts}}}

    with pytest.raises(BroadcastError, match=r"did not take the message: (ValueError|TypeError)"):
        send_from_thread(to("room", "hello"))
