"""The application and its suite are run by pytest in processes of their own, never by this one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.environments import Unavailable
from tests.acceptance.migration.libraries import OLD_ENVIRONMENT

HERE = Path(__file__).parent

collect_ignore = ["sample"]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make the environment of the old library before the tests: what pip needs does not count as theirs."""
    if not session.config.option.collectonly and any(HERE in item.path.parents for item in session.items):
        with suppress(Unavailable):  # The test that needs it says so.
            OLD_ENVIRONMENT.prepare()
