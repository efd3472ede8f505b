"""Messages are changed by other code than the chat's, and the open windows show it."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.acceptance.demo.conftest import Visitor
from tests.acceptance.demo.test_servers import manage
from tests.conftest import one_loop
from tests.support.demo import AdminPage, DemoServer

pytestmark = one_loop


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


async def test_a_message_is_edited_and_deleted_by_who_wrote_it(demo: DemoServer, visitor: Visitor, key: str) -> None:
    """The other window shows it at once, and has no buttons for what others have written."""
    alice, bob = await visitor(demo.http_url, "alice"), await visitor(demo.http_url, "bob")
    await alice.write(f"first {key}")
    await bob.sees(f"first {key}")

    await alice.edit(f"first {key}", f"second {key}")

    await bob.sees(f"second {key}")
    foreign = bob.page.get_by_role("log").locator("li", has_text=key)
    await expect(foreign.get_by_role("button")).to_have_count(0)

    await alice.delete(f"second {key}")

    await expect(foreign).to_have_count(0)


async def test_users_come_and_go_in_a_shell(demo: DemoServer, visitor: Visitor, key: str) -> None:
    """Whatever process saves a row, it appears, once; what vanishes with a user takes nothing else along."""
    alice = await visitor(demo.http_url, "alice")

    await shell(
        demo, f"Message(room=Room.objects.first(), sender=User.objects.create(username='{key}'), text='Hi').save()"
    )

    await expect(alice.page.get_by_text(key)).to_have_count(1)
    await alice.sees("Hi")

    await shell(demo, f"User.objects.get(username='{key}').delete()")

    await expect(alice.page.get_by_text(key)).to_have_count(0)
    await expect(alice.problem).to_be_hidden()
    assert "DoesNotExist" not in demo.log


async def test_the_subscription_of_a_window_is_ended(demo: DemoServer, visitor: Visitor) -> None:
    """Who is not told of changes any more is told that."""
    alice = await visitor(demo.http_url, "alice")
    await expect(alice.messages.last).to_be_visible()

    await shell(demo, "from demo.schema.live import OnMessageChange; OnMessageChange.unsubscribe_sync()")

    await expect(alice.problem).to_contain_text("reload it to go on")


async def shell(demo: DemoServer, code: str) -> None:
    """Run a line in a shell of the demo, beside its server."""
    imports = "from demo.models import *; from django.contrib.auth.models import User"
    done = await asyncio.to_thread(manage, demo.data, "shell", "-c", f"{imports}; {code}")
    assert done.returncode == 0, done.stderr
