"""What Channels asks of a channel layer, held against each of them.

`differences.py` says which ones are known not to keep it.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull

from tests.integration.layers.conftest import Later, Make, Waits
from tests.support.notes import LIMIT
from tests.support.tables import situations

PROMPTLY: float = LIMIT
"""Seconds: far above what a message takes. Less where the layer is known to give none."""

EXPIRY = 60
"""Seconds: far above what a test takes."""

BURST = 1_000

MARKER = {"type": "marker"}


def numbered(number: int) -> dict[str, Any]:
    """A message that can be told from others."""
    return {"type": "test.message", "number": number}


async def receive(layer: Any, channel: str) -> Any:
    """The next message, which has to come soon."""
    async with asyncio.timeout(PROMPTLY):
        return await layer.receive(channel)


async def numbers(layer: Any, channel: str, count: int) -> list[int]:
    """The numbers of the next messages."""
    return [(await receive(layer, channel))["number"] for _ in range(count)]


async def expect_nothing(layer: Any, channel: str) -> None:
    """Nothing has been sent to the channel that was not received."""
    await layer.send(channel, MARKER)
    assert await receive(layer, channel) == MARKER


class TestChannels:
    async def test_messages_arrive_in_order(self, make: Make) -> None:
        """Each once."""
        layer = make()
        channel = await layer.new_channel()

        for number in range(50):
            await layer.send(channel, numbered(number))

        assert await numbers(layer, channel, 50) == list(range(50))
        await expect_nothing(layer, channel)

    async def test_a_receiver_waits(self, make: Make) -> None:
        """It gets the message when it is sent."""
        layer = make()
        channel = await layer.new_channel()
        receiving = asyncio.create_task(receive(layer, channel))
        await asyncio.sleep(0)

        await layer.send(channel, numbered(1))

        assert await receiving == numbered(1)

    async def test_channels_keep_apart(self, make: Make) -> None:
        """A message is for its channel alone."""
        layer = make()
        one, other = await layer.new_channel(), await layer.new_channel()

        await layer.send(one, numbered(1))
        await layer.send(other, numbered(2))

        assert await receive(layer, other) == numbered(2)
        assert await receive(layer, one) == numbered(1)

    async def test_several_receive_from_one_channel(self, make: Make) -> None:
        """Each message goes to one of them."""
        layer = make()
        channel = await layer.new_channel()
        receiving = [asyncio.create_task(receive(layer, channel)) for _ in range(5)]
        await asyncio.sleep(0)

        for number in range(5):
            await layer.send(channel, numbered(number))

        received = await asyncio.gather(*receiving)
        assert sorted(message["number"] for message in received) == list(range(5))

    async def test_a_receive_is_cancelled(self, make: Make) -> None:
        """What comes afterwards waits for the next one."""
        layer = make()
        channel = await layer.new_channel()
        receiving = asyncio.create_task(layer.receive(channel))
        await asyncio.sleep(0)
        receiving.cancel()
        with suppress(asyncio.CancelledError):
            await receiving

        await layer.send(channel, numbered(1))

        assert await receive(layer, channel) == numbered(1)

    async def test_receivers_are_cancelled_while_messages_arrive(self, make: Make) -> None:
        """No message goes with them."""
        layer = make()
        channel = await layer.new_channel()
        received: list[Any] = []
        stays = asyncio.create_task(numbers(layer, channel, 1))

        async def take() -> None:
            received.append((await layer.receive(channel))["number"])

        for number in range(20):
            goes = asyncio.create_task(take())
            await asyncio.sleep(0)
            sending = asyncio.create_task(layer.send(channel, numbered(number)))
            for _ in range(number % 5):
                await asyncio.sleep(0)
            goes.cancel()
            await asyncio.wait([goes, sending])

        received += await stays
        received += await numbers(layer, channel, 20 - len(received))
        assert sorted(received) == list(range(20))

    async def test_the_channel_name_says_whose_it_is(self, make: Make) -> None:
        """It begins with the prefix, is unique, and valid for all layers."""
        layer = make()

        names = [await layer.new_channel("my.prefix") for _ in range(50)]

        assert len(set(names)) == 50
        for name in names:
            assert name.startswith("my.prefix")
            assert "!" in name
            assert len(name) < 100

    @pytest.mark.parametrize(
        "name",
        situations(
            {
                "with a space": "a channel",
                "not in ASCII": "chännel",
                "empty": "",
                "too long": "a" * 100,
                "no text": 42,
            }
        ),
    )
    async def test_a_channel_name(self, make: Make, name: Any) -> None:
        """It is refused at once."""
        layer = make()

        with pytest.raises((TypeError, AssertionError)):
            await layer.send(name, numbered(1))

    async def test_a_thread_sends_while_the_loop_is_idle(self, make: Make) -> None:
        """It wakes the loop; its own loop is gone when the message arrives."""
        layer = make()
        channel = await layer.new_channel()
        receiving = asyncio.create_task(receive(layer, channel))
        await asyncio.sleep(0)
        began = asyncio.get_running_loop().time()

        thread = threading.Thread(target=async_to_sync(layer.send), args=(channel, numbered(1)))
        thread.start()

        assert await receiving == numbered(1)
        assert asyncio.get_running_loop().time() - began < PROMPTLY
        thread.join()


class TestMessages:
    async def test_what_a_message_may_hold(self, make: Make) -> None:
        """It arrives as it was sent."""
        layer = make()
        channel = await layer.new_channel()
        message = {
            "type": "test",
            "texts": ["", "ümlaut", "🐍"],
            "bytes": b"\x00\xff",
            "numbers": [0, -1, 2**40, 1.5],
            "others": [None, True, False],
            "nested": {"deep": {"er": []}},
        }

        await layer.send(channel, message)

        assert await receive(layer, channel) == message

    async def test_a_message_of_a_megabyte(self, make: Make) -> None:
        """It arrives like any other."""
        layer = make()
        channel = await layer.new_channel()

        await layer.send(channel, {"type": "test", "bytes": b"x" * 2**20})

        assert len((await receive(layer, channel))["bytes"]) == 2**20

    async def test_each_receiver_has_its_own_copy(self, make: Make) -> None:
        """What one does with it is nobody else's affair."""
        layer = make()
        one, other = await layer.new_channel(), await layer.new_channel()
        for channel in (one, other):
            await layer.group_add("copies", channel)

        await layer.group_send("copies", {"type": "test", "list": [1]})

        (await receive(layer, one))["list"].append(2)
        assert await receive(layer, other) == {"type": "test", "list": [1]}

    async def test_the_sender_changes_its_message(self, make: Make) -> None:
        """What arrives is what it was."""
        layer = make()
        channel = await layer.new_channel()
        message = numbered(1)

        await layer.send(channel, message)
        message["number"] = 2

        assert await receive(layer, channel) == numbered(1)

    async def test_keys_that_are_no_texts(self, make: Make) -> None:
        """They arrive, too."""
        layer = make()
        channel = await layer.new_channel()

        await layer.send(channel, {"type": "test", "counts": {1: 2}})

        assert await receive(layer, channel) == {"type": "test", "counts": {1: 2}}

    async def test_a_message_that_cannot_travel(self, make: Make) -> None:
        """The sender hears of it."""
        layer = make()
        channel = await layer.new_channel()

        with pytest.raises((TypeError, ValueError)):
            await layer.send(channel, {"type": "test", "object": object()})

    async def test_a_message_that_is_no_dict(self, make: Make) -> None:
        """It is refused."""
        layer = make()

        with pytest.raises((TypeError, AssertionError)):
            await layer.send("channel", ["type", "test"])


class TestNormalChannels:
    async def test_a_normal_channel_keeps_what_comes_before_its_receiver(self, make: Make) -> None:
        """In order."""
        layer = make()

        for number in range(10):
            await layer.send("work", numbered(number))

        assert await numbers(layer, "work", 10) == list(range(10))

    async def test_a_receiver_of_a_normal_channel_waits(self, make: Make, waits: Waits) -> None:
        """It gets the message when it is sent."""
        layer = make()
        receiving = asyncio.create_task(receive(layer, "work"))
        await asyncio.sleep(0)
        await waits("work")

        await layer.send("work", numbered(1))

        assert await receiving == numbered(1)

    async def test_a_normal_channel_is_full(self, make: Make) -> None:
        """The sender hears of it, and can send again when there is room."""
        layer = make(capacity=3)
        for number in range(3):
            await layer.send("work", numbered(number))

        with pytest.raises(ChannelFull):
            await layer.send("work", numbered(3))
        assert await receive(layer, "work") == numbered(0)

        await layer.send("work", numbered(4))
        assert await numbers(layer, "work", 3) == [1, 2, 4]

    async def test_a_normal_channel_in_a_group(self, make: Make) -> None:
        """It gets what is sent to the group, once."""
        layer = make()
        await layer.group_add("group", "work")

        await layer.group_send("group", numbered(1))
        await layer.group_discard("group", "work")
        await layer.group_send("group", numbered(2))

        assert await receive(layer, "work") == numbered(1)
        await expect_nothing(layer, "work")


class TestGroups:
    async def test_the_members_get_a_message(self, make: Make) -> None:
        """Each once, and nobody else."""
        layer = make()
        members = [await layer.new_channel() for _ in range(5)]
        stranger = await layer.new_channel()
        for channel in members:
            await layer.group_add("group", channel)

        await layer.group_send("group", numbered(1))

        for channel in members:
            assert await receive(layer, channel) == numbered(1)
            await expect_nothing(layer, channel)
        await expect_nothing(layer, stranger)

    async def test_a_burst(self, make: Make) -> None:
        """Everything arrives in the order in which it was sent, if there is room for it."""
        layer = make(capacity=BURST)
        channel = await layer.new_channel()
        await layer.group_add("group", channel)

        for number in range(BURST):
            await layer.group_send("group", numbered(number))

        assert await numbers(layer, channel, BURST) == list(range(BURST))
        await expect_nothing(layer, channel)

    async def test_a_channel_is_added_twice(self, make: Make) -> None:
        """It gets each message once, and is out when it is discarded once."""
        layer = make()
        channel = await layer.new_channel()
        await layer.group_add("group", channel)
        await layer.group_add("group", channel)

        await layer.group_send("group", numbered(1))
        await layer.group_discard("group", channel)
        await layer.group_send("group", numbered(2))

        assert await receive(layer, channel) == numbered(1)
        await expect_nothing(layer, channel)

    async def test_who_joins_later(self, make: Make) -> None:
        """It gets nothing from before."""
        layer = make()
        early, late = await layer.new_channel(), await layer.new_channel()
        await layer.group_add("group", early)
        await layer.group_send("group", numbered(1))

        await layer.group_add("group", late)
        await layer.group_send("group", numbered(2))

        assert await numbers(layer, early, 2) == [1, 2]
        assert await receive(layer, late) == numbered(2)

    async def test_a_channel_in_two_groups(self, make: Make) -> None:
        """It gets what is sent to either."""
        layer = make()
        channel = await layer.new_channel()
        await layer.group_add("one", channel)
        await layer.group_add("other", channel)

        await layer.group_send("one", numbered(1))
        await layer.group_send("other", numbered(2))
        await layer.group_discard("one", channel)
        await layer.group_send("one", numbered(3))
        await layer.group_send("other", numbered(4))

        assert await numbers(layer, channel, 3) == [1, 2, 4]

    async def test_a_group_without_members(self, make: Make) -> None:
        """To send to it, or to leave it, is no error."""
        layer = make()
        channel = await layer.new_channel()

        await layer.group_send("nobody", numbered(1))
        await layer.group_discard("nobody", channel)

        await expect_nothing(layer, channel)

    @pytest.mark.parametrize(
        "name", situations({"with an exclamation mark": "group!", "with a space": "a group", "too long": "a" * 100})
    )
    async def test_a_group_name(self, make: Make, name: str) -> None:
        """It is refused at once."""
        layer = make()
        channel = await layer.new_channel()

        with pytest.raises((TypeError, AssertionError)):
            await layer.group_add(name, channel)
        with pytest.raises((TypeError, AssertionError)):
            await layer.group_send(name, numbered(1))


class TestCapacity:
    async def test_a_channel_is_full(self, make: Make) -> None:
        """The sender hears of it, and can send again when there is room."""
        layer = make(capacity=3)
        channel = await layer.new_channel()
        for number in range(3):
            await layer.send(channel, numbered(number))

        with pytest.raises(ChannelFull):
            await layer.send(channel, numbered(3))
        assert await receive(layer, channel) == numbered(0)

        await layer.send(channel, numbered(4))
        assert await numbers(layer, channel, 3) == [1, 2, 4]

    async def test_a_group_has_a_full_channel(self, make: Make) -> None:
        """The others get the message; the sender hears nothing, and the channel keeps as many as it holds."""
        layer = make(capacity=3)
        full, free = await layer.new_channel(), await layer.new_channel()
        for channel in (full, free):
            await layer.group_add("group", channel)
        for number in range(3):
            await layer.group_send("group", numbered(number))
        assert await numbers(layer, free, 3) == [0, 1, 2]

        await layer.group_send("group", numbered(3))

        assert await receive(layer, free) == numbered(3)
        await numbers(layer, full, 3)
        await expect_nothing(layer, full)

    async def test_a_rule_for_some_channels(self, make: Make) -> None:
        """Their capacity is their own."""
        layer = make(capacity=1, channel_capacity={"wide*": 3})
        for number in range(3):
            await layer.send("wide.one", numbered(number))
        await layer.send("narrow", numbered(0))

        with pytest.raises(ChannelFull):
            await layer.send("wide.one", numbered(3))
        with pytest.raises(ChannelFull):
            await layer.send("narrow", numbered(1))


class TestExpiry:
    async def test_a_message_that_nobody_receives_in_time(self, make: Make, later: Later, waits: Waits) -> None:
        """It is gone."""
        layer = make(expiry=EXPIRY)
        channel = "work"
        receiving = asyncio.create_task(receive(layer, channel))  # Pub/sub layers keep nothing before.
        await asyncio.sleep(0)
        await waits(channel)
        await layer.send(channel, numbered(0))
        await receiving
        await layer.send(channel, numbered(1))

        later(2 * EXPIRY)

        await expect_nothing(layer, channel)

    async def test_a_membership_that_is_not_renewed(self, make: Make, later: Later) -> None:
        """The channel is no member any more; one that was added again is."""
        layer = make(group_expiry=EXPIRY)
        old, renewed = await layer.new_channel(), await layer.new_channel()
        for channel in (old, renewed):
            await layer.group_add("group", channel)

        later(2 * EXPIRY)
        await layer.group_add("group", renewed)
        await layer.group_send("group", numbered(1))

        assert await receive(layer, renewed) == numbered(1)
        await expect_nothing(layer, old)


class TestFlush:
    async def test_flush(self, make: Make) -> None:
        """No message waits any more, all groups are empty, and everything can be used as before."""
        layer = make()
        channel = await layer.new_channel()
        await layer.group_add("group", channel)
        await layer.group_send("group", numbered(1))
        await layer.send("work", numbered(2))

        await layer.flush()

        await layer.group_send("group", numbered(3))
        await expect_nothing(layer, channel)
        await expect_nothing(layer, "work")
        await layer.group_add("group", channel)
        await layer.group_send("group", numbered(4))
        assert await receive(layer, channel) == numbered(4)

    async def test_the_extensions(self, make: Make) -> None:
        """It says what it can."""
        assert set(make().extensions) >= {"groups", "flush"}
