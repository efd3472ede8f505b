"""What can happen to the file of a SqliteChannelLayer, and who hears of it."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from django_gqlws.exceptions import LayerError
from django_gqlws.layers import SqliteChannelLayer, file, log
from django_gqlws.layers.place import is_writable
from tests.support.notes import LIMIT

Sqlite = Callable[..., SqliteChannelLayer]

LONG = 600.0
"""Seconds for which a process may sleep and is not taken for dead: a machine may be as slow as it likes."""

NOBODY = 65534
TOO_LARGE = {"text": "x" * 2**20}


async def member(layer: SqliteChannelLayer) -> str:
    """A channel in the group that everything is sent to."""
    channel = await layer.new_channel()
    await layer.group_add("group", channel)
    return channel


async def send(layer: SqliteChannelLayer, text: str) -> None:
    """Send to the group."""
    await layer.group_send("group", {"text": text})


async def receive(layer: SqliteChannelLayer, channel: str) -> Any:
    """The text of the next message, which has to come soon."""
    async with asyncio.timeout(LIMIT):
        return (await layer.receive(channel))["text"]


async def until_it_arrives(sender: SqliteChannelLayer, receiver: SqliteChannelLayer, channel: str) -> None:
    """Send until something arrives: a receiver may need a moment to notice that its file was replaced."""
    receiving = asyncio.create_task(receiver.receive(channel))
    while not receiving.done():
        await send(sender, "anybody there?")
        await asyncio.wait([receiving], timeout=0.1)


def given(path: Path, garbage: bytes = b"") -> None:
    """There is such a file."""
    path.parent.mkdir()
    path.write_bytes(garbage)


def content(path: Path) -> bytes:
    """All of a file."""
    return path.read_bytes()


class TestPermissions:
    async def test_the_file_is_for_its_user_alone(self, path: Path, sqlite: Sqlite) -> None:
        """So are the folder and what SQLite puts beside it."""
        await member(sqlite())

        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        modes = {stat.S_IMODE(one.stat().st_mode) for one in path.parent.glob("channels.sqlite3*")}
        assert modes == {0o600}

    async def test_the_folder_is_kept_out_of_version_control(self, path: Path, sqlite: Sqlite) -> None:
        """It says so itself."""
        await member(sqlite())

        assert (path.parent / ".gitignore").read_text() == "*\n"

    async def test_a_user_without_permission(self, path: Path, sqlite: Sqlite) -> None:
        """The sender is told, and so is who wants to receive; with permission everything works."""
        await send(sqlite(), "made the file")
        layer = sqlite()

        with unprivileged(path.parent):
            with pytest.raises(LayerError, match="ermission"):
                await send(layer, "refused")
            with pytest.raises(LayerError, match="ermission"):
                await layer.new_channel()

        channel = await member(layer)
        await send(layer, "taken")
        assert await receive(layer, channel) == "taken"

    def test_the_check_of_a_user_without_permission(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is told so; not even looking whether there is a file fails."""
        folder = tmp_path / "of-another-user"
        folder.mkdir()
        monkeypatch.setattr(os, "access", lambda path, mode: False)  # As the user itself, who may be root here.

        with unprivileged(folder):
            assert not is_writable(folder / "channels.sqlite3")
            assert not is_writable(folder / "deeper" / "channels.sqlite3")


@contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """Meanwhile this process may not use the folder."""
    folder.chmod(0o000)
    is_root = os.geteuid() == 0  # To whom permissions mean nothing.
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o700)


class TestDamage:
    @pytest.mark.parametrize("garbage", [b"not a database " * 1_000, b"SQLite format 3\x00" + b"\xff" * 8_000])
    async def test_the_file_is_garbage_from_the_start(
        self, path: Path, sqlite: Sqlite, caplog: pytest.LogCaptureFixture, garbage: bytes
    ) -> None:
        """It is set aside with an error in the log, and a new one is used."""
        given(path, garbage)

        layer = sqlite()
        channel = await member(layer)
        await send(layer, "hello")

        assert await receive(layer, channel) == "hello"
        (aside,) = path.parent.glob("*.damaged-*")
        assert content(aside) == garbage
        assert any("damaged" in record.message and record.levelname == "ERROR" for record in caplog.records)

    async def test_the_file_is_damaged_while_it_is_used(
        self, path: Path, sqlite: Sqlite, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Senders hear nothing of it; receivers go on with the new file."""
        sender, receiver = sqlite(), sqlite()
        channel = await member(receiver)
        await send(sender, "before")
        assert await receive(receiver, channel) == "before"

        for one in path.parent.glob("channels.sqlite3*"):
            with one.open("r+b") as opened:
                opened.write(b"\xff" * one.stat().st_size)

        await until_it_arrives(sender, receiver, channel)
        assert list(path.parent.glob("*.damaged-*"))
        assert any("damaged" in record.message for record in caplog.records)

    async def test_the_folder_is_deleted_while_it_is_used(self, path: Path, sqlite: Sqlite) -> None:
        """A new file is made, and everybody finds it."""
        sender, receiver = sqlite(), sqlite()
        channel = await member(receiver)
        await send(sender, "before")
        assert await receive(receiver, channel) == "before"

        shutil.rmtree(path.parent)

        await until_it_arrives(sender, receiver, channel)

    async def test_the_file_belongs_to_something_else(self, path: Path, sqlite: Sqlite) -> None:
        """It is left as it is."""
        given(path)
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE theirs (id)")
        before = content(path)

        with pytest.raises(LayerError, match="another path"):
            await send(sqlite(), "hello")

        assert content(path) == before

    async def test_the_file_was_made_by_another_version(self, path: Path, sqlite: Sqlite) -> None:
        """The error says what to do."""
        await send(sqlite(), "hello")
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA user_version = 99")

        with pytest.raises(LayerError, match="delete it"):
            await send(sqlite(), "hello")


class TestLocks:
    def test_another_makes_the_file_at_the_same_moment(self, path: Path) -> None:
        """Who comes second waits until it is made: SQLite itself would say at once that it is locked."""
        file._make(path)
        with ThreadPoolExecutor(1) as threads:
            with file._alone_in(path.parent), closing(sqlite3.connect(path, isolation_level=None)) as first:
                first.execute("BEGIN IMMEDIATE")
                second = threads.submit(file._open, path)
                with pytest.raises(TimeoutError):
                    second.result(0.3)
                first.execute("ROLLBACK")
                file._make_tables(first, path)

            second.result(LIMIT).close()

    async def test_the_file_is_locked_for_long(
        self, path: Path, sqlite: Sqlite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The sender is told; what others sent can still be read, and nothing that was acknowledged is lost."""
        layer = sqlite()
        channel = await member(layer)
        await send(layer, "before")

        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with monkeypatch.context() as hurried, pytest.raises(LayerError, match="locked"):
                hurried.setattr(file, "PATIENCE", 0.1)
                await send(layer, "refused")
            assert await receive(layer, channel) == "before"
            other.execute("ROLLBACK")

        await send(layer, "after")
        assert await receive(layer, channel) == "after"

    async def test_the_file_is_locked_for_a_moment(
        self, path: Path, sqlite: Sqlite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The sender waits."""
        monkeypatch.setattr(file, "PATIENCE", LIMIT)
        layer = sqlite()
        channel = await member(layer)

        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            sending = asyncio.create_task(send(layer, "patient"))
            await asyncio.wait([sending], timeout=0.1)
            assert not sending.done()
            other.execute("ROLLBACK")

        await sending
        assert await receive(layer, channel) == "patient"

    async def test_the_layer_is_closed_while_it_is_used(self, path: Path, sqlite: Sqlite) -> None:
        """Calls that come meanwhile open it again; they neither fail nor hang, and the process is on the list."""
        layer = sqlite()
        channel = await member(layer)

        async with asyncio.timeout(LIMIT):
            for number in range(20):
                before, after = (layer.group_add(f"{name}{number}", channel) for name in ("before", "after"))
                await asyncio.gather(before, layer.close(), after)
            await layer.group_add("last", channel)

        assert len(await layer.processes()) == 1

    async def test_the_layer_is_closed_while_a_receiver_of_another_loop_waits_for_the_file(
        self, path: Path, sqlite: Sqlite
    ) -> None:
        """That loop is gone: the message waits for the next receiver, and closing does not wait for ever."""
        layer = sqlite()
        await layer.new_channel()
        await layer.send("jobs", {"text": "for the next one"})

        async def receive_in_vain() -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(layer.receive("jobs"), 0.1)

        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await asyncio.to_thread(asyncio.run, receive_in_vain())
            asyncio.get_running_loop().call_later(0.2, other.execute, "ROLLBACK")
            async with asyncio.timeout(LIMIT):
                await layer.close()

        assert await sqlite().receive("jobs") == {"text": "for the next one"}


class TestFullDisk:
    @pytest.fixture
    def small_disk(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
        """A function that lets files grow to so many pages of 4 KiB."""

        def limit(pages: int) -> None:
            def limited(path: Path) -> sqlite3.Connection:
                connection = real_open(path)
                connection.execute(f"PRAGMA max_page_count = {pages}")
                return connection

            monkeypatch.setattr(file, "_open", limited)

        real_open = file._open
        return limit

    async def test_a_message_does_not_fit(self, sqlite: Sqlite, small_disk: Callable[[int], None]) -> None:
        """Its sender is told; those that were sent with it and fit are taken."""
        small_disk(100)
        layer = sqlite()
        channel = await member(layer)

        results = await asyncio.gather(
            send(layer, "before"), layer.group_send("group", TOO_LARGE), send(layer, "after"), return_exceptions=True
        )

        assert results[0] is results[2] is None
        assert isinstance(results[1], LayerError)
        assert "full" in str(results[1])
        assert [await receive(layer, channel), await receive(layer, channel)] == ["before", "after"]

    async def test_one_of_many_does_not_fit(self, sqlite: Sqlite, small_disk: Callable[[int], None]) -> None:
        """It alone has an error; the others arrive in their order, whatever their groups."""
        small_disk(100)
        layer = sqlite()
        channel = await member(layer)
        await layer.group_add("other", channel)
        messages = [("group", {"text": "a"}), ("group", TOO_LARGE), ("other", {"text": "b"}), ("group", {"text": "c"})]

        errors = await layer.group_send_many(messages)

        assert [type(error) for error in errors] == [type(None), LayerError, type(None), type(None)]
        assert [await receive(layer, channel) for _ in "abc"] == ["a", "b", "c"]


class TestSize:
    async def test_steady_load(self, path: Path, sqlite: Sqlite) -> None:
        """The file does not grow: what all have read is deleted."""
        sender, receiver = sqlite(), sqlite(capacity=100_000)
        channel = await member(receiver)

        for _ in range(40):
            await asyncio.gather(*(sender.group_send("group", {"text": "x" * 20_000}) for _ in range(25)))
            for _ in range(25):
                await receive(receiver, channel)

        size = sum(one.stat().st_size for one in path.parent.iterdir())
        assert size < 12 * 2**20  # 20 MB have passed: up to 4 MiB wait to be deleted, as much again is the journal.

    async def test_nobody_listens(self, path: Path, sqlite: Sqlite) -> None:
        """Then nothing is kept."""
        layer = sqlite()

        for _ in range(10):
            await asyncio.gather(*(send(layer, "to nobody") for _ in range(500)))

        with closing(sqlite3.connect(path)) as opened:
            assert opened.execute("SELECT count(*) FROM log").fetchone()[0] < 2_000

    async def test_much_waits_in_normal_channels(self, sqlite: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the groups of others have not read yet stays: the bound is that of the log."""
        monkeypatch.setattr(log, "MAX_BYTES", 2**20)
        monkeypatch.setattr(log, "LEASE", LONG)
        sender, sleeper = sqlite(), sqlite(capacity=10_000)
        channel = await member(sleeper)
        sleeper._engine.pause()

        for number in range(4):
            await sender.send("work", TOO_LARGE)
            await asyncio.gather(*(send(sender, str(number)) for _ in range(500)))
        sleeper._engine.resume()

        assert [await receive(sleeper, channel) for _ in range(2_000)] == [str(n) for n in range(4) for _ in range(500)]
        assert sleeper.counters.lost == 0

    async def test_somebody_does_not_read(
        self, path: Path, sqlite: Sqlite, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """At some size the older half goes; who comes to read too late knows how much it has missed."""
        monkeypatch.setattr(log, "MAX_BYTES", 2**20)
        monkeypatch.setattr(log, "LEASE", LONG)
        sender, sleeper = sqlite(), sqlite(capacity=10_000)
        channel = await member(sleeper)
        sleeper._engine.pause()

        for first in range(0, 5_000, 500):
            await asyncio.gather(
                *(send(sender, str(number)) for number in range(first, first + 500)),
                sender.group_send("other", {"text": "x" * 200_000}),
            )
        with caplog.at_level(logging.ERROR):
            sleeper._engine.resume()
            received = [await receive(sleeper, channel)]
        while received[-1] != "4999":
            received.append(await receive(sleeper, channel))

        assert sleeper.counters.lost > 0
        assert received == [str(number) for number in range(5_000 - len(received), 5_000)]
        assert [record.levelname for record in caplog.records] == ["ERROR"]
