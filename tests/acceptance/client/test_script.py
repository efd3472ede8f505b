"""The client in a program of its own, without Django."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.server import ROOT, Kind

SCRIPT = """
import asyncio, sys
from django_gqlws import GraphqlWsClient, GraphqlWsResponseError, GraphqlWsTransportAiohttp, Reconnect


async def main(url):
    async with GraphqlWsClient(GraphqlWsTransportAiohttp(url), reconnect=Reconnect()) as client:
        print((await client.execute("{ value }"))["data"]["value"])
        async for result in client.stream("subscription { countTo(n: 3) }"):
            print(result["data"]["countTo"])
        try:
            await client.execute("{ refused }")
        except GraphqlWsResponseError as error:
            print(error.response["payload"]["errors"][0]["message"])


asyncio.run(main(sys.argv[1]))
print(sorted({"django", "channels", "graphene", "graphql"} & sys.modules.keys()))
"""


def run(folder: Path, script: str, *arguments: str) -> str:
    """What a script prints, run away from this project's settings."""
    path = folder / "script.py"
    path.write_text(script)
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, str(path), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_plain_script(tmp_path: Path, url: Callable[[Kind, str], str]) -> None:
    """It needs no settings, and nothing of Django is imported."""
    printed = run(tmp_path, SCRIPT, url("uvicorn", "graphql/"))

    assert printed.splitlines() == ["value", "1", "2", "3", "not for you", "[]"]


def test_without_the_extra(tmp_path: Path) -> None:
    """The error says what to install; the rest of the package does not need it."""
    printed = run(
        tmp_path,
        "import sys\n"
        "sys.modules['aiohttp'] = None\n"
        "from django_gqlws import GraphqlWsClient, GraphqlWsTransport\n"
        "try:\n"
        "    from django_gqlws import GraphqlWsTransportAiohttp\n"
        "except ImportError as error:\n"
        "    print(error)\n",
    )

    assert "pip install django-gqlws[client]" in printed
