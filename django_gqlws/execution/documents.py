"""Documents, parsed and validated once per schema and process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLInt,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    OperationType,
    get_nullable_type,
    parse,
    type_from_ast,
    validate,
)
from graphql.execution.values import get_variable_values

from . import workers
from .plan import Plan, make_plan
from .selection import Variants

MAX_DOCUMENTS = 1_000
MAX_CHARACTERS = 8 * 1024 * 1024
"""What one cache keeps of texts; the documents that were not used for the longest time go first."""

MAX_TOKENS = 10_000
"""Tokens of one document. Validating costs more than the square of some; a long introspection query has 500."""

LIGHT_CHARACTERS = 300
LIGHT_SELECTIONS = 10
"""What a document may have to be parsed and validated on the event loop. Others go to a worker thread: comparing fields
that may conflict costs the square of their number, hundreds of milliseconds for 1,000 characters."""


_EXACT: dict[Any, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool, GraphQLInt: int}


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a valid document."""

    schema: GraphQLSchema
    node: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    plan: Plan
    selected: Variants
    exact_variables: Mapping[str, type] | None
    """The type in Python of each variable, if values of that type are taken as they are."""
    type: OperationType
    name: str | None

    @property
    def root_field(self) -> str:
        """The name of its first field in the schema."""
        node: Any = self.node
        while not isinstance(node, FieldNode):
            node = node.selection_set.selections[0]
            if isinstance(node, FragmentSpreadNode):
                node = self.fragments[node.name.value]
        return node.name.value

    def coerce_variables(self, variables: dict[str, Any]) -> dict[str, Any] | list[GraphQLError]:
        """The variables as the schema wants them, or what is wrong with them."""
        if self.exact_variables is not None:
            values = {name: variables.get(name) for name in self.exact_variables}
            if all(_is_exact(values[name], kind) for name, kind in self.exact_variables.items()):
                return values
        return get_variable_values(self.schema, self.node.variable_definitions, variables, max_errors=50)


@dataclass(frozen=True, slots=True)
class Document:
    """A document's operations, or its syntax and validation errors."""

    text: str
    operations: Mapping[str | None, Operation]
    errors: tuple[GraphQLError, ...] = ()

    def select(self, name: str | None) -> Operation | list[GraphQLError]:
        """The operation to run (GraphQL specification, GetOperation), or why there is none."""
        if self.errors:
            return list(self.errors)
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        if name is not None and name in self.operations:
            return self.operations[name]
        if name is not None:
            return [GraphQLError(f"Unknown operation named '{name}'.")]
        if self.operations:
            return [GraphQLError("Must provide operation name if query contains multiple operations.")]
        return [GraphQLError("Must provide an operation.")]


class DocumentCache:
    """The documents that a schema has seen, invalid ones too: they cost the same work each time."""

    def __init__(self, schema: GraphQLSchema, every_field_blocks: bool = False) -> None:
        self._schema = schema
        self._every_field_blocks = every_field_blocks
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._characters = 0

    def find(self, text: str) -> Document | None:
        """The document if it is known, or so light that reading it here and now is cheaper than a thread hop."""
        document = self._documents.get(text)
        if document is not None:
            self._documents.move_to_end(text)
            return document
        if len(text) <= LIGHT_CHARACTERS and text.count("{") + text.count("...") <= LIGHT_SELECTIONS:
            return self._keep(self._read(text))
        return None

    async def read(self, text: str) -> Document:
        """The document, read in a worker thread."""
        return self._keep(await workers.run(self._read, text))

    def _read(self, text: str) -> Document:
        try:
            ast = parse(text, max_tokens=MAX_TOKENS)
            errors = tuple(validate(self._schema, ast))
            return Document(text, {} if errors else self._operations(ast), errors)
        except GraphQLError as error:
            return Document(text, {}, (error,))
        except RecursionError:
            return Document(text, {}, (GraphQLError("The document is nested too deeply."),))

    def _operations(self, ast: DocumentNode) -> dict[str | None, Operation]:
        fragments = {node.name.value: node for node in ast.definitions if isinstance(node, FragmentDefinitionNode)}
        return {
            node.name.value if node.name else None: Operation(
                self._schema,
                node,
                fragments,
                make_plan(self._schema, node, fragments, self._every_field_blocks),
                Variants(self._schema, node, fragments),
                _exact_variables(self._schema, node),
                node.operation,
                node.name.value if node.name else None,
            )
            for node in ast.definitions
            if isinstance(node, OperationDefinitionNode)
        }

    def _keep(self, document: Document) -> Document:
        if document.text not in self._documents:
            self._documents[document.text] = document
            self._characters += len(document.text)
        while len(self._documents) > MAX_DOCUMENTS or self._characters > MAX_CHARACTERS:
            text, _ = self._documents.popitem(last=False)
            self._characters -= len(text)
        return document


def _is_exact(value: Any, kind: type) -> bool:
    if kind is int:
        return type(value) is int and GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT
    return type(value) is kind


def _exact_variables(schema: GraphQLSchema, operation: OperationDefinitionNode) -> dict[str, type] | None:
    exact = {}
    for definition in operation.variable_definitions:
        declared: Any = type_from_ast(schema, definition.type)
        kind = _EXACT.get(get_nullable_type(declared))
        if kind is None:
            return None
        exact[definition.variable.name.value] = kind
    return exact
