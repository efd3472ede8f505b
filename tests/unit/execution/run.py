"""Operations against small schemas, and a count of the thread hops that they make."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import graphene

from django_gqlws.execution.documents import Operation
from django_gqlws.execution.executor import Executor, Outcome, get_executor


def schema_of(query: type, **roots: type) -> graphene.Schema:
    return graphene.Schema(query=query, **roots)


def prepare(executor: Executor, text: str, name: str | None = None) -> Operation:
    document = executor.documents.find(text)
    assert document is not None
    operation = document.select(name)
    assert isinstance(operation, Operation), operation
    return operation


async def execute(
    schema: graphene.Schema,
    text: str,
    variables: dict[str, Any] | None = None,
    *,
    root: Any = None,
    context: Any = None,
    middleware: Any = None,
) -> Outcome:
    """The outcome of a document's only operation."""
    executor = get_executor(schema, middleware)
    operation = prepare(executor, text)
    coerced = operation.coerce_variables(variables or {})
    assert isinstance(coerced, dict), coerced
    outcome = executor.execute(operation, coerced, root, context)
    return outcome if isinstance(outcome, Outcome) else await outcome


def on_the_loop() -> bool:
    """Whether the caller runs on a running event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class Hops:
    """Counts the jobs that are handed to worker threads."""

    def __init__(self, run: Callable[..., Any]) -> None:
        self.count = 0
        self._run = run

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        self.count += 1
        return await self._run(function, *args)
