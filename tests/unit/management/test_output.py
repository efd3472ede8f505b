"""What commands print."""

from __future__ import annotations

import os

import pytest
from django.core.management.base import OutputWrapper

from django_gqlws.management.output import table, while_read, write_rows


def test_a_name_that_a_terminal_would_obey() -> None:
    """It is shown, and neither moves the cursor nor breaks the line."""
    printed = table([{"group": "a\x1b[2J\nb\u202e", "user": "Zoë 🎈", "last": None}])

    assert printed.splitlines()[1].split("  ") == [r"a\x1b[2J\nb\u202e", "Zoë 🎈", "-"]


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_reader_that_has_heard_enough(form: str) -> None:
    """As in `gqlws_groups --watch 1 | head -2`: printing ends, and nothing is left that could not be written."""
    reading, writing = os.pipe()
    os.close(reading)
    looks = 0

    with os.fdopen(writing, "w") as stdout, while_read(OutputWrapper(stdout)):
        while looks < 3:
            looks += 1
            write_rows(OutputWrapper(stdout), form, [{"group": "lobby"}])

    assert looks == 1
