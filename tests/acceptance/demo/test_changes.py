"""Messages are changed by other code than the chat's, and the open windows show it."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.acceptance.demo.conftest import Visitor
from tests.acceptance.demo.test_servers import manage
from tests.support.demo import AdminPage, DemoServer


async def test_a_message_is_edited_and_deleted_in_the_admin(demo: DemoServer, visitor: Visitor, key: str) -> None:
    """It changes, and vanishes, in the chat windows: in that of its author and in those of others."""
    alice, bob = await visitor(demo.http_url, "alice"), await visitor(demo.http_url)
    await alice.write(f"tpyo {key}")
    await bob.sees(f"tpyo {key}")
    admin = await AdminPage.open(await alice.page.context.browser.new_page(), demo.http_url)

    await admin.edit_message(f"tpyo {key}", f"typo {key}")

    for window in (alice, bob):
        await window.sees(f"typo {key}")

    await admin.delete_message(f"typo {key}")

    for window in (alice, bob):
        await expect(window.page.get_by_text(key)).to_have_count(0)
    await admin.page.close()


async def test_a_message_is_written_in_a_shell(demo: DemoServer, visitor: Visitor, key: str) -> None:
    """Whatever process saves a row, it appears, once."""
    alice = await visitor(demo.http_url, "alice")
    code = (
        "from demo.models import *; m = Message.objects.filter(room__slug='lobby')[0];"
        f" Message(room=m.room, sender=m.sender, text='{key}').save()"
    )

    done = await asyncio.to_thread(manage, demo.data, "shell", "-c", code)

    assert done.returncode == 0, done.stderr
    await alice.sees(key)
