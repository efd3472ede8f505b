"""Where an operation starts, and which parts of it need a worker thread: found once per document.

Two rules make one thread hop of many: an operation with a sync resolver at its root starts in a worker
thread, and what an async resolver returns is completed in one when sync resolvers follow below it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Model
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_object_type,
)

from .kinds import default_attribute, is_loaded, runs_on_loop


@dataclass(slots=True)
class Plan:
    """How the resolvers of one operation are spread over the loop and the worker threads."""

    starts_in_worker: bool = False
    blocking: set[int] = field(default_factory=set)
    """``id()`` of the field nodes (the cached document keeps them alive) below which a sync resolver waits."""
    attributes: dict[int, set[str]] = field(default_factory=dict)
    """The attributes that default resolvers read from a field's value, by the ``id()`` of its node."""

    def blocks(self, nodes: Sequence[FieldNode]) -> bool:
        """Whether the value of this field must be completed in a worker thread."""
        return bool(self.blocking) and any(id(node) in self.blocking for node in nodes)

    def queries(self, instance: Model, nodes: Sequence[FieldNode]) -> bool:
        """Whether a default resolver may make a query when it reads this model."""
        return any(not is_loaded(instance, name) for node in nodes for name in self.attributes.get(id(node), ()))


def make_plan(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    every_field_blocks: bool = False,
) -> Plan:
    """The plan of a validated operation. ``every_field_blocks``: sync middleware stands around each resolver."""
    analysis = _Analysis(schema, fragments, every_field_blocks)
    root = schema.get_root_type(operation.operation)
    if root is not None:
        needs_worker, _ = analysis.visit(operation.selection_set, root)
        analysis.plan.starts_in_worker = needs_worker
    return analysis.plan


class _Analysis:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        every_field_blocks: bool,
    ) -> None:
        self.plan = Plan()
        self._every_field_blocks = every_field_blocks
        self._schema = schema
        self._fragments = fragments
        # Each pair of selection set and type once: fragments that spread fragments would be exponential.
        self._seen: dict[tuple[int, str], tuple[bool, set[str]]] = {}

    def visit(self, selections: SelectionSetNode, parent: GraphQLObjectType) -> tuple[bool, set[str]]:
        """Whether one of the fields needs a worker thread, and the attributes that are read by default."""
        key = (id(selections), parent.name)
        if key not in self._seen:
            needs_worker, attributes = False, set[str]()
            self._seen[key] = (needs_worker, attributes)
            for selection in selections.selections:
                if isinstance(selection, FieldNode):
                    below = self._visit_field(selection, parent, attributes)
                else:
                    below, names = self.visit(self._inner(selection), parent)
                    attributes |= names
                needs_worker = needs_worker or below
            self._seen[key] = (needs_worker, attributes)
        return self._seen[key]

    def _inner(self, selection: object) -> SelectionSetNode:
        if isinstance(selection, FragmentSpreadNode):
            return self._fragments[selection.name.value].selection_set
        assert isinstance(selection, InlineFragmentNode)
        return selection.selection_set

    def _visit_field(self, node: FieldNode, parent: GraphQLObjectType, attributes: set[str]) -> bool:
        name = node.name.value
        if name in ("__schema", "__type"):
            return True  # Nothing blocks there, but a whole introspection holds the loop for long.
        definition = parent.fields.get(name)
        if definition is None:
            return False  # ``__typename``, or a fragment's field on another type.
        below = self._visit_value(node, definition.type)
        attribute = default_attribute(definition.resolve, name)
        if self._every_field_blocks:
            return True
        if attribute is not None:
            attributes.add(attribute)
            return below
        assert definition.resolve is not None
        return not runs_on_loop(definition.resolve)

    def _visit_value(self, node: FieldNode, output: GraphQLOutputType) -> bool:
        if node.selection_set is None:
            return False
        needs_worker = False
        names = self.plan.attributes.setdefault(id(node), set())
        for possible in self._possible_types(output):
            below, read = self.visit(node.selection_set, possible)
            names |= read
            needs_worker = needs_worker or below
        if needs_worker:
            self.plan.blocking.add(id(node))
        return needs_worker

    def _possible_types(self, output: GraphQLOutputType) -> Sequence[GraphQLObjectType]:
        named = get_named_type(output)
        if is_object_type(named):
            return [named]  # type: ignore[list-item]
        if is_abstract_type(named):
            abstract: GraphQLAbstractType = named  # type: ignore[assignment]
            return self._schema.get_possible_types(abstract)
        return []
