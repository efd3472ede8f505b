"""Queries without a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def fetch(connection: BaseDatabaseWrapper, query: str, *parameters: Any) -> Sequence[tuple[Any, ...]]:
    """All rows."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
        return rows
