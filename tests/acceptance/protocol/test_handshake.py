"""The handshake: subprotocols, compression, origins."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.support.client import Client, Closed, connect
from tests.support.project import Inside, ProjectServer

RECORD = "mutation ($key: String!) { record(key: $key) }"


class TestSubprotocol:
    @pytest.mark.parametrize(
        "offered",
        [
            ["graphql-transport-ws"],
            ["graphql-transport-ws", "graphql-ws"],
            ["graphql-ws", "graphql-transport-ws"],
            ["soap", "mqtt", "graphql-transport-ws"],
        ],
    )
    async def test_it_is_chosen_wherever_it_stands_in_the_list(
        self, project: ProjectServer, offered: list[str]
    ) -> None:
        """Its place does not matter: clients that know both offer the legacy one first."""
        async with connect(project.url(), subprotocols=offered) as client:
            assert client.subprotocol == "graphql-transport-ws"
            assert await client.init() == {"type": "connection_ack"}

    @pytest.mark.parametrize(
        "offered",
        [
            None,
            ["graphql-ws"],
            ["soap"],
            ["GraphQL-Transport-WS"],
            ["GRAPHQL-TRANSPORT-WS"],
            ["graphql-transport-ws2"],
            ["xgraphql-transport-ws"],
            ["graphql-transport"],
        ],
    )
    async def test_nothing_acceptable_is_accepted_and_closed_with_4406(
        self, project: ProjectServer, offered: list[str] | None
    ) -> None:
        """The handshake succeeds, without a subprotocol, so that a browser can read why it is closed."""
        async with connect(project.url(), subprotocols=offered) as client:
            assert client.subprotocol is None
            await client.expect_close(4406, project.reason("Subprotocol not acceptable"))

    async def test_nothing_is_executed_without_a_subprotocol(
        self, project: ProjectServer, inside: Inside, key: str
    ) -> None:
        """What a client sends without waiting for the close has no effect."""
        async with connect(project.url(), subprotocols=["graphql-ws"]) as client:
            await send_a_mutation_at_once(client, key)

            await client.expect_close(4406)

        assert await inside.count("EXECUTED", key) == 0


class TestCompression:
    async def test_permessage_deflate_is_negotiated(self, uvicorn: ProjectServer) -> None:
        """A client that offers compression gets it, and large and small messages pass both ways."""
        async with connect(uvicorn.url(), compression="deflate") as client:
            (extension,) = client.websocket.protocol.extensions
            assert extension.name == "permessage-deflate"
            await exchange_large_and_small(client)

    async def test_a_client_that_offers_compression_is_served(self, project: ProjectServer) -> None:
        """Offering compression to a server that has none does no harm."""
        async with connect(project.url(), compression="deflate") as client:
            await exchange_large_and_small(client)


class TestOrigin:
    async def test_a_missing_origin_passes(self, project: ProjectServer) -> None:
        """What sends no Origin is not a browser."""
        async with connect(project.url(), origin=None) as client:
            await client.init()

    async def test_the_own_host_passes(self, project: ProjectServer) -> None:
        """A page that the same host served may connect."""
        async with connect(project.url(), origin=f"http://{project.host}") as client:
            await client.init()

    @pytest.mark.parametrize(
        "origin",
        [
            "https://foreign.example",
            "http://127.0.0.1.foreign.example",
            "http://foreign.example/{host}",
            "null",
        ],
    )
    async def test_a_foreign_origin_is_accepted_and_closed_with_4403(
        self, project: ProjectServer, inside: Inside, key: str, origin: str
    ) -> None:
        """The page of another site learns why, the log names it, and nothing that it sends is executed."""
        async with connect(project.url(), origin=origin.format(host=project.host)) as client:
            await send_a_mutation_at_once(client, key)

            closed = await client.closed()

        assert closed.code == 4403
        assert ("origin" in closed.reason.lower()) == (project.reason("any") != "")
        assert repr(origin.format(host=project.host)) in project.log
        assert await inside.count("EXECUTED", key) == 0

    @pytest.mark.parametrize("origin", ["garbage", "http://", "http://127.0.0.1:port", "http://[::1"])
    async def test_an_origin_that_is_none_is_foreign(self, uvicorn: ProjectServer, origin: str) -> None:
        """What cannot be read is not trusted. (Daphne itself answers 400.)"""
        async with connect(uvicorn.url(), origin=origin) as client:
            await client.expect_close(4403)

    async def test_a_listed_origin_passes(self, project: ProjectServer) -> None:
        """The setting names another site, whose pages may connect."""
        async with connect(project.url("partner/"), origin="https://partner.example") as client:
            await client.init()

    @pytest.mark.parametrize(
        "origin",
        ["http://partner.example", "https://partner.example:8443", "https://www.partner.example"],
    )
    async def test_an_origin_is_listed_with_its_scheme_and_port(self, project: ProjectServer, origin: str) -> None:
        """Another scheme, port or subdomain of a listed site is another origin."""
        async with connect(project.url("partner/"), origin=origin) as client:
            await client.expect_close(4403)

    async def test_a_star_lets_every_origin_pass(self, project: ProjectServer) -> None:
        """The check can be switched off."""
        async with connect(project.url("public/"), origin="https://foreign.example") as client:
            await client.init()


async def send_a_mutation_at_once(client: Client, key: str) -> None:
    payload = {"query": RECORD, "variables": {"key": key}}
    # The close may be here already.
    with suppress(Closed):
        await client.send_together({"type": "connection_init"}, {"type": "subscribe", "id": "1", "payload": payload})


async def exchange_large_and_small(client: Client) -> None:
    await client.init()
    text = "abc" * 50_000
    document = "query ($text: String) { echoText(text: $text) }"
    assert await client.execute("1", document, {"text": text}) == {"data": {"echoText": text}}
    assert await client.execute("2", "{ value }") == {"data": {"value": "value"}}
