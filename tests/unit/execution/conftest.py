from __future__ import annotations

import pytest

from django_gqlws.execution import workers
from tests.unit.execution.run import Hops


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> Hops:
    """Counts the thread hops of the test from here on."""
    hops = Hops(workers.run)
    monkeypatch.setattr(workers, "run", hops.run)
    return hops
