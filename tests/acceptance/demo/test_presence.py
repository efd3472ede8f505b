"""Who is online is what everybody sees, whatever becomes of the processes that serve them."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.demo.conftest import Visitor
from tests.conftest import one_loop
from tests.support.demo import DemoServer

pytestmark = one_loop


async def test_who_comes_and_goes_is_shown(demo_data: Path, visitor: Visitor) -> None:
    """At once, also for those whom another process serves; a second window of a user is not a second user."""
    with DemoServer(demo_data) as one, DemoServer(demo_data) as other:
        alice = await visitor(one.http_url, "alice")
        bob = await visitor(other.http_url, "bob")
        await visitor(other.http_url, "bob")
        for window in (alice, bob):
            await window.sees_online("alice", "bob")

        other.kill()  # It can tell nobody.

        await bob.sees_state("connection lost, trying again")
        await alice.sees_online("alice")

        other.start()

        for window in (alice, bob):
            await window.sees_online("alice", "bob")

        await alice.page.close()

        await bob.sees_online("bob")
