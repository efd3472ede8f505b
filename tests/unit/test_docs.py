"""The examples of the documentation."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

DOCS = sorted((Path(__file__).resolve().parents[2] / "docs").glob("*.md"))
PAGES = [pytest.param(page, id=page.name) for page in DOCS]


@pytest.mark.parametrize("page", PAGES)
def test_a_page(page: Path) -> None:
    """Its Python is Python, and its links to files lead somewhere."""
    text = page.read_text()

    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        compile(block, page.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (page.parent / link).exists(), link
