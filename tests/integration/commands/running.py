"""`manage.py` of the test project as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tests.support.server import ROOT

Environment = dict[str, str]


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


async def manage(environment: Environment, *arguments: str, stdin: str = "") -> Finished:
    """Run a command to its end; a warning is an error there."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", "-m", "django"),
        *arguments,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    stdout, stderr = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return Finished(process.returncode, stdout.decode(), stderr.decode())
