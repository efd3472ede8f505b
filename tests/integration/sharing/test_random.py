"""Whatever subscribers and events there are: what is delivered is what an execution for each would have given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import graphene
import pytest
from graphene.types.generic import GenericScalar
from graphql import GraphQLError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_gqlws import Subscription, on_loop
from tests.support.peers import Peer
from tests.support.sharing import Since, serve

# Who leaves while a worker thread builds a result abandons the coroutines in it.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")

tenant: ContextVar[str] = ContextVar("tenant")


def user_of(info: Any) -> str:
    return str(info.context.user)


async def user_of_in_a_task(info: Any) -> str:
    await asyncio.sleep(0)
    return user_of(info)


async def user_of_in_a_thread(info: Any) -> str:
    return await asyncio.to_thread(user_of, info)


async def user_of_late(info: Any) -> str:
    for _ in range(5):
        await asyncio.sleep(0)
    *_, context, _ = info
    return str(context["user"])


LOOKS: list[Callable[[Any], Any]] = [
    user_of,
    lambda info: info[-2].user,
    lambda info: info._asdict()["context"].user,
    lambda info: (info + ())[10].user,  # noqa: RUF005
    user_of_in_a_task,
    user_of_in_a_thread,
    user_of_late,
]


async def look(info: Any, way: int | None) -> str | None:
    if way is None:
        return None
    found = LOOKS[way](info)
    return await found if asyncio.iscoroutine(found) else found


class Inner(graphene.ObjectType):
    """A level below, which looks if the payload says so."""

    viewer = graphene.String()
    plain = graphene.String()

    @staticmethod
    async def resolve_viewer(root: Any, info: Any) -> str | None:
        return await look(info, root["below"])

    @staticmethod
    def resolve_plain(root: Any, info: Any) -> str | None:
        return user_of(info) if root["below"] == 0 else None


class OnEvent(Subscription):
    """Does what its payload says."""

    class Arguments:
        rooms = graphene.List(graphene.String, required=True)
        given = GenericScalar()

    text = GenericScalar()
    inner = graphene.Field(Inner)

    @staticmethod
    async def subscribe(root: object, info: Any, rooms: list[str], **_: Any) -> list[str]:
        tenant.set(info.context.channels_scope["tenant"])
        return rooms

    @staticmethod
    async def publish(payload: Any, info: Any, rooms: list[str], **arguments: Any) -> Any:
        for _ in range(payload["pause"]):
            await asyncio.sleep(0)
        found = await look(info, payload["way"])
        if payload["sender"] is not None and user_of(info) == payload["sender"]:
            return None
        if payload["fails"]:
            raise GraphQLError(f"failed for {found} of {tenant.get()}")
        return {"text": [payload["number"], found, tenant.get(), repr(arguments)], "inner": payload}


class OnEventAtOnce(OnEvent):
    """The same, with a `publish` that never waits."""

    @staticmethod
    @on_loop
    def publish(payload: Any, info: Any, rooms: list[str], **arguments: Any) -> Any:
        found = None if payload["way"] is None else user_of(info)
        if payload["sender"] is not None and user_of(info) == payload["sender"]:
            return None
        if payload["fails"]:
            raise GraphQLError(f"failed for {found} of {tenant.get()}")
        return {"text": [payload["number"], found, tenant.get(), repr(arguments)], "inner": payload}


QUERIES = [
    "text",
    "text inner { viewer }",
    "text inner { viewer plain }",
    "inner { plain }",
]


@dataclass(frozen=True)
class Who:
    """One subscription."""

    user: str
    tenant: str
    rooms: tuple[str, ...]
    query: int
    variables: tuple[tuple[str, Any], ...]
    leaves: int | None
    """After so many events."""


people = st.builds(
    Who,
    user=st.sampled_from(["ann", "bob", "cat"]),
    tenant=st.sampled_from(["x", "y"]),
    rooms=st.sampled_from([("a",), ("b",), ("a", "b"), ()]),
    query=st.integers(0, len(QUERIES) - 1),
    variables=st.sampled_from([(), (("given", None),), (("given", 1),), (("given", True),), (("given", 1.0),)]),
    leaves=st.none() | st.none() | st.integers(0, 6),
)
looks = st.none() | st.integers(0, len(LOOKS) - 1)
events = st.tuples(
    st.sampled_from(["a", "b", None]),
    st.fixed_dictionaries(
        {
            "way": looks,
            "below": looks,
            "sender": st.none() | st.none() | st.sampled_from(["ann", "bob"]),
            "fails": st.sampled_from([False, False, False, True]),
            "pause": st.integers(0, 3),
        }
    ),
)


async def delivered(
    subscription: type[Subscription], who: list[Who], what: list[tuple[str | None, dict[str, Any]]]
) -> list[list[Any]]:
    """All results of each subscriber, in order."""
    application = serve(subscription).as_asgi()  # type: ignore[attr-defined]
    peers = []
    for one in who:
        peer = await Peer.connect(application, user=one.user, tenant=one.tenant)
        query = f"subscription ($rooms: [String]!, $given: GenericScalar) {{ onEvent(rooms: $rooms, given: $given) {{ {QUERIES[one.query]} }} }}"  # noqa: E501
        await peer.subscribe("1", query, {"rooms": list(one.rooms), **dict(one.variables)})
        peers.append(peer)
    for number, (room, payload) in enumerate(what):
        for one, peer in zip(who, peers, strict=True):
            if one.leaves == number:
                peer.complete("1")
        await subscription.broadcast(group=room, payload={**payload, "number": number})
    await subscription.unsubscribe()
    for one, peer in zip(who, peers, strict=True):
        if one.leaves is None or one.leaves >= len(what):
            await peer.until(lambda messages: messages[-1]["type"] == "complete")
            assert peer.payloads("1").pop() is None
        await peer.leave()
    return [[result for result in peer.payloads("1")[1:] if result is not None] for peer in peers]


async def compare(shared: type[Subscription], who: list[Who], what: list[tuple[str | None, dict[str, Any]]]) -> None:
    for_each = await delivered(type("ForEach", (shared,), {"shared": False}), [*map(staying, who)], what)
    since = Since()
    together = await delivered(shared, who, what)

    for one, got, expected in zip(who, together, for_each, strict=True):
        if one.leaves is None:
            assert got == expected
        else:
            assert got == expected[: len(got)]
    assert since.executed <= len(who) * len(what)


def staying(one: Who) -> Who:
    return Who(one.user, one.tenant, one.rooms, one.query, one.variables, None)


RANDOM = settings(
    max_examples=40,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@RANDOM
@given(who=st.lists(people, min_size=1, max_size=7), what=st.lists(events, max_size=6))
async def test_random_subscribers_and_events(who: list[Who], what: list[tuple[str | None, dict[str, Any]]]) -> None:
    """Each one gets each event exactly once, in order, and as if it had been executed for them alone."""
    await compare(OnEvent, who, what)


@RANDOM
@given(who=st.lists(people, min_size=1, max_size=7), what=st.lists(events, max_size=6))
async def test_random_events_that_are_executed_at_once(
    who: list[Who], what: list[tuple[str | None, dict[str, Any]]]
) -> None:
    """The same holds where nothing is awaited."""
    await compare(OnEventAtOnce, who, what)
