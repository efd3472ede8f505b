"""The demo on each of its servers, alone and side by side."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Literal
from urllib.request import urlopen

import pytest
from playwright.async_api import expect

from demo.sample_data import PASSWORDS
from tests.acceptance.demo.conftest import Visitor
from tests.conftest import one_loop
from tests.support.demo import DemoServer, demo_environment
from tests.support.server import ROOT


@one_loop
@pytest.mark.parametrize("kind", ["uvicorn", "runserver"])
async def test_the_page_with_its_files_and_the_socket_are_served(
    kind: Literal["uvicorn", "runserver"], demo_data: Path, visitor: Visitor
) -> None:
    """Styles and scripts arrive, and two people chat, without any other server."""
    with DemoServer(demo_data, kind=kind) as server:
        alice = await visitor(server.http_url, "alice")
        bob = await visitor(server.http_url, "bob")

        await alice.write("hello")

        await bob.sees("hello")
        await expect(bob.page.get_by_role("main")).to_have_css("border-top-style", "solid")


def test_without_debug(demo_data: Path) -> None:
    """The page has its styles and scripts all the same."""
    with DemoServer(demo_data, debug=False) as server, urlopen(f"{server.http_url}/static/demo/chat/main.js") as file:
        assert file.status == 200


@one_loop
async def test_two_processes_on_one_redis_are_one_chat(demo_data: Path, redis_url: str, visitor: Visitor) -> None:
    """A message sent to one process arrives at a subscriber of the other."""
    with (
        DemoServer(demo_data, redis_url=redis_url) as one,
        DemoServer(demo_data, redis_url=redis_url) as other,
    ):
        alice = await visitor(one.http_url, "alice")
        bob = await visitor(other.http_url, "bob")

        await alice.write("from one process")
        await bob.sees("from one process")
        await bob.write("to the other")

        await alice.sees("from one process", "to the other")


def test_the_admin_has_its_styles(demo: DemoServer) -> None:
    """Static files of other apps are served too."""
    with urlopen(f"{demo.http_url}/static/admin/css/base.css") as response:
        assert response.status == 200


def manage(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a management command of the demo."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **demo_environment(data), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def rows(data: Path) -> list[str]:
    """The whole content of a database."""
    with closing(sqlite3.connect(data / "db.sqlite3")) as database:
        return list(database.iterdump())


def test_a_second_setup_changes_nothing(demo_data: Path) -> None:
    """It says again what to try, and adds neither rooms, messages nor users."""
    before = rows(demo_data)

    done = manage(demo_data, "demo_setup", "--port", "8123")

    assert done.returncode == 0, done.stderr
    assert "http://127.0.0.1:8123/" in done.stdout
    assert all(password in done.stdout for password in PASSWORDS.values())
    assert rows(demo_data) == before


def test_without_debug_there_is_no_setup(tmp_path: Path) -> None:
    """Well-known passwords are for a machine that nobody else reaches."""
    done = manage(tmp_path, "demo_setup", DEMO_DEBUG="0")

    assert done.returncode == 1
    assert "DEBUG" in done.stderr
    assert not (tmp_path / "db.sqlite3").exists()


def test_no_migration_is_missing(demo_data: Path) -> None:
    """The tables are those of the models."""
    done = manage(demo_data, "makemigrations", "--check", "--dry-run")

    assert done.returncode == 0, done.stdout
