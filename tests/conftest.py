"""Fixtures of all tiers: a real Redis, real servers, a real browser.

    def test_x(redis_url): ...          a running Redis, shared by the whole run
    def test_x(own_redis): ...          one for this test alone: .stop(), .start(), .restart(), .url
    def test_x(server): ...             server("tests.project.asgi:application", kind="daphne", env={...});
                                        tests/project/settings.py says what `env` can set
    @one_loop
    async def test_x(browser): ...      page = await browser.new_page()

One browser serves all tests. It is bound to an event loop, which they share: `one_loop`, or `pytestmark = one_loop`.

For a server that serves many tests write a fixture with a wider scope around `tests.support.server.Server`.
"""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import ExitStack

import pytest
import pytest_asyncio
from asgiref.sync import SyncToAsync
from django.db import connections
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.async_api import Browser, async_playwright

from tests.support import services
from tests.support.server import Server, find_free_port, running
from tests.support.services import BROWSER_HINT, REDIS_HINT, RedisServer

# A machine that is busy is no failure.
hypothesis_settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("project")

# What users get by installing the package.
pytest_plugins = ["django_gqlws.testing.plugin"]

one_loop = pytest.mark.asyncio(loop_scope="session")

LOG_TAIL = 40
BROWSER_START_TIMEOUT = 120_000
"""Milliseconds."""
BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(autouse=True)
def closed_connections() -> Iterator[None]:
    """What async code has opened to databases is closed behind each test."""
    yield
    # It uses the ORM in a thread of asgiref's, where nothing ends with a test. Channels looks at what is open there,
    # and a test without a database is not allowed to.
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of a running Redis."""
    if url := services.redis_url_of_environment():
        yield url
        return
    with RedisServer(services.find_redis() or services.give_up(REDIS_HINT)) as server:
        yield server.url


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A running Redis that only this test uses, to stop and restart."""
    with RedisServer(services.find_redis() or services.give_up(REDIS_HINT)) as server:
        yield server


@pytest.fixture
def free_port() -> int:
    """A local port nobody listens on."""
    return find_free_port()


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    """A function that starts a server (the arguments are those of Server); it ends with the test."""
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(Server(*args, **kwargs))


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Path of the browser's program."""
    return services.find_browser() or services.give_up(BROWSER_HINT)


# Playwright's asynchronous interface: the other one leaves a running event loop in the main thread, in which
# no later asynchronous test can run.
@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(browser_path: str) -> AsyncIterator[Browser]:
    """A headless browser; `await browser.new_context()` is one person with cookies of their own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=browser_path, args=BROWSER_OPTIONS, timeout=BROWSER_START_TIMEOUT
        )
        yield browser
        await browser.close()


def pytest_configure() -> None:
    """Let a run that is told to end (by a time limit, say) tear down like one that is interrupted."""
    # The processes that tests start would otherwise outlive it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the servers have printed."""
    report = yield
    if report.failed:
        for one in running:
            tail = "\n".join(one.log.splitlines()[-LOG_TAIL:])
            report.sections.append((f"server on port {one.port}", tail))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what to install so that everything runs."""
    if services.missing:
        terminalreporter.section("not on this machine")
        for hint in sorted(services.missing):
            terminalreporter.line(f"Some tests need {hint}.")
