"""`manage.py` of the test project: as a process of its own, and without the seconds that a new interpreter takes."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

from django.core.management import load_command_class
from django.core.management.base import OutputWrapper

from tests.support.notes import LIMIT
from tests.support.server import ROOT
from tests.support.services import START_TIMEOUT

Environment = dict[str, str]

BRIEFLY = 0.2
"""Seconds to wait for servers where there is none that could answer."""

PATIENTLY = 2.0
"""Seconds to wait for the next server where each of them is counted: a busy one answers late."""

PROGRAM = f"""
import sys
from django.core.management import execute_from_command_line
from django_gqlws.broker import census
from django_gqlws.client.reconnect import Reconnect
census.FIRST_ANSWER, census.NEXT_ANSWER = {LIMIT}, {PATIENTLY}
Reconnect.__init__.__defaults__ = attempts, first_delay, longest_delay = 1_000, 0.1, 0.1
execute_from_command_line(sys.argv)
"""
"""`manage.py` with the patience for servers that a busy machine needs."""


@dataclass(frozen=True)
class Finished:
    """What a command left."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Its output, which has to be JSON and nothing else."""
        return json.loads(self.stdout)


def command_line(arguments: Iterable[str]) -> list[str]:
    """A command of Django; a warning is an error there."""
    return [sys.executable, "-W", "error", "-c", PROGRAM, *arguments]


async def manage(environment: Environment, *arguments: str) -> Finished:
    """Run a command to its end."""
    process = await asyncio.create_subprocess_exec(
        *command_line(arguments),
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    assert process.returncode is not None
    return Finished(process.returncode, stdout.decode(), stderr.decode())


class Here:
    """A command in a thread of this process, run as `manage.py` runs it: `await here("gqlws_check", "--url", url)`."""

    async def __call__(self, *arguments: str, stdin: str = "") -> Finished:
        return await asyncio.to_thread(self.run, *arguments, stdin=stdin)

    def run(self, *arguments: str, stdin: str = "") -> Finished:
        """The same for a test without an event loop."""
        stdout, stderr, code = io.StringIO(), io.StringIO(), 0
        command = load_command_class("django_gqlws", arguments[0])
        command.stdout, command.stderr = OutputWrapper(stdout), OutputWrapper(stderr)
        with patch.object(sys, "stdin", io.StringIO(stdin)), patch.object(sys, "stderr", stderr):  # argparse's.
            try:
                command.run_from_argv(["manage.py", *arguments])
            except SystemExit as left:
                code = left.code if isinstance(left.code, int) else 1
        return Finished(code, stdout.getvalue(), stderr.getvalue())


class Listening:
    """A command that goes on until it is told to stop: `async with Listening(environment, ...) as command`."""

    def __init__(self, environment: Environment, *arguments: str) -> None:
        self._environment = environment
        self._arguments = arguments

    async def __aenter__(self) -> Listening:
        self._process = await asyncio.create_subprocess_exec(
            *command_line(self._arguments),
            cwd=ROOT,
            env={**os.environ, **self._environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A shell's background job, as tests may run, ignores Ctrl-C, and its children with it.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def notice(self) -> str:
        """Its next line on stderr."""
        return await self._line(self._process.stderr)

    async def event(self) -> Any:
        """Its next line on stdout, which is JSON."""
        return json.loads(await self._line(self._process.stdout))

    async def interrupt(self) -> int:
        """Ctrl-C: its exit code."""
        self._process.send_signal(signal.SIGINT)
        async with asyncio.timeout(LIMIT):
            return await self._process.wait()

    async def _line(self, stream: asyncio.StreamReader | None) -> str:
        assert stream is not None
        async with asyncio.timeout(START_TIMEOUT):  # The first one takes as long as a program takes to start.
            return (await stream.readline()).decode().rstrip()
