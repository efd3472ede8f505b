"""An application written for `channels_graphql_ws`, and its tests, run on both libraries.

`sample/suite/lines.py` is the table of what the old library can do, line by line; ONLY_OURS is that of the rest.
"""

from __future__ import annotations

import subprocess

import pytest

from tests.acceptance.migration.libraries import ROOT, Copy, migrated, written_for_old

ONLY_OURS = {
    "GQLWS gives the defaults of consumers, and a class attribute wins": "unit/test_conf.py",
    "SUBPROTOCOLS": "acceptance/protocol/test_handshake.py",
    "ECHO_COMPLETE": "acceptance/protocol/test_complete.py",
    "ALLOWED_ORIGINS": "acceptance/protocol/test_handshake.py",
    "MASK_ERRORS": "acceptance/protocol/test_subscribe.py",
    "MAX_MESSAGE_BYTES, MAX_OPERATIONS": "acceptance/protocol/test_limits.py",
    "SYNC_THREADS": "unit/execution/test_workers.py",
    "OWN_CHANNEL": "unit/connection/test_channel.py",
    "a payload of connection_ack": "acceptance/protocol/test_init.py",
    "on_disconnect, get_context": "unit/connection/test_hooks.py",
    "pings are never queued": "acceptance/protocol/test_ping.py",
    "the rules of graphql-transport-ws": "acceptance/protocol/test_messages.py",
    "the rules of graphql-ws": "unit/protocol/test_legacy.py",
    "an initial value": "unit/connection/test_initial.py",
    "groups joined and left later": "unit/connection/test_membership.py",
    "shared results": "integration/sharing/test_equality.py",
    "broadcast after the commit": "integration/test_transactions.py",
    "info.context.loaders": "unit/execution/test_loaders.py",
    "user, session, headers, COOKIES, META": "unit/execution/test_context.py",
    "a schema for HTTP over the socket": "integration/test_django_schema.py",
    "sensitive fields do not travel": "unit/serialization/test_models.py",
    "payloads that cannot be packed or unpacked": "unit/serialization/test_errors.py",
    "several operations of a client at once, streams": "acceptance/client/test_contract.py",
    "a client that connects again": "acceptance/client/test_restart.py",
}
"""Lines of the API that the old library does not have, and where each is tested."""


def test_the_old_library_passes_where_it_is_right() -> None:
    """So the suite asks for what users have, not for what we do."""
    with written_for_old() as copy:
        run_suite(copy, "-m", "not fault and not ours")


def test_after_the_renaming_everything_passes() -> None:
    """The same files; warnings are errors now."""
    with migrated() as copy:
        run_suite(copy, "-W", "error")


@pytest.mark.parametrize("line", ONLY_OURS)
def test_what_only_ours_can_do(line: str) -> None:
    """It has tests of its own."""
    assert (ROOT / "tests" / ONLY_OURS[line]).is_file()


def run_suite(copy: Copy, *options: str) -> None:
    done = subprocess.run(
        [copy.python, "-m", "pytest", "suite", "-q", "-p", "no:cacheprovider", *options],
        cwd=copy.folder,
        env=copy.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
