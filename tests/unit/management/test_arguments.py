"""Arguments that commands refuse."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command


@pytest.mark.parametrize("seconds", ["nan", "inf", "soon", "0", "-1"])
def test_to_watch_for_no_time(seconds: str) -> None:
    """The pause between two lists has an end."""
    with pytest.raises(CommandError, match=r"--watch: .* is no number of seconds above 0"):
        call_command("gqlws_groups", f"--watch={seconds}")


@pytest.mark.parametrize("option", ["--user", "--group", "--field"])
def test_to_kick_an_empty_name(option: str) -> None:
    """A variable of a script that is not set does not mean everybody who is not logged in, or every subscription."""
    with pytest.raises(CommandError, match=f"{option} is empty"):
        call_command("gqlws_kick", f"{option}=", "--disconnect", "--yes")
