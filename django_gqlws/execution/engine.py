"""graphql-core's executor, taught where resolvers may run."""

from __future__ import annotations

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
    OperationType,
    Undefined,
    located_error,
)
from graphql.execution.values import get_argument_values
from graphql.pyutils import AwaitableOrValue, Path, is_awaitable

from . import workers
from .info import ResolveInfo, Watch
from .kinds import guard, runs_on_loop
from .plan import Plan, SelectedField

Results = dict[str, Any]


# The common types of values, which graphql-core would look at three times to see that they are not awaitable.
_PLAIN = frozenset({str, int, float, bool, NoneType, dict, list})


def _is_awaitable(value: Any) -> bool:
    return type(value) not in _PLAIN and is_awaitable(value)


class Execution(ExecutionContext):
    """One execution of one operation.

    On the loop it runs async and default resolvers; what must not run there is completed in a worker thread.
    """

    plan: Plan
    watch: Watch
    is_awaitable = staticmethod(_is_awaitable)

    def build_resolve_info(
        self,
        field_def: GraphQLField,
        field_nodes: list[FieldNode],
        parent_type: GraphQLObjectType,
        path: Path,
    ) -> GraphQLResolveInfo:
        return ResolveInfo(
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

    def execute_operation(self, operation: OperationDefinitionNode, root_value: Any) -> AwaitableOrValue[Any] | None:
        if self.plan.starts_in_worker and not workers.in_worker():
            return self._in_worker(self.execute_operation, operation, root_value)
        if self.plan.root is None:
            return super().execute_operation(operation, root_value)
        # What graphql-core would collect again is known.
        self._subfields_cache = self.plan.subfields
        execute = self.execute_fields_serially if operation.operation is OperationType.MUTATION else self.execute_fields
        return execute(self.plan.root.type, root_value, None, self.plan.root.fields)

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        fields: dict[str, list[FieldNode]],
    ) -> AwaitableOrValue[Results]:
        if len(fields) != 1:
            return super().execute_fields(parent_type, source_value, path, fields)
        # A single field needs no gather(), which would make a task of it.
        [(name, nodes)] = fields.items()
        result = self._resolve(parent_type, source_value, path, name, nodes)
        if self.is_awaitable(result):
            return _single(name, result)
        return {} if result is Undefined else {name: result}

    def execute_fields_serially(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        fields: dict[str, list[FieldNode]],
    ) -> AwaitableOrValue[Results]:
        # graphql-core calls a sync resolver before the async one in front of it has run: the order would be lost.
        resolve = partial(self._resolve, parent_type, source_value, path)
        results: Results = {}
        steps = iter(fields.items())
        for name, nodes in steps:
            result = resolve(name, nodes)
            if self.is_awaitable(result):
                return self._go_on_serially(results, name, result, steps, resolve)
            if result is not Undefined:
                results[name] = result
        return results

    async def _go_on_serially(
        self,
        results: Results,
        name: str,
        pending: Awaitable[Any],
        steps: Iterator[tuple[str, list[FieldNode]]],
        resolve: Callable[[str, list[FieldNode]], AwaitableOrValue[Any]],
    ) -> Results:
        results[name] = await pending
        for following, nodes in steps:
            if self.plan.starts_in_worker:
                result = await self._in_worker(resolve, following, nodes)
            else:
                result = resolve(following, nodes)
            if self.is_awaitable(result):
                result = await result
            if result is not Undefined:
                results[following] = result
        return results

    def _resolve(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        name: str,
        nodes: list[FieldNode],
    ) -> AwaitableOrValue[Any]:
        return self.execute_field(parent_type, source_value, nodes, Path(path, name, parent_type.name))

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_nodes: list[FieldNode],
        path: Path,
    ) -> AwaitableOrValue[Any]:
        # graphql-core's own, without what is the same for each execution.
        field = self.plan.field_of(self.schema, parent_type, field_nodes[0])
        if field is None:
            return Undefined
        resolve = field.resolve
        if self.middleware_manager is not None:
            resolve = self.middleware_manager.get_field_resolver(resolve)
        info = self.build_resolve_info(field.definition, field_nodes, parent_type, path)
        try:
            if field.has_arguments:
                arguments = get_argument_values(field.definition, field_nodes[0], self.variable_values)
                value = resolve(source, info, **arguments)
            else:
                value = resolve(source, info)
            if not self.is_awaitable(value):
                value = self._complete(field, field_nodes, info, path, value)
                if not self.is_awaitable(value):
                    return value
                return self._await_field(field, field_nodes, info, path, value, is_complete=True)
            return self._await_field(field, field_nodes, info, path, value, is_complete=False)
        except Exception as error:
            self._fail_field(field, field_nodes, path, error)
            return None

    async def _await_field(
        self,
        field: SelectedField,
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        pending: Awaitable[Any],
        is_complete: bool,
    ) -> Any:
        try:
            value = await pending
            if not is_complete:
                value = self._complete(field, field_nodes, info, path, value)
                if self.is_awaitable(value):
                    value = await value
            return value
        except Exception as error:
            self._fail_field(field, field_nodes, path, error)
            return None

    def _complete(
        self, field: SelectedField, field_nodes: list[FieldNode], info: GraphQLResolveInfo, path: Path, value: Any
    ) -> AwaitableOrValue[Any]:
        if field.leaf is None or value is None or isinstance(value, Exception):
            return self.complete_value(field.definition.type, field_nodes, info, path, value)
        return self.complete_leaf_value(field.leaf, value)

    def _fail_field(self, field: SelectedField, field_nodes: list[FieldNode], path: Path, error: Exception) -> None:
        """Notes the error and makes the field null, or raises it again for the parent if the field cannot be null."""
        located = located_error(error, field_nodes, path.as_list())
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


async def _single(name: str, result: Awaitable[Any]) -> Results:
    return {name: await result}


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
