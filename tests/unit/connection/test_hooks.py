"""What an application may have its say in."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import graphene
import pytest
from graphql import GraphQLError

from django_gqlws.connection import Hooks
from tests.project.journal import Event, journal
from tests.support.notes import Notes
from tests.support.tables import situations
from tests.unit.connection.peer import Peer, connect


class Query(graphene.ObjectType):
    tenant = graphene.String()
    names = graphene.String()

    @staticmethod
    async def resolve_tenant(root: Any, info: Any) -> str:
        return str(info.context.tenant)

    @staticmethod
    async def resolve_names(root: Any, info: Any) -> str:
        return ",".join(sorted(info.context))


SCHEMA = graphene.Schema(query=Query)


# get_context


class Tenants(Hooks):
    """The tenant is named in the extensions of each operation."""

    async def get_context(self, op_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"tenant": payload["extensions"]["tenant"], "asked_by": op_id}


async def test_the_entries_of_get_context() -> None:
    """They are attributes of this operation's context, and of no other's."""
    async with connect(Tenants(), schema=SCHEMA) as peer:
        for tenant in ("acme", "initech"):
            peer.send(type="subscribe", id="1", payload={"query": "{ tenant }", "extensions": {"tenant": tenant}})

            await peer.expect_next("1", tenant=tenant)
            assert await peer.receive() == {"id": "1", "type": "complete"}


async def test_a_plain_get_context() -> None:
    """It runs in a worker thread, where it may use the ORM."""

    class Plain(Hooks):
        def get_context(self, op_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:  # type: ignore[override]
            return MappingProxyType({"tenant": threading.current_thread() is threading.main_thread()})

    async with connect(Plain(), schema=SCHEMA) as peer:
        assert await peer.execute("{ tenant }") == {"data": {"tenant": "False"}}


async def test_a_get_context_that_returns_nothing() -> None:
    """The context has what it always has."""

    class Nothing(Hooks):
        async def get_context(self, op_id: str, payload: Mapping[str, Any]) -> None:
            return None

    async with connect(Nothing(), schema=SCHEMA) as peer:
        names = (await peer.execute("{ names }"))["data"]["names"]

    assert "graphql_operation_id" in names
    assert "tenant" not in names


async def test_on_operation_comes_before_get_context() -> None:
    """An operation that is refused needs no context."""
    calls: list[str] = []

    class Both(Hooks):
        async def on_operation(self, op_id: str, payload: Mapping[str, Any]) -> None:
            calls.append("on_operation")
            if "names" in payload["query"]:
                raise GraphQLError("not that one")

        async def get_context(self, op_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
            calls.append("get_context")
            return {"tenant": "acme"}

    async with connect(Both(), schema=SCHEMA) as peer:
        assert await peer.execute("{ tenant }") == {"data": {"tenant": "acme"}}
        peer.subscribe("1", "{ names }")
        assert await peer.receive() == {"id": "1", "type": "error", "payload": [{"message": "not that one"}]}

    assert calls == ["on_operation", "get_context", "on_operation"]


WRONG: dict[str, Any] = {
    "a list": [("tenant", "acme")],
    "a text": "acme",
    "names that are no text": {1: "acme"},
}


@pytest.mark.parametrize("returned", situations(WRONG))
async def test_a_get_context_that_returns_something_else(returned: Any) -> None:
    """The operation fails with an error that says what to return."""

    class Wrong(Hooks):
        async def get_context(self, op_id: str, payload: Mapping[str, Any]) -> Any:
            return returned

    async with connect(Wrong(), schema=SCHEMA, mask_errors=False) as peer:
        peer.subscribe("1", "{ tenant }")
        answer = await peer.receive()

    assert answer["type"] == "error"
    assert answer["payload"][0]["message"].startswith("TypeError: ")
    assert "get_context returned" in answer["payload"][0]["message"]
    assert "return a dict" in answer["payload"][0]["message"]


async def test_get_context_refuses() -> None:
    """A GraphQLError is the operation's `error`; the socket lives."""

    class Refusing(Hooks):
        async def get_context(self, op_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
            if "tenant" in payload["query"]:
                raise GraphQLError("no such tenant", extensions={"code": "TENANT"})
            return {}

    async with connect(Refusing(), schema=SCHEMA) as peer:
        peer.subscribe("1", "{ tenant }")
        error = {"message": "no such tenant", "extensions": {"code": "TENANT"}}
        assert await peer.receive() == {"id": "1", "type": "error", "payload": [error]}
        assert "data" in await peer.execute("{ names }")


# on_disconnect


class Leaving(Hooks):
    """Notes the codes that it is told; `on_connect` does as the payload says."""

    def __init__(self) -> None:
        self.codes: Notes[int] = Notes()

    async def on_connect(self, payload: Mapping[str, Any]) -> None:
        if payload.get("refuse"):
            raise GraphQLError("no")
        if gate := payload.get("gate"):
            journal.note(Event.STARTED, gate)
            await journal.reached(Event.OPENED, gate)

    async def on_disconnect(self, code: int) -> None:
        self.codes.add(code)


async def test_the_client_leaves() -> None:
    """on_disconnect gets its close code, once."""
    hooks = Leaving()

    async with connect(hooks) as peer:
        await peer.connection.disconnected(1001)

    assert hooks.codes == [1001]


async def test_the_server_closes() -> None:
    """on_disconnect gets the server's code, whatever the client's side answers."""
    hooks = Leaving()

    async with connect(hooks) as peer:
        peer.connection.receive_text("{")
        await peer.receive()

    assert hooks.codes == [4400]


async def refused(peer: Peer) -> None:
    peer.send(type="connection_init", payload={"refuse": True})
    await peer.receive()


async def said_nothing(peer: Peer) -> None:
    pass


async def left_while_on_connect_ran(peer: Peer) -> None:
    peer.send(type="connection_init", payload={"gate": "never opened"})
    await journal.reached(Event.STARTED, "never opened")


@pytest.mark.parametrize("end", [refused, said_nothing, left_while_on_connect_ran])
async def test_a_client_that_was_not_let_in(end: Any) -> None:
    """on_disconnect is not called: what on_connect did not begin needs no end."""
    hooks = Leaving()

    async with connect(hooks, init=False) as peer:
        await end(peer)

    assert hooks.codes == []


async def test_a_client_that_left_while_a_plain_on_connect_ran() -> None:
    """on_connect could not be stopped and let it in: on_disconnect follows."""
    codes: list[int] = []

    class Plain(Hooks):
        def on_connect(self, payload: Mapping[str, Any]) -> None:  # type: ignore[override]
            journal.note(Event.STARTED, "plain")
            journal.wait(Event.OPENED, "plain")

        def on_disconnect(self, code: int) -> None:  # type: ignore[override]
            codes.append(code)

    async with connect(Plain(), init=False) as peer:
        peer.send(type="connection_init")
        await journal.reached(Event.STARTED, "plain")
        leaving = asyncio.create_task(peer.connection.disconnected(1001))
        await asyncio.sleep(0)
        assert codes == []
        journal.note(Event.OPENED, "plain")
        await leaving
        assert codes == [1001]


async def test_an_on_disconnect_that_waits() -> None:
    """Everything else of the connection is released all the same."""
    called, gate = asyncio.Event(), asyncio.Event()

    class Slow(Hooks):
        async def on_disconnect(self, code: int) -> None:
            called.set()
            await gate.wait()

    async with connect(Slow()) as peer:
        peer.subscribe("1", '{ slowValue(key: "released") }')
        await journal.reached(Event.STARTED, "released")
        leaving = asyncio.create_task(peer.connection.disconnected(1000))

        await called.wait()
        await journal.reached(Event.CANCELLED, "released")

        assert not leaving.done()
        gate.set()
        await leaving


async def test_an_on_disconnect_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and nothing else happens."""

    class Failing(Hooks):
        async def on_disconnect(self, code: int) -> None:
            raise ValueError("a secret")

    with caplog.at_level(logging.ERROR, "django_gqlws"):
        async with connect(Failing()):
            pass

    [record] = caplog.records
    assert record.getMessage() == "on_disconnect(1006) failed."
    assert record.exc_info
