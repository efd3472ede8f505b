from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _own_process(own_process: None) -> None:
    """Every test here connects clients."""
