"""graphql-core's executor, taught where resolvers may run."""

from __future__ import annotations

from asyncio import gather
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator
from functools import partial
from inspect import CORO_CREATED, getcoroutinestate, isclass
from types import CoroutineType, NoneType
from typing import Any

from django.db.models import Model, QuerySet
from graphql import (
    ExecutionContext,
    FieldNode,
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    MiddlewareManager,
    OperationDefinitionNode,
    located_error,
)
from graphql.pyutils import AwaitableOrValue, Path, is_awaitable

from . import workers
from .info import Watch, make_info
from .kinds import guard, runs_on_loop
from .plan import Plan
from .selection import SelectedField, Selection, Selections

Results = dict[str, Any]

_PLAIN = frozenset({str, int, float, bool, NoneType, dict, list})
"""The common types of values: neither awaitable nor an error. graphql-core would look at each value several times."""


def _is_awaitable(value: Any) -> bool:
    kind = type(value)
    return kind is CoroutineType or (kind not in _PLAIN and is_awaitable(value))


class Execution(ExecutionContext):
    """One execution of one operation.

    On the loop it runs async and default resolvers; what must not run there is completed in a worker thread.
    What the document says is known beforehand; completing values and everything about errors is graphql-core's.
    """

    plan: Plan
    selections: Selections
    watch: Watch
    is_awaitable = staticmethod(_is_awaitable)

    def build_resolve_info(
        self,
        field_def: GraphQLField,
        field_nodes: list[FieldNode],
        parent_type: GraphQLObjectType,
        path: Path,
    ) -> GraphQLResolveInfo:
        return make_info(
            (
                field_nodes[0].name.value,
                field_nodes,
                field_def.type,
                parent_type,
                path,
                self.schema,
                self.fragments,
                self.root_value,
                self.operation,
                self.variable_values,
                self.watch,
                self.is_awaitable,
            )
        )

    def execute_operation(self, operation: OperationDefinitionNode, root_value: Any) -> AwaitableOrValue[Any] | None:
        if self.plan.starts_in_worker and not workers.in_worker():
            return self._in_worker(self.execute_operation, operation, root_value)
        execute = self.execute_fields_serially if self.selections.are_serial else self.execute_fields
        return execute(self.selections.root_type, root_value, None, self.selections.root)

    def collect_subfields(  # type: ignore[override] # They were collected before.
        self, return_type: GraphQLObjectType, field_nodes: list[FieldNode]
    ) -> Selection:
        return self.selections.below(return_type, field_nodes)

    def execute_fields(  # type: ignore[override]
        self, parent_type: GraphQLObjectType, source_value: Any, path: Path | None, fields: Selection
    ) -> AwaitableOrValue[Results]:
        results: Results = {}
        pending = []
        has_middleware = self.middleware_manager is not None
        for field in fields:
            execute = self._read_field if field.is_read and not has_middleware else self._execute_field
            result = results[field.name] = execute(field, source_value, path)
            if type(result) not in _PLAIN and self.is_awaitable(result):
                pending.append(field.name)
        return _fill(results, pending) if pending else results

    def execute_fields_serially(  # type: ignore[override]
        self, parent_type: GraphQLObjectType, source_value: Any, path: Path | None, fields: Selection
    ) -> AwaitableOrValue[Results]:
        # graphql-core calls a sync resolver before the async one in front of it has run: the order would be lost.
        results: Results = {}
        steps = iter(fields)
        for field in steps:
            result = self._execute_field(field, source_value, path)
            if self.is_awaitable(result):
                return self._go_on_serially(results, field.name, result, steps, source_value)
            results[field.name] = result
        return results

    async def _go_on_serially(
        self, results: Results, name: str, pending: Awaitable[Any], steps: Iterator[SelectedField], source: Any
    ) -> Results:
        results[name] = await pending
        for field in steps:
            if self.plan.starts_in_worker:
                result = await self._in_worker(self._execute_field, field, source, None)
            else:
                result = self._execute_field(field, source, None)
            results[field.name] = await result if self.is_awaitable(result) else result
        return results

    def _execute_field(self, field: SelectedField, source: Any, parent: Path | None) -> AwaitableOrValue[Any]:
        path = Path(parent, field.name, field.parent.name)
        info = self.build_resolve_info(field.definition, field.nodes, field.parent, path)
        resolve = field.resolve
        if self.middleware_manager is not None:
            resolve = self.middleware_manager.get_field_resolver(resolve)
        try:
            if field.arguments is None:
                value = resolve(source, info)
            else:
                value = resolve(source, info, **field.arguments.values(self.variable_values))
        except Exception as error:
            value = error
        return self._finish_field(field, info, path, value)

    def _read_field(self, field: SelectedField, source: Any, parent: Path | None) -> AwaitableOrValue[Any]:
        """Executes a field whose resolver needs no ``info``: most of these fields come to their end without one."""
        try:
            value = field.resolve(source, None)
            if value is None:
                if not field.is_required:
                    return None
            elif type(value) in _PLAIN:
                return self.complete_leaf_value(field.leaf, value)  # type: ignore[arg-type] # What is read is a leaf.
        except Exception as error:
            value = error
        path = Path(parent, field.name, field.parent.name)
        info = self.build_resolve_info(field.definition, field.nodes, field.parent, path)
        return self._finish_field(field, info, path, value)

    def _finish_field(
        self, field: SelectedField, info: GraphQLResolveInfo, path: Path, value: Any
    ) -> AwaitableOrValue[Any]:
        """The field's result, from what its resolver returned or raised."""
        try:
            if self.is_awaitable(value):
                return self._await_field(field, info, path, value, is_complete=False)
            value = self._complete(field, info, path, value)
            if self.is_awaitable(value):
                return self._await_field(field, info, path, value, is_complete=True)
            return value
        except Exception as error:
            self._fail_field(field, path, error)
            return None

    async def _await_field(
        self, field: SelectedField, info: GraphQLResolveInfo, path: Path, pending: Awaitable[Any], is_complete: bool
    ) -> Any:
        try:
            value = await pending
            if not is_complete:
                value = self._complete(field, info, path, value)
                if self.is_awaitable(value):
                    value = await value
            return value
        except Exception as error:
            self._fail_field(field, path, error)
            return None

    def _complete(
        self, field: SelectedField, info: GraphQLResolveInfo, path: Path, value: Any
    ) -> AwaitableOrValue[Any]:
        if field.leaf is not None and value is not None and type(value) in _PLAIN:
            return self.complete_leaf_value(field.leaf, value)
        # An exception is raised there.
        return self.complete_value(field.definition.type, field.nodes, info, path, value)

    def _fail_field(self, field: SelectedField, path: Path, error: Exception) -> None:
        """Notes the error and makes the field null, or raises it again for the parent if the field cannot be null."""
        located = located_error(error, field.nodes, path.as_list())
        self.handle_field_error(located, field.definition.type, path)

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> AwaitableOrValue[Results]:
        complete = super().complete_object_value
        must_hop = self.plan.blocks(field_nodes) or (
            isinstance(result, Model) and self.plan.queries(result, field_nodes)
        )
        if must_hop and not workers.in_worker():
            return self._in_worker(complete, return_type, field_nodes, info, path, result)
        return complete(return_type, field_nodes, info, path, result)

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: AsyncIterable[Any] | Iterable[Any],
    ) -> AwaitableOrValue[list[Any]]:
        complete = super().complete_list_value
        must_hop = self.plan.blocks(field_nodes) or isinstance(result, QuerySet)
        if must_hop and not workers.in_worker():
            # The whole list in one hop.
            return self._in_worker(complete, return_type, field_nodes, info, path, result)
        return complete(return_type, field_nodes, info, path, result)

    async def _in_worker(self, function: Callable[..., Any], *args: Any) -> Any:
        try:
            result = await workers.run(function, *args)
        except workers.CancelledTooLate as late:
            _discard(late.result)
            raise
        return await result if self.is_awaitable(result) else result


def _discard(value: Any, depth: int = 8) -> None:
    """Closes a coroutine that nobody will await, and those that wait inside of it: Python warns of each one."""
    inner: Iterable[Any] = ()
    if isinstance(value, CoroutineType):
        if value.cr_frame is None or getcoroutinestate(value) != CORO_CREATED:
            return
        inner = value.cr_frame.f_locals.values()
    elif type(value) is dict:
        inner = value.values()
    elif type(value) is list:
        inner = value
    for item in tuple(inner) if depth else ():
        _discard(item, depth - 1)
    if isinstance(value, CoroutineType):
        value.close()


async def _fill(results: Results, pending: list[str]) -> Results:
    """Awaits those results that are not there yet, side by side."""
    if len(pending) == 1:
        # gather() would make a task of it.
        [name] = pending
        results[name] = await results[name]
    else:
        found = await gather(*(results[name] for name in pending))
        results.update(zip(pending, found, strict=True))
    return results


class GuardedMiddleware(MiddlewareManager):
    """Middleware around resolvers, each called where it may run: sync ones never on the event loop."""

    def __init__(self, middlewares: Iterable[Any]) -> None:
        super().__init__()
        self.middlewares = tuple(item() if isclass(item) else item for item in middlewares)
        functions = [getattr(item, "resolve", item) for item in self.middlewares]
        self.blocks = not all(runs_on_loop(function) for function in functions)
        self._middleware_resolvers = [guard(function) for function in functions]

    def get_field_resolver(self, field_resolver: Callable[..., Any]) -> Callable[..., Any]:
        if field_resolver not in self._cached_resolvers:
            chained = guard(field_resolver)
            for middleware in self._middleware_resolvers or ():
                chained = partial(middleware, chained)
            self._cached_resolvers[field_resolver] = chained
        return self._cached_resolvers[field_resolver]
