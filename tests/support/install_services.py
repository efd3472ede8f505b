"""Install what tests need and this machine lacks, where that needs no question: Debian or Ubuntu, as root.

Elsewhere nothing happens; the tests' summary says what is missing. Run by `make test`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests.support.postgres import find_pg_ctl
from tests.support.services import find_browser

APT_GET = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
QUIETLY = {"DEBIAN_FRONTEND": "noninteractive"}


def main() -> None:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    if find_browser() is None:
        install("chromium")
    if find_pg_ctl() is None:
        install("postgresql")


def install(package: str) -> None:
    """Install a Debian package; a failure is reported, and the tests that need it say so again."""
    print(f"Installing {package} for the browser tests ...", flush=True)
    for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
        done = subprocess.run(
            [*APT_GET, *command], env={**os.environ, **QUIETLY}, stdout=subprocess.DEVNULL, check=False
        )
        if done.returncode != 0:
            print(f"apt-get {' '.join(command)} failed", file=sys.stderr)
            return


if __name__ == "__main__":
    main()
