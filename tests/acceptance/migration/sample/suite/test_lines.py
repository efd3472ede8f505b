"""No line of the API is without a test."""

from .conftest import shown
from .lines import LINES


def test_every_line_has_a_test() -> None:
    """And every line that a test names is in the table."""
    assert shown == LINES.keys()
