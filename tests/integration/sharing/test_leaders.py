"""One member executes for its cohort: whatever happens to it, the others get the event once, in order."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.test import override_settings
from django.utils.text import format_lazy
from graphql import GraphQLError

from django_gqlws import Subscription, on_loop
from django_gqlws.broker.process import current_broker
from django_gqlws.connection import listener
from django_gqlws.connection.listener import Listener
from tests.support.clock import pass_time
from tests.support.notes import LIMIT, Notes
from tests.support.peers import Peer
from tests.support.sharing import ON_EVENT, Since, Stage, declare, say, serve, subscribed, texts
from tests.support.tables import situations


async def leave(peer: Peer) -> None:
    await peer.leave()


async def cut(peer: Peer) -> None:
    peer.cut()


async def complete(peer: Peer) -> None:
    peer.complete("1")


async def complete_and_come_again(peer: Peer) -> None:
    peer.complete("1")
    peer.start("1", ON_EVENT)


DEPARTURES: dict[str, Callable[[Peer], Any]] = {
    "disconnects": leave,
    "is cut off": cut,
    "completes": complete,
    "completes and uses the id again": complete_and_come_again,
}


@pytest.mark.parametrize("depart", situations(DEPARTURES))
async def test_a_leader_who_goes_in_the_middle(depart: Callable[[Peer], Any]) -> None:
    """The next one leads: nobody loses the event, nobody gets it twice."""
    stage = Stage()
    on_event = declare(stage)
    consumer = serve(on_event)
    leader, *others = [await subscribed(consumer) for _ in range(4)]
    since = Since()
    await on_event.broadcast(group="room", payload=1)
    await on_event.broadcast(group="room", payload=2)
    await stage.began.reached(1)

    await depart(leader)
    await stage.began.reached(2)
    assert stage.began == [1, 1]
    stage.open()

    assert [await texts(peer, 2) for peer in others] == [[1, 2]] * 3
    assert (since.executed, since.shared) == (3, 6)


async def test_a_leader_who_goes_before_it_begins() -> None:
    """The next one leads, and nobody misses anything."""
    on_event = declare(say)
    consumer = serve(on_event)
    _, *others = [await subscribed(consumer) for _ in range(3)]
    hub, room = current_broker().hub, on_event._group_name("room")
    leader = next(iter(hub._groups[room].members))

    class Saboteur:
        def offer(self, event: Any) -> None:
            leader.close()

        keep = offer

        def step(self) -> None:
            raise AssertionError

    await hub.join(Saboteur(), [room])
    since = Since()

    await on_event.broadcast(group="room", payload=1)
    await on_event.broadcast(group="room", payload=2)

    assert [await texts(peer, 2) for peer in others] == [[1, 2]] * 2
    assert since.executed == 2  # Python 3.12 begins at once, and then the leader has its result before it goes.


@pytest.mark.parametrize("work", ["_handle", "_send"])
async def test_a_step_that_breaks(work: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours ends that subscription with an error, instead of leaving it silent; the others go on."""
    on_event = declare(say)
    consumer = serve(on_event)
    first, *others = [await subscribed(consumer) for _ in range(3)]
    send = Listener._send
    broken: list[Listener] = []

    def break_once(self: Listener, *args: Any, **options: Any) -> None:
        if not broken:
            broken.append(self)
            raise ZeroDivisionError
        send(self, *args, **options)

    monkeypatch.setattr(Listener, "_send", break_once)
    for number in range(3):
        await on_event.broadcast(group="room", payload=number)

    await first.until(lambda messages: messages[-1]["type"] == "error")
    assert [await texts(peer, 3) for peer in others] == [[0, 1, 2]] * 2
    assert "ZeroDivisionError" in caplog.text


async def test_leaders_who_go_one_after_the_other() -> None:
    """The last one gets all."""
    stage = Stage()
    on_event = declare(stage)
    consumer = serve(on_event)
    peers = [await subscribed(consumer) for _ in range(5)]
    await on_event.broadcast(group="room", payload=1)

    for number, peer in enumerate(peers[:-1]):
        await stage.began.reached(number + 1)
        await peer.leave()
    await stage.began.reached(5)
    stage.open()
    await on_event.broadcast(group="room", payload=2)

    assert await texts(peers[-1], 2) == [1, 2]


async def test_a_leader_who_goes_while_its_thread_goes_on() -> None:
    """What the abandoned thread still does is nobody's, and what it looks at is noticed as its own."""
    began: Notes[Any] = Notes()
    loop = asyncio.get_running_loop()
    opened = threading.Event()

    def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        loop.call_soon_threadsafe(began.add, payload)
        if payload == 1:
            assert opened.wait(LIMIT)
        return {"text": info.context.user if payload == 1 else payload}

    on_event = declare(publish)
    consumer = serve(on_event)
    ann, bob, cat = [await subscribed(consumer, user=name) for name in ("ann", "bob", "cat")]
    await on_event.broadcast(group="room", payload=1)
    await on_event.broadcast(group="room", payload=2)
    await began.reached(1)

    ann.complete("1")
    await began.reached(2)
    opened.set()

    assert await texts(bob, 2) == ["bob", 2]
    assert await texts(cat, 2) == ["cat", 2]
    assert ann.payloads("1") == [{"data": None}]


async def test_a_member_who_goes_while_it_waits() -> None:
    """Nobody notices."""
    stage = Stage()
    on_event = declare(stage)
    consumer = serve(on_event)
    leader, waits, stays = [await subscribed(consumer) for _ in range(3)]
    await on_event.broadcast(group="room", payload=1)
    await stage.began.reached(1)

    waits.complete("1")
    await waits.barrier()
    stage.open()
    await on_event.broadcast(group="room", payload=2)

    assert [await texts(peer, 2) for peer in (leader, stays)] == [[1, 2]] * 2
    assert waits.payloads("1") == [{"data": None}]


async def test_somebody_who_comes_in_the_middle() -> None:
    """They get what is broadcast from then on, and share it."""
    stage = Stage()
    on_event = declare(stage)
    consumer = serve(on_event)
    first = await subscribed(consumer)
    await on_event.broadcast(group="room", payload=1)
    await stage.began.reached(1)

    second = await subscribed(consumer)
    await on_event.broadcast(group="room", payload=2)
    stage.open()

    assert (await texts(first, 2), await texts(second, 1)) == ([1, 2], [2])
    assert stage.began == [1, 2]


async def test_a_leader_who_looks_late() -> None:
    """The others wait until then, and execute the event for themselves, before the events that follow."""
    began: Notes[Any] = Notes()
    curtain = asyncio.Event()

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        began.add(payload)
        await curtain.wait()
        return {"text": [payload, info.context.user] if payload == 1 else payload}

    on_event = declare(publish)
    consumer = serve(on_event)
    peers = {name: await subscribed(consumer, user=name) for name in ("ann", "bob", "cat")}
    for number in (1, 2):
        await on_event.broadcast(group="room", payload=number)
    await began.reached(1)
    assert began == [1]

    curtain.set()

    assert {name: await texts(peer, 2) for name, peer in peers.items()} == {name: [[1, name], 2] for name in peers}
    assert sorted(began) == [1, 1, 1, 2]


async def test_a_leader_who_looks_and_then_hangs() -> None:
    """It hangs alone: from the moment of its look the others go on."""
    never = asyncio.Event()

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        if payload == 1 and info.context.user == "ann":
            await never.wait()
        return {"text": payload}

    on_event = declare(publish)
    consumer = serve(on_event)
    ann, bob, cat = [await subscribed(consumer, user=name) for name in ("ann", "bob", "cat")]

    for number in (1, 2, 3):
        await on_event.broadcast(group="room", payload=number)

    assert [await texts(peer, 3) for peer in (bob, cat)] == [[1, 2, 3]] * 2
    never.set()
    assert await texts(ann, 3) == [1, 2, 3]


async def all_but_one_get_two_events(on_event: type[Subscription], peers: list[Peer]) -> None:
    """Each of them says the number of its peer; number 5 gets none as long as it blocks."""
    for payload in (1, 2):
        await on_event.broadcast(group="room", payload=payload)

    for number, peer in enumerate(peers):
        if number != 5:
            assert await texts(peer, 2) == [str(number)] * 2


async def test_personal_results_with_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many members execute side by side, and no more; one that hangs delays nobody."""
    monkeypatch.setattr(listener, "SIDE_BY_SIDE", 3)
    running: set[str] = set()
    most = 0
    never = asyncio.Event()

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        nonlocal most
        user = info.context.user
        running.add(user)
        most = max(most, len(running))
        await (never.wait() if user == "5" else asyncio.sleep(0))
        running.remove(user)
        return {"text": user}

    on_event = declare(publish)
    consumer = serve(on_event)
    peers = [await subscribed(consumer, user=str(number)) for number in range(12)]

    await all_but_one_get_two_events(on_event, peers)

    # Who led was not known to be personal when it began.
    assert 1 < most <= 4
    never.set()
    assert await texts(peers[5], 2) == ["5", "5"]


async def test_personal_results_of_sync_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many members wait in line as keep the threads busy, and no more; one that blocks delays nobody."""
    monkeypatch.setattr(listener, "IN_LINE", 2)
    gate, since = threading.Event(), Since()
    ended: list[str] = []
    most = 0

    def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        nonlocal most
        user = info.context.user
        most = max(most, since.executed - len(ended))
        if user == "5":
            assert gate.wait(LIMIT)
        ended.append(user)
        return {"text": user}

    on_event = declare(publish)
    with override_settings(GQLWS={"SYNC_THREADS": 2}):
        consumer = serve(on_event)
        peers = [await subscribed(consumer, user=str(number)) for number in range(12)]

    await all_but_one_get_two_events(on_event, peers)
    gate.set()
    assert await texts(peers[5], 2) == ["5", "5"]
    # Two threads, two in line, and who leads the one and the other broadcast.
    assert 1 < most <= 6


# Errors


def fail(payload: Any) -> None:
    if payload == 1:
        raise GraphQLError("no")


async def fail_on_the_loop(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
    fail(payload)
    return {"text": payload}


def fail_in_a_worker(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
    fail(payload)
    return {"text": payload}


@on_loop
def fail_at_once(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
    fail(payload)
    return {"text": payload}


@pytest.mark.parametrize("publish", [fail_on_the_loop, fail_in_a_worker, fail_at_once])
async def test_a_publish_that_fails(publish: Any) -> None:
    """The error is everybody's, and they live on."""
    on_event = declare(publish)
    consumer = serve(on_event)
    peers = [await subscribed(consumer) for _ in range(3)]
    since = Since()

    for number in (1, 2):
        await on_event.broadcast(group="room", payload=number)

    for peer in peers:
        failed, went_well = await peer.results("1", 2)
        assert [error["message"] for error in failed["errors"]] == ["no"]
        assert went_well == {"data": {"onEvent": {"text": 2}}}
    assert since.executed == 2


async def test_a_publish_that_fails_for_one() -> None:
    """The error is theirs alone."""

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        if info.context.user == "ann":
            raise GraphQLError("not for ann")
        return {"text": info.context.user}

    on_event = declare(publish)
    consumer = serve(on_event)
    ann, bob = [await subscribed(consumer, user=name) for name in ("ann", "bob")]

    await on_event.broadcast(group="room", payload=1)

    [result] = await ann.results("1", 1)
    assert [error["message"] for error in result["errors"]] == ["not for ann"]
    assert await texts(bob, 1) == ["bob"]


class BadlyPut(Exception):
    def __str__(self) -> str:
        raise KeyError("no words")


def cannot_be_written() -> Any:
    return format_lazy("{missing}")


def cannot_be_read() -> Any:
    raise BadlyPut


def is_cancelled() -> Any:
    raise asyncio.CancelledError


def cannot_be_written_in_an_error() -> Any:
    raise GraphQLError("no", extensions={"why": format_lazy("{missing}")})


POISON: dict[str, Callable[[], Any]] = {
    "a result that cannot be written": cannot_be_written,
    "an error that cannot be written": cannot_be_written_in_an_error,
    "an exception without words": cannot_be_read,
    "a future that was cancelled": is_cancelled,
}


@pytest.mark.parametrize("personal", [False, True], ids=["shared", "personal"])
@pytest.mark.parametrize("kind", ["async", "on the loop", "in a worker"])
@pytest.mark.parametrize("poison", situations(POISON))
async def test_an_event_that_comes_to_a_bad_end(poison: Callable[[], Any], kind: str, personal: bool) -> None:
    """It is one error, and the next event arrives."""

    @on_loop
    def publish_at_once(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        assert not personal or info.context.user
        return {"text": poison() if payload == 1 else payload}

    def publish_in_a_worker(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        return publish_at_once(payload, info)

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        return publish_at_once(payload, info)

    kinds = {"async": publish, "on the loop": publish_at_once, "in a worker": publish_in_a_worker}
    on_event = declare(kinds[kind])
    consumer = serve(on_event, mask_errors=False)
    peers = [await subscribed(consumer, user=name) for name in ("ann", "bob")]

    for number in (1, 2):
        await on_event.broadcast(group="room", payload=number)

    for peer in peers:
        failed, went_well = await peer.results("1", 2)
        assert failed["errors"]
        assert went_well == {"data": {"onEvent": {"text": 2}}}


# Time


async def test_a_publish_that_hangs(caplog: pytest.LogCaptureFixture) -> None:
    """It is cut for its cohort, once; other cohorts notice nothing, and the next event arrives."""
    began: Notes[Any] = Notes()
    never = asyncio.Event()

    async def publish(payload: Any, info: Any, room: str, given: Any = None) -> dict[str, Any]:
        began.add(given)
        if payload == given:
            await never.wait()
        return {"text": payload}

    on_event = declare(publish)
    consumer = serve(on_event, notification_timeout=LIMIT)
    hanging = [await subscribed(consumer, ON_EVENT, {"given": 1}) for _ in range(3)]
    others = [await subscribed(consumer, ON_EVENT, {"given": 2}) for _ in range(3)]
    since = Since()

    for number in (1, 3):
        await on_event.broadcast(group="room", payload=number)

    assert [await texts(peer, 2) for peer in others] == [[1, 3]] * 3
    assert since.cut == 0
    await began.reached(1, 1)
    pass_time(LIMIT)
    for peer in hanging:
        cut_off, went_well = await peer.results("1", 2)
        assert [error["message"] for error in cut_off["errors"]] == ["The notification took more than 30 seconds."]
        assert went_well == {"data": {"onEvent": {"text": 3}}}
    assert since.cut == 1
    assert began == [1, 2, 2, 1]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_a_personal_publish_that_hangs() -> None:
    """It is cut for that member."""
    hangs, never = asyncio.Event(), asyncio.Event()

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        if payload == 1 and info.context.user == "bob":
            hangs.set()
            await never.wait()
        return {"text": info.context.user}

    on_event = declare(publish)
    consumer = serve(on_event, notification_timeout=LIMIT)
    ann, bob = [await subscribed(consumer, user=name) for name in ("ann", "bob")]
    since = Since()

    for number in (1, 2):
        await on_event.broadcast(group="room", payload=number)

    assert await texts(ann, 2) == ["ann", "ann"]
    await hangs.wait()
    pass_time(LIMIT)
    cut_off, went_well = await bob.results("1", 2)
    assert cut_off["errors"]
    assert went_well == {"data": {"onEvent": {"text": "bob"}}}
    assert since.cut == 1


async def test_a_publish_that_will_not_be_cut() -> None:
    """What it says in the end is too late for anybody."""
    began, curtain, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def publish(payload: Any, info: Any, **arguments: Any) -> dict[str, Any]:
        if payload == 1:
            began.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await curtain.wait()
            ended.set()
        return {"text": payload}

    on_event = declare(publish)
    consumer = serve(on_event, notification_timeout=LIMIT)
    peers = [await subscribed(consumer) for _ in range(2)]

    for number in (1, 2):
        await on_event.broadcast(group="room", payload=number)
    await began.wait()
    pass_time(LIMIT)
    for peer in peers:
        await peer.results("1", 2)
    curtain.set()
    await ended.wait()
    await on_event.broadcast(group="room", payload=3)

    for peer in peers:
        cut_off, *others = await peer.results("1", 3)
        assert cut_off["errors"]
        assert others == [{"data": {"onEvent": {"text": number}}} for number in (2, 3)]


# Control


async def test_an_unsubscribe_in_the_middle() -> None:
    """What was broadcast before arrives, then the end; `unsubscribed` is called once for each."""
    gone: Notes[str] = Notes()

    async def unsubscribed(root: object, info: Any, **arguments: Any) -> None:
        gone.add(info.context.user)

    stage = Stage()
    on_event = declare(stage, unsubscribed=unsubscribed)
    consumer = serve(on_event)
    peers = {name: await subscribed(consumer, user=name) for name in ("ann", "bob", "cat")}
    await on_event.broadcast(group="room", payload=1)
    await stage.began.reached(1)
    await on_event.broadcast(group="room", payload=2)
    await on_event.unsubscribe(group="room")
    await on_event.broadcast(group="room", payload=3)

    stage.open()

    for peer in peers.values():
        assert await peer.results("1", 3) == [{"data": {"onEvent": {"text": number}}} for number in (1, 2)] + [None]
    await gone.reached(3)
    assert sorted(gone) == ["ann", "bob", "cat"]


async def test_connections_with_strict_ordering_and_others() -> None:
    """They share all the same, two equal subscriptions of one socket included."""
    stage = Stage()
    on_event = declare(stage)
    consumer = serve(on_event)
    free = await subscribed(consumer)
    consumer.strict_ordering = True
    strict = await subscribed(consumer)
    await strict.subscribe("2", ON_EVENT)
    await free.subscribe("2", ON_EVENT)

    for number in range(3):
        await on_event.broadcast(group="room", payload=number)
    await stage.began.reached(1)
    stage.open()

    for peer in (free, strict):
        for id in ("1", "2"):
            assert await texts(peer, 3, id) == [0, 1, 2]
    assert stage.began == [0, 1, 2]


async def test_a_strict_leader_who_goes() -> None:
    """Its other operations, and its cohort, go on."""
    stage = Stage()
    on_event = declare(stage)
    consumer = serve(on_event, strict_ordering=True)
    leader, other = [await subscribed(consumer) for _ in range(2)]
    await leader.subscribe("2", ON_EVENT)
    await on_event.broadcast(group="room", payload=1)
    await stage.began.reached(1)

    leader.complete("1")
    await stage.began.reached(2)
    stage.open()

    assert (await texts(leader, 1, "2"), await texts(other, 1)) == ([1], [1])


async def test_a_strict_member_who_goes_while_it_waits() -> None:
    """The other operations of its connection go on."""
    stage = Stage()
    on_event = declare(stage)
    consumer = serve(on_event, strict_ordering=True)
    leader, waits = [await subscribed(consumer) for _ in range(2)]
    await on_event.broadcast(group="room", payload=1)
    await stage.began.reached(1)

    waits.complete("1")
    waits.start("2", "{ nothing }")

    await waits.until(lambda messages: messages[-1]["type"] == "complete")
    assert len(leader.payloads("1")) == 1


async def test_a_subscription_whose_variables_have_no_key() -> None:
    """It is refused before `subscribe` runs, or `unsubscribed` runs as well."""
    calls: Notes[str] = Notes()

    async def subscribe(root: object, info: Any, **arguments: Any) -> list[str]:
        calls.add("subscribe")
        return ["room"]

    async def unsubscribed(root: object, info: Any, **arguments: Any) -> None:
        calls.add("unsubscribed")

    on_event = declare(Stage(), subscribe=subscribe, unsubscribed=unsubscribed)
    peer = await Peer.connect(serve(on_event).as_asgi())
    payload = {"query": ON_EVENT, "variables": {"given": "deep"}}
    text = json.dumps({"id": "1", "type": "subscribe", "payload": payload})
    peer.send_text(text.replace('"deep"', "[" * 1000 + "]" * 1000))
    await peer.until(lambda messages: messages[-1].get("id") == "1")
    await peer.leave()

    assert calls in ([], ["subscribe", "unsubscribed"])
