"""What an operation selects: collected and looked up once, for all its executions.

graphql-core collects the fields for each execution anew, and asks the schema for each field of each object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLFieldResolver,
    GraphQLIncludeDirective,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    NullValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    default_field_resolver,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_non_null_type,
    is_scalar_type,
    is_specified_scalar_type,
    value_from_ast,
)
from graphql.execution.collect_fields import collect_fields, collect_sub_fields
from graphql.execution.execute import SELECTIONS_NESTED_TOO_DEEPLY, get_field_def
from graphql.execution.values import get_argument_values

from .kinds import only_reads

MAX_VARIANTS = 8
"""An operation keeps its fields for so many combinations of what ``@skip`` and ``@include`` read."""

_CONDITIONAL = {GraphQLSkipDirective.name, GraphQLIncludeDirective.name}

Fragments = Mapping[str, FragmentDefinitionNode]
Nodes = list[FieldNode]


class Arguments:
    """The arguments of a field in a document: nearly always variables and plain constants.

    Anything else, and whatever is missing or wrong, is graphql-core's affair.
    """

    __slots__ = ("_definition", "_node", "_template", "_variables")

    def __init__(self, definition: GraphQLField, node: FieldNode) -> None:
        self._definition = definition
        self._node = node
        # All arguments in the order of the schema, with the constants among them; None if there is more to it.
        self._template: dict[str, Any] | None
        # The other names, and their variables.
        self._variables: list[tuple[str, str]] = []
        given = {argument.name.value: argument.value for argument in node.arguments}
        try:
            values = {
                argument.out_name or name: self._find(argument.out_name or name, argument, given.get(name))
                for name, argument in definition.args.items()
            }
            self._template = {name: value for name, value in values.items() if value is not Undefined}
        except LookupError:
            self._template = None

    def _find(self, name: str, argument: GraphQLArgument, node: ValueNode | None) -> Any:
        if isinstance(node, VariableNode):
            self._variables.append((name, node.name.value))
            return None
        return _constant(argument, node)

    def values(self, variables: dict[str, Any]) -> dict[str, Any]:
        """What the resolver is called with, in one execution. Raises GraphQLError."""
        if self._template is not None:
            values = self._template.copy()
            for name, variable in self._variables:
                value = variables.get(variable)
                if value is None:
                    break
                values[name] = value
            else:
                return values
        return get_argument_values(self._definition, self._node, variables)


@dataclass(frozen=True, slots=True, eq=False)
class SelectedField:
    """A field of one object type in a document."""

    name: str
    """Its name in the response."""
    nodes: Nodes
    parent: GraphQLObjectType
    definition: GraphQLField
    resolve: GraphQLFieldResolver
    arguments: Arguments | None
    """None: the schema declares none."""
    leaf: GraphQLLeafType | None
    """The type of the value, if it is a scalar or an enum, and no list of them."""
    is_required: bool
    is_read: bool
    """It is a leaf, and its resolver only reads it from the parent value: it looks at nothing else."""


Selection = tuple[SelectedField, ...]
"""What is selected of one object type, in order."""


class Selections:
    """The fields of an operation: the same for all executions that agree in what ``@skip`` and ``@include`` read.

    Raises GraphQLError if the schema has no such operations.
    """

    def __init__(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Fragments, variables: dict[str, Any]
    ) -> None:
        root_type = schema.get_root_type(operation.operation)
        if root_type is None:
            kind = operation.operation.value
            raise GraphQLError(f"Schema is not configured to execute {kind} operation.", operation)
        self._schema = schema
        self._fragments = dict(fragments)
        self._variables = variables
        self._below: dict[tuple[GraphQLObjectType, int], Selection] = {}
        self.root_type = root_type
        self.are_serial = operation.operation is OperationType.MUTATION
        """Those of the root are executed one after the other."""
        self.root = self._collect_root(operation)

    def _collect_root(self, operation: OperationDefinitionNode) -> Selection:
        try:
            fields = collect_fields(
                self._schema, self._fragments, self._variables, self.root_type, operation.selection_set
            )
            return self._look_up(self.root_type, fields)
        except RecursionError:
            raise GraphQLError(SELECTIONS_NESTED_TOO_DEEPLY, operation) from None

    def below(self, parent: GraphQLObjectType, nodes: Nodes) -> Selection:
        """What is selected of a field's value. ``nodes``: those of a `SelectedField`, the list itself."""
        # The list lives as long as this object: nothing else can get its id.
        key = parent, id(nodes)
        selection = self._below.get(key)
        if selection is None:
            fields = collect_sub_fields(self._schema, self._fragments, self._variables, parent, nodes)
            selection = self._below[key] = self._look_up(parent, fields)
        return selection

    def _look_up(self, parent: GraphQLObjectType, fields: dict[str, Nodes]) -> Selection:
        return tuple(
            _select(name, nodes, parent, definition)
            for name, nodes in fields.items()
            if (definition := get_field_def(self._schema, parent, nodes[0])) is not None
        )


class Variants:
    """The `Selections` of an operation."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Fragments) -> None:
        self._document = schema, operation, fragments
        self._conditions = tuple(_conditions(operation, fragments))
        self._known: dict[tuple[Any, ...], Selections] = {}

    def find(self, variables: dict[str, Any]) -> Selections:
        """Those of an execution with these variables."""
        key = tuple([variables.get(name) for name in self._conditions])
        selections = self._known.get(key)
        if selections is None:
            read = {name: variables[name] for name in self._conditions if name in variables}
            selections = Selections(*self._document, read)
            if len(self._known) < MAX_VARIANTS:
                self._known[key] = selections
        return selections


def _select(name: str, nodes: Nodes, parent: GraphQLObjectType, definition: GraphQLField) -> SelectedField:
    nullable: Any = get_nullable_type(definition.type)  # type: ignore[arg-type]
    leaf = nullable if is_leaf_type(nullable) else None
    resolve = definition.resolve or default_field_resolver
    return SelectedField(
        name,
        nodes,
        parent,
        definition,
        resolve,
        Arguments(definition, nodes[0]) if definition.args else None,
        leaf,
        is_non_null_type(definition.type),
        leaf is not None and not definition.args and only_reads(resolve),
    )


def _constant(argument: GraphQLArgument, node: ValueNode | None) -> Any:
    """The value of an argument that is no variable, Undefined if it has none.

    Raises LookupError if it may be another one next time, or an error.
    """
    value_type: Any = get_nullable_type(argument.type)  # type: ignore[arg-type]
    if node is None:
        if is_input_object_type(value_type) or (
            argument.default_value is Undefined and value_type is not argument.type
        ):
            raise LookupError
        return argument.default_value
    # Other scalars may make a new value each time.
    is_constant = is_enum_type(value_type) or (is_scalar_type(value_type) and is_specified_scalar_type(value_type))
    if isinstance(node, NullValueNode) or not is_constant:
        raise LookupError
    value = value_from_ast(node, argument.type)
    if value is Undefined:
        raise LookupError
    return value


def _conditions(operation: OperationDefinitionNode, fragments: Fragments) -> Iterable[str]:
    """The names of the variables on which it depends what is selected."""
    names: set[str] = set()
    waiting: list[SelectionSetNode] = [operation.selection_set, *(node.selection_set for node in fragments.values())]
    for selections in waiting:  # It grows meanwhile.
        for selection in selections.selections:
            names.update(_variables_of(selection))
            if (inner := getattr(selection, "selection_set", None)) is not None:
                waiting.append(inner)
    return sorted(names)


def _variables_of(selection: SelectionNode) -> Iterable[str]:
    return (
        argument.value.name.value
        for directive in selection.directives
        if directive.name.value in _CONDITIONAL
        for argument in directive.arguments
        if isinstance(argument.value, VariableNode)
    )
