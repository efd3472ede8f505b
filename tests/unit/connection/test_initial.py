"""The initial value of a subscription: a first notification for this subscriber alone."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

import graphene
import pytest
from graphql import GraphQLError

from django_gqlws import Subscription
from django_gqlws.counters import counters
from tests.support.clock import pass_time
from tests.support.notes import LIMIT, Notes, ThreadGate
from tests.support.tables import situations
from tests.unit.connection.peer import Peer, connect

language: ContextVar[str] = ContextVar("language", default="en")


class Stage:
    def __init__(self) -> None:
        self.notes: Notes[str] = Notes()
        self.gate = asyncio.Event()
        self.thread_gate = ThreadGate()


stage: Stage


@pytest.fixture(autouse=True)
async def own_stage() -> None:
    global stage
    stage = Stage()


class OnScore(Subscription):
    """Begins with the score of now; `how` says how that is found out."""

    class Arguments:
        how = graphene.String(default_value="returns")

    text = graphene.String()

    @staticmethod
    async def subscribe(root: Any, info: Any, how: str) -> list[str]:
        return ["room"]

    @staticmethod
    async def initial(root: Any, info: Any, how: str) -> Any:
        stage.notes.add("initial")
        assert root is None
        if how == "broadcasts":
            await OnScore.broadcast(group="room", payload="broadcast")
        if how == "joins":
            await info.context.join("later")
            await OnScore.broadcast(group="later", payload="later")
        if how == "waits":
            try:
                await stage.gate.wait()
            finally:
                stage.notes.add("initial is over")
        if how == "sets a variable":
            language.set("de")
        if how == "raises":
            raise GraphQLError("no score")
        if how == "breaks":
            raise ValueError("a secret")
        return None if how == "has nothing" else f"{how} {info.context.graphql_operation_id}"

    @staticmethod
    async def publish(payload: str, info: Any, how: str) -> OnScore | None:
        stage.notes.add(f"publish {payload}")
        if how == "publishes nothing":
            return None
        return OnScore(text=f"{payload}!" if language.get() == "en" else f"{payload}?")

    @staticmethod
    async def unsubscribed(root: Any, info: Any, how: str) -> None:
        stage.notes.add("unsubscribed")


class OnSyncScore(Subscription):
    """The same in sync code."""

    text = graphene.String()

    def subscribe(self, info: Any) -> list[str]:
        return ["room"]

    @classmethod
    def initial(cls, root: Any, info: Any) -> str:
        return f"{cls.__name__} {info.context.graphql_operation_id}"

    @staticmethod
    def publish(payload: str, info: Any) -> OnSyncScore:
        return OnSyncScore(text=payload)


class OnPlainScore(Subscription):
    """Its method is a plain function, which gets the root first."""

    text = graphene.String()

    def initial(self, info: Any) -> str:
        assert self is None
        stage.thread_gate.wait()
        return "plain"

    async def publish(self, info: Any) -> OnPlainScore:
        return OnPlainScore(text=self)


class Query(graphene.ObjectType):
    value = graphene.String()


class Subscriptions(graphene.ObjectType):
    on_score = OnScore.Field()
    on_sync_score = OnSyncScore.Field()
    on_plain_score = OnPlainScore.Field()


SCHEMA = graphene.Schema(query=Query, subscription=Subscriptions)
SCORE = "subscription ($how: String) { onScore(how: $how) { text } }"


def connect_here(**settings: Any) -> Any:
    return connect(schema=SCHEMA, **settings)


def listen(peer: Peer, how: str = "returns", id: str = "1") -> None:
    peer.subscribe(id, SCORE, how=how)


async def texts(peer: Peer, count: int) -> list[str]:
    results = [await peer.receive() for _ in range(count)]
    return [result["payload"]["data"]["onScore"]["text"] for result in results]


async def test_an_initial_value() -> None:
    """It goes through `publish`, comes behind the confirmation, and is for each subscriber alone."""
    async with connect_here(confirm_subscriptions=True) as peer:
        for id in ("1", "2"):
            listen(peer, id=id)
            assert (await peer.receive())["payload"] == {"data": None}
            await peer.expect_next(id, onScore={"text": f"returns {id}!"})


@pytest.mark.parametrize("strict_ordering", [False, True])
@pytest.mark.parametrize("how", ["broadcasts", "joins"])
async def test_a_broadcast_while_the_initial_value_is_made(how: str, strict_ordering: bool) -> None:
    """It is not missed, and comes behind it."""
    async with connect_here(strict_ordering=strict_ordering) as peer:
        listen(peer, how)

        assert await texts(peer, 2) == [f"{how} 1!", "broadcast!" if how == "broadcasts" else "later!"]


async def test_a_slow_initial_value_delays_nobody_else() -> None:
    """Another subscription gets its notifications; the slow one gets them later, in order."""
    async with connect_here() as slow, connect_here() as quick:
        listen(slow, "waits")
        listen(quick)
        assert await texts(quick, 1) == ["returns 1!"]

        for text in ("a", "b"):
            await OnScore.broadcast(group="room", payload=text)
        assert await texts(quick, 2) == ["a!", "b!"]
        stage.gate.set()

        assert await texts(slow, 3) == ["waits 1!", "a!", "b!"]


@pytest.mark.parametrize("how", ["has nothing", "publishes nothing"])
async def test_no_initial_value(how: str) -> None:
    """Nothing is sent, and the subscription lives."""
    async with connect_here() as peer:
        listen(peer, how)
        await stage.notes.reached(1)

        await OnScore.broadcast(group="room", payload="a")

        await stage.notes.reached(1, "publish a")
        assert "publish None" not in stage.notes
        if how == "has nothing":
            assert await texts(peer, 1) == ["a!"]
        else:
            peer.assert_silence()


ERRORS = {
    "a GraphQLError": ("raises", False, "no score"),
    "an exception": ("breaks", False, "a secret"),
    "an exception, masked": ("breaks", True, "Internal server error"),
}


@pytest.mark.parametrize(("how", "masks", "message"), situations(ERRORS))
async def test_an_initial_value_that_fails(how: str, masks: bool, message: str) -> None:
    """The error is a result, with the field that it belongs to; the subscription goes on."""
    async with connect_here(mask_errors=masks) as peer:
        listen(peer, how)
        result = (await peer.receive())["payload"]
        await OnScore.broadcast(group="room", payload="a")

        assert result["data"] is None
        [error] = result["errors"]
        assert (error["message"], error["path"]) == (message, ["onScore"])
        assert await texts(peer, 1) == ["a!"]


async def test_an_initial_value_that_takes_too_long(caplog: pytest.LogCaptureFixture) -> None:
    """It is cut, counted and logged; what was broadcast meanwhile is delivered."""
    before = counters.cut
    async with connect_here(notification_timeout=LIMIT) as peer:
        listen(peer, "waits")
        await stage.notes.reached(1)
        await OnScore.broadcast(group="room", payload="a")

        pass_time(LIMIT)

        assert "took more than 30 seconds" in (await peer.receive())["payload"]["errors"][0]["message"]
        assert await texts(peer, 1) == ["a!"]

    assert counters.cut == before + 1
    assert "and was cut" in caplog.text


async def test_the_end_while_an_initial_value_is_made() -> None:
    """It is cancelled, nothing is sent, and `unsubscribed` is called."""
    async with connect_here() as peer:
        listen(peer, "waits")
        await stage.notes.reached(1, "initial")

        peer.complete("1")

        await stage.notes.reached(1, "unsubscribed")
        await stage.notes.reached(1, "initial is over")
        stage.gate.set()
        peer.assert_silence()


async def test_an_unsubscribe_while_an_initial_value_is_made() -> None:
    """It is delivered before the `complete`."""
    async with connect_here() as peer:
        listen(peer, "waits")
        await stage.notes.reached(1, "initial")

        await OnScore.unsubscribe_async()
        stage.gate.set()

        assert await texts(peer, 1) == ["waits 1!"]
        assert await peer.receive() == {"id": "1", "type": "complete"}


async def test_a_context_variable_that_an_initial_value_sets() -> None:
    """It reaches the `publish` of that value, and no later one: others share those."""
    async with connect_here() as peer:
        listen(peer, "sets a variable")
        assert await texts(peer, 1) == ["sets a variable 1?"]

        await OnScore.broadcast(group="room", payload="a")

        assert await texts(peer, 1) == ["a!"]


async def test_a_sync_initial_value() -> None:
    """It is made in a worker thread, by a class method or a plain one."""
    async with connect_here() as peer:
        peer.subscribe("1", "subscription { onSyncScore { text } }")
        await peer.expect_next("1", onSyncScore={"text": "OnSyncScore 1"})

        peer.subscribe("2", "subscription { onPlainScore { text } }")
        await stage.thread_gate.reached.wait()
        await OnPlainScore.broadcast(payload="broadcast")
        stage.thread_gate.open()

        await peer.expect_next("2", onPlainScore={"text": "plain"})
        await peer.expect_next("2", onPlainScore={"text": "broadcast"})


async def test_many_initial_values_at_once() -> None:
    """More than may be made side by side: each subscriber gets its own."""
    async with connect_here() as peer:
        ids = [str(number) for number in range(150)]
        for id in ids:
            listen(peer, id=id)

        results = [await peer.receive() for _ in ids]

    assert {result["id"]: result["payload"]["data"]["onScore"]["text"] for result in results} == {
        id: f"returns {id}!" for id in ids
    }
