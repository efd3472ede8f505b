"""A server is restarted while people read and write: nobody loses the place."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import expect

from tests.acceptance.demo.conftest import Visitor
from tests.acceptance.demo.test_servers import manage
from tests.conftest import one_loop
from tests.support.demo import DemoServer

pytestmark = one_loop

TALK = """
from django.contrib.auth.models import User
from demo.models import Message, Room
room, bob = Room.objects.get(slug="lobby"), User.objects.get(username="bob")
Message.objects.all().delete()
Message.objects.bulk_create(Message(room=room, sender=bob, text=f"message {number:03}") for number in range(120))
"""
MEANWHILE = """
from demo.models import Message
message = Message.objects.get(text="message 100")
message.text = "message 100, mended"
message.save()
Message.objects.get(text="message 110").delete()
Message.objects.create(room=message.room, sender=message.sender, text="message 120")
"""
SAID = [f"message {number:03}" for number in range(121) if number != 110]
SAID[100] = "message 100, mended"


async def run(data: Path, code: str) -> None:
    """Have a shell of the demo do something."""
    done = await asyncio.to_thread(manage, data, "shell", "-c", code)
    assert done.returncode == 0, done.stderr


async def test_after_a_restart_who_reads_and_writes_is_where_they_were(demo_data: Path, visitor: Visitor) -> None:
    """What was said, edited and deleted meanwhile is shown once; the place, the draft and the login are kept."""
    await run(demo_data, TALK)
    with DemoServer(demo_data) as server:
        alice = await visitor(server.http_url, "alice")
        await alice.scroll_up_to("message 000")
        await alice.show("message 060")
        await alice.page.get_by_label("Message", exact=True).fill("not sent yet")
        place = await alice.position_of("message 060")
        server.stop()
        await alice.sees_state("connection lost, trying again")
        await run(demo_data, MEANWHILE)

        server.start()

        await expect(alice.page.get_by_text("message 100, mended")).to_be_attached()
        await expect(alice.page.get_by_role("button", name="1 new message")).to_be_visible()
        assert await alice.messages.all_text_contents() == SAID
        assert abs(await alice.position_of("message 060") - place) < 2
        await expect(alice.page.get_by_label("Message", exact=True)).to_have_value("not sent yet")
        await alice.is_logged_in_as("alice")

        await alice.page.get_by_role("button", name="1 new message").click()

        await expect(alice.page.get_by_text("message 120")).to_be_in_viewport()
        await alice.sees_unread("Lobby", 0)
