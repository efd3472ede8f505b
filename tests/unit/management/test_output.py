"""What commands print."""

from __future__ import annotations

from django_gqlws.management.output import table


def test_a_name_that_a_terminal_would_obey() -> None:
    """It is shown, and neither moves the cursor nor breaks the line."""
    printed = table([{"group": "a\x1b[2J\nb\u202e", "user": "Zoë 🎈", "last": None}])

    assert printed.splitlines()[1].split("  ") == [r"a\x1b[2J\nb\u202e", "Zoë 🎈", "-"]
