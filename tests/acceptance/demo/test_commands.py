"""Typed in a second terminal, while the demo runs with windows open."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

from playwright.async_api import expect

from tests.acceptance.demo.conftest import Visitor
from tests.conftest import one_loop
from tests.support.demo import DemoServer, demo_environment
from tests.support.server import ROOT

pytestmark = one_loop

BROADCAST = ["gqlws_broadcast", "lobby", "--subscription", "demo.schema.live.OnNotice"]


async def manage(demo: DemoServer, *arguments: str) -> str:
    """Run a command of the demo beside its server; what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "manage.py",
        *arguments,
        cwd=ROOT,
        env={**os.environ, **demo_environment(demo.data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_a_broadcast_reaches_the_windows(demo: DemoServer, visitor: Visitor, key: str) -> None:
    """It appears behind what was said, in the windows of that room alone, and what is said next comes below it."""
    alice, bob = await visitor(demo.http_url, "alice"), await visitor(demo.http_url)
    elsewhere = await visitor(demo.http_url)
    await elsewhere.enter("Garden")

    output = await manage(demo, *BROADCAST, "--payload", f'"Tea is ready {key}"')

    assert output.endswith("Sent.\n")
    for window in (alice, bob):
        await expect(window.page.get_by_role("log").locator("li:last-child")).to_have_text(f"Tea is ready {key}")
    await alice.write(f"Coming {key}")
    await bob.sees(f"Coming {key}")
    assert await bob.page.get_by_role("log").locator("li").last.locator("p").inner_text() == f"Coming {key}"
    await expect(elsewhere.page.get_by_text(f"Tea is ready {key}")).to_have_count(0)


async def test_the_demo_is_in_order(demo: DemoServer) -> None:
    """`gqlws_check` finds nothing to mend, and the server hears what the command would broadcast."""
    output = await manage(demo, "gqlws_check", "--url", demo.ws_url)

    assert "problem" not in output
    assert "arrive in:" in output
