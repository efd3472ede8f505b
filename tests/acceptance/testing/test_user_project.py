"""What a user gets for tests by installing the package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.acceptance.testing.conftest import PROJECT, Run
from tests.support.server import ROOT

PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error")
LOOP_SCOPE = ("-o", "asyncio_default_fixture_loop_scope=function")
ASYNC = (*PYTEST, "--ds=chat.settings", "-o", "asyncio_mode=auto", *LOOP_SCOPE)


def count_tests(name: str) -> int:
    """How many tests a file of the project has."""
    return len(re.findall(r"def test_", (PROJECT / name).read_text()))


def test_djangos_tests(run: Run, database: Mapping[str, Any]) -> None:
    """TestCase and TransactionTestCase with async tests work."""
    printed = run("manage.py", "test", "--pattern", "tests_with_django.py", database=database)

    assert f"Ran {count_tests('tests_with_django.py')} tests" in printed


def test_pytest(run: Run, database: Mapping[str, Any]) -> None:
    """The fixtures are there, and `django_db` without `transaction=True` works."""
    printed = run(*ASYNC, "tests_with_pytest.py", database=database)

    assert f"{count_tests('tests_with_pytest.py')} passed" in printed


def test_the_documentation(run: Run, project: Path) -> None:
    """The examples of docs/testing.md are tests of this project that pass."""
    page = (ROOT / "docs/testing.md").read_text()
    of_django, of_pytest = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (project / "test_of_django.py").write_text(of_django)
    (project / "test_of_pytest.py").write_text(of_pytest)

    printed = run(*PYTEST, "--ds=chat.settings", *LOOP_SCOPE, "test_of_django.py", "test_of_pytest.py")

    assert "4 passed" in printed


def test_both_in_one_run(run: Run) -> None:
    """Tests of both kinds leave nothing behind that disturbs the others."""
    printed = run(*ASYNC, "tests_with_pytest.py", "tests_with_django.py")

    assert re.search(r"\d+ passed", printed)


def test_a_project_without_django(run: Run, tmp_path: Path) -> None:
    """The plugin does no harm: it is loaded, and imports nothing of Django."""
    test = tmp_path / "test_plain.py"
    test.write_text(
        "import sys\n"
        "def test_plain(request):\n"
        "    assert request.config.pluginmanager.has_plugin('django_gqlws')\n"
        "    assert not {'django', 'channels', 'graphene', 'asgiref', 'aiohttp'} & sys.modules.keys()\n"
    )

    printed = run(*PYTEST, "-p", "no:django", "-p", "no:asyncio", str(test))

    assert "1 passed" in printed
