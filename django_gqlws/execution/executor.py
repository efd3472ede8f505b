"""Running operations against one schema."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from graphql import (
    GraphQLError,
    GraphQLSchema,
    MiddlewareManager,
    default_field_resolver,
    default_type_resolver,
    located_error,
)
from graphql.execution.execute import CollectedErrors
from graphql.pyutils import Path, inspect

from ..conf import load_loaders, load_middleware, load_schema
from .connections import close_old_async_connections
from .documents import DocumentCache, Operation
from .engine import Execution, GuardedMiddleware
from .info import Watch
from .kinds import call
from .loaders import NO_LOADERS, Factories, Loaders
from .workers import CancelledTooLate


class Outcome(NamedTuple):
    """What one execution came to."""

    data: dict[str, Any] | None
    errors: Sequence[Exception]
    touched: bool = False
    """A resolver looked at the context: the result belongs to this operation alone."""
    skipped: bool = False
    """``publish`` returned None: there is nothing to send."""


class Executor:
    """Runs operations: one for each schema, its middleware and its loaders in a process."""

    def __init__(self, schema: GraphQLSchema, middleware: GuardedMiddleware | None, loaders: Factories) -> None:
        self.schema = schema
        self.loaders = loaders
        self.documents = DocumentCache(schema, middleware is not None and middleware.blocks)
        self._middleware = middleware

    def new_loaders(self) -> Loaders:
        """The loaders that the context of an operation begins with."""
        return Loaders(self.loaders) if self.loaders else NO_LOADERS

    def execute(
        self,
        operation: Operation,
        variables: dict[str, Any],
        root: Any,
        context: Any,
        on_touch: Callable[[], None] | None = None,
    ) -> Outcome | Awaitable[Outcome]:
        """Executes an operation with coerced variables: at once where no resolver has to be awaited.

        ``on_touch`` is called when somebody looks at the context for the first time, in whatever thread.
        """
        watch = Watch(context, on_touch, bool(self.loaders))
        execution = self._execution(operation, variables, root, watch, self._middleware)
        try:
            execution.selections = operation.selected.find(variables)
            data = execution.execute_operation(operation.node, root)
        except GraphQLError as error:
            return _outcome(execution, None, error)
        if execution.is_awaitable(data):
            return _await_outcome(execution, data)  # type: ignore[arg-type]
        return _outcome(execution, data)  # type: ignore[arg-type]

    async def open_source(self, operation: Operation, variables: dict[str, Any], context: Any) -> AsyncIterable[Any]:
        """The source stream of a subscription (GraphQL specification, CreateSourceEventStream).

        Raises GraphQLError, with the exception of the user's ``subscribe`` as its ``original_error``.
        Middleware takes no part.
        """
        execution = self._execution(operation, variables, None, Watch(context, None, bool(self.loaders)), None)
        selected = operation.selected.find(variables)
        if not selected.root:
            raise GraphQLError("The subscription selects no field.", operation.node)
        field = selected.root[0]
        path = Path(None, field.name, field.parent.name)
        info = execution.build_resolve_info(field.definition, field.nodes, field.parent, path)
        subscribe = field.definition.subscribe or default_field_resolver
        try:
            arguments = field.arguments.values(variables) if field.arguments else {}
            source = await call(subscribe, None, info, **arguments)
            if isinstance(source, Exception):
                raise source
        except CancelledTooLate as late:
            await close_source(late.result)
            raise
        except Exception as error:
            located = located_error(error, field.nodes, path.as_list())
            if not isinstance(error, GraphQLError):
                located.extensions = {"code": type(error).__name__}
            raise located from error
        if not isinstance(source, AsyncIterable):
            raise GraphQLError(
                f"Subscription field must return AsyncIterable. Received: {inspect(source)}.",
                field.nodes,
                path=path.as_list(),
            )
        execution.watch.renew_loaders()
        return source

    def _execution(
        self,
        operation: Operation,
        variables: dict[str, Any],
        root: Any,
        watch: Watch,
        middleware: MiddlewareManager | None,
    ) -> Execution:
        watch.renew_loaders()
        execution = Execution(
            self.schema,
            operation.fragments,  # type: ignore[arg-type]
            root,
            None,  # The context is behind the watch.
            operation.node,
            variables,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            CollectedErrors(),
            middleware,
            None,
        )
        execution.plan = operation.plan
        execution.watch = watch
        return execution


async def close_source(source: Any) -> None:
    """Releases a source stream, if it is one that can be released."""
    if (close := getattr(source, "aclose", None)) is not None:
        await close()


def get_executor(schema: Any, middleware: Any, loaders: Any = None) -> Executor:
    """The process's executor for a schema, middleware and loaders, as they stand in the settings."""
    graphql_schema = load_schema(schema)
    functions = load_middleware(middleware) or ()
    functions = tuple(getattr(functions, "middlewares", functions))
    factories = load_loaders(loaders)
    # Kept in the schema itself, so that both go together.
    of_schema = graphql_schema.extensions.setdefault("django_gqlws", {})
    key = tuple(map(id, functions)), tuple((name, id(factory)) for name, factory in factories.items())
    if key not in of_schema:
        middleware = GuardedMiddleware(functions) if functions else None
        of_schema[key] = Executor(graphql_schema, middleware, factories)
    executor: Executor = of_schema[key]
    return executor


async def _await_outcome(execution: Execution, data: Awaitable[dict[str, Any]]) -> Outcome:
    try:
        return _outcome(execution, await data)
    except GraphQLError as error:
        return _outcome(execution, None, error)
    finally:
        close_old_async_connections()


def _outcome(execution: Execution, data: dict[str, Any] | None, error: GraphQLError | None = None) -> Outcome:
    execution.watch.renew_loaders()  # What they have cached ends here.
    collected = execution.collected_errors
    if error is not None:
        collected.add(error, None)
    # Sorts the errors: resolvers may have run side by side.
    errors = execution.build_response(data, collected.errors).errors if collected.errors else ()
    return Outcome(data, errors or (), execution.watch.touched, execution.watch.skipped)
