"""What a bulk query may ask for, and its answer line by line, as read from the store's documents one after the other.

https://shopify.dev/docs/api/usage/bulk-operations/queries#operation-restrictions
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    InlineFragmentNode,
    NamedTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    parse,
    value_from_ast_untyped,
)

from plugin.sandbox.state import Document

from .bulk import Errors, Line
from .engine import Engine
from .fields import Held, Listed, Node

MOST_CONNECTIONS, DEEPEST = 5, 2
SCATTERED = 100  # lines among which those of one object are spread
NOT_AT_THE_ROOT = ("node", "nodes")
NO_EDGES = (
    "All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: 'products {{ edges "
    "{{ node {{'. Selecting via 'nodes' is not supported. Invalid connection fields: '{}'."
)
NO_ID = (
    "The parent 'node' field for a nested connection must select the 'id' field without an alias and must be of 'ID' "
    "return type. Connection fields without 'id': {}."
)

Fragments = Mapping[str, FragmentDefinitionNode]
Walk = Callable[[str | None], Iterator[Node]]
"""Yield the nodes of a connection at the root, those that a search finds."""


@dataclass
class Shape:
    """What a query consists of, as far as there are rules about it."""

    connections: int = 0
    deepest: int = 0
    in_a_list: bool = False
    by_nodes: list[str] = field(default_factory=list)
    without_id: list[str] = field(default_factory=list)


class BulkQueries:
    """`walks` has each connection that can stand at the root; `unapproved` ("Customer.firstName") reads as null."""

    def __init__(self, engine: Engine, walks: Mapping[str, Walk], unapproved: Collection[str] = ()) -> None:
        self.engine, self.walks, self.unapproved = engine, walks, unapproved

    def refusal(self, query: str) -> Errors:
        """Return what is wrong with a query, nothing if it may be run."""
        try:
            document, faults = self.engine.read(query, {})
        except GraphQLError as error:
            return invalid(f"Invalid bulk query: {error.message}")
        operation = operation_of(document)
        if operation.operation is not OperationType.QUERY:
            return invalid("Invalid operation type. Only `query` operations are supported.")
        if faults:
            return invalid(*(f"Invalid bulk query: {fault.message}" for fault in faults))
        root = self.engine.schema.query_type
        assert root
        shape, fragments = Shape(), fragments_of(document)
        self._measure(shape, root, operation.selection_set, fragments, depth=0)
        top = [one.name.value for _, one in self._fields(root, operation.selection_set, fragments)]
        return invalid(*complaints(shape, top))

    def run(self, operation: Document) -> Iterator[Line]:
        """Yield the objects of a query that was found right, each with its parent's id; beside it only if `grouped`."""
        document = parse(operation["query"])
        root = self.engine.schema.query_type
        assert root
        fragments = fragments_of(document)
        [(_, top)] = self._fields(root, operation_of(document).selection_set, fragments)
        arguments = {one.name.value: value_from_ast_untyped(one.value) for one in top.arguments or ()}
        selected = node_selection(top)
        found = self.walks[top.name.value](arguments.get("query"))
        objects = (line for node in found for line in self._lines(node, selected, fragments, None))
        yield from objects if operation["grouped"] else scattered(objects)

    def _lines(
        self, node: Node, selected: SelectionSetNode, fragments: Fragments, parent: str | None
    ) -> Iterator[Line]:
        below: list[tuple[Held, FieldNode]] = []
        own = self._project(node, selected, fragments, below)
        yield own if parent is None else own | {"__parentId": parent}, parent is None
        for held, asked in below:
            for child in held.nodes:
                yield from self._lines(child, node_selection(asked), fragments, own["id"])

    def _project(
        self, node: Node, selected: SelectionSetNode, fragments: Fragments, below: list[tuple[Held, FieldNode]]
    ) -> dict[str, Any]:
        """Return what was asked for of a node; its connections are put aside in `below`."""
        own: dict[str, Any] = {}
        for part in selected.selections:
            if isinstance(part, FieldNode):
                value = self._value(node, part.name.value)
                if isinstance(value, Held):
                    below.append((value, part))
                    continue
                inner = part.selection_set
                if inner and isinstance(value, list):
                    value = [self._project(one, inner, fragments, below) for one in value]
                elif inner and value is not None:
                    value = self._project(value, inner, fragments, below)
                own[part.alias.value if part.alias else part.name.value] = value
                continue
            whole = fragments[part.name.value] if isinstance(part, FragmentSpreadNode) else part
            assert isinstance(whole, FragmentDefinitionNode | InlineFragmentNode)
            condition: NamedTypeNode | None = whole.type_condition  # an inline fragment may have none
            if condition is None or condition.name.value == node.get("__typename"):
                own |= self._project(node, whole.selection_set, fragments, below)
        return own

    def _value(self, node: Node, name: str) -> Any:
        if self.unapproved and f"{node.get('__typename')}.{name}" in self.unapproved:
            return None
        value = node.get(name)
        return value.nodes if isinstance(value, Listed) else value

    def _measure(
        self,
        shape: Shape,
        parent: GraphQLNamedType,
        selections: SelectionSetNode,
        fragments: Fragments,
        *,
        depth: int,
        in_a_list: bool = False,
    ) -> None:
        for of, asked in self._fields(parent, selections, fragments):
            kind = type_of(of, asked)
            if kind is None or asked.selection_set is None:
                continue
            named = get_named_type(kind)
            if not named.name.endswith("Connection"):
                listed = in_a_list or is_list(kind)
                self._measure(shape, named, asked.selection_set, fragments, depth=depth, in_a_list=listed)
                continue
            shape.connections += 1
            shape.deepest = max(shape.deepest, depth)
            shape.in_a_list |= in_a_list
            inner = selection(asked, "edges", "node")
            if inner is None:
                shape.by_nodes.append(asked.name.value)
                continue
            edge = get_named_type(named.fields["edges"].type) if isinstance(named, GraphQLObjectType) else None
            node = get_named_type(edge.fields["node"].type) if isinstance(edge, GraphQLObjectType) else None
            assert node
            before = shape.connections
            self._measure(shape, node, inner, fragments, depth=depth + 1)
            if shape.connections > before and not any(
                isinstance(one, FieldNode) and one.name.value == "id" and not one.alias for one in inner.selections
            ):
                shape.without_id.append(asked.name.value)

    def _fields(
        self, parent: GraphQLNamedType, selections: SelectionSetNode, fragments: Fragments
    ) -> Iterator[tuple[GraphQLNamedType, FieldNode]]:
        """Yield the fields under `parent` with the type that each belongs to, fragments taken apart."""
        for part in selections.selections:
            whole = fragments[part.name.value] if isinstance(part, FragmentSpreadNode) else part
            if isinstance(whole, FieldNode):
                yield parent, whole
            elif isinstance(whole, FragmentDefinitionNode | InlineFragmentNode):
                condition: NamedTypeNode | None = whole.type_condition
                narrowed = self.engine.schema.get_type(condition.name.value) if condition is not None else None
                yield from self._fields(narrowed or parent, whole.selection_set, fragments)


def scattered(lines: Iterator[Line]) -> Iterator[Line]:
    """Yield lines as they come without grouping: children some way behind their parents."""
    while batch := list(islice(lines, SCATTERED)):
        yield from (line for line in batch if line[1])
        yield from (line for line in batch if not line[1])


def complaints(shape: Shape, top: list[str]) -> Iterator[str]:
    if shape.by_nodes:
        yield NO_EDGES.format("', '".join(shape.by_nodes))
    if any(name in NOT_AT_THE_ROOT for name in top):
        yield "Bulk queries cannot contain a top level `node` field."
    if shape.deepest > DEEPEST:
        yield f"Bulk queries cannot contain connections with a nesting depth greater than {DEEPEST}."
    if shape.connections > MOST_CONNECTIONS:
        yield f"Bulk queries cannot contain more than {MOST_CONNECTIONS} connections."
    if shape.without_id:
        yield NO_ID.format(", ".join(shape.without_id))
    if shape.in_a_list:
        yield "Queries that contain a connection field within a list field are not currently supported."
    if shape.connections == 0:
        yield "Bulk queries must contain at least one connection."
    elif len(top) != 1:
        yield "Bulk queries must have a single top level field."


def invalid(*messages: str) -> Errors:
    return [{"field": ["query"], "message": message, "code": "INVALID"} for message in messages]


def operation_of(document: DocumentNode) -> OperationDefinitionNode:
    return next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))


def fragments_of(document: DocumentNode) -> Fragments:
    return {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}


def type_of(parent: GraphQLNamedType, asked: FieldNode) -> Any:
    if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) or asked.name.value not in parent.fields:
        return None
    return parent.fields[asked.name.value].type


def is_list(kind: Any) -> bool:
    return isinstance(kind, GraphQLList) or (isinstance(kind, GraphQLNonNull) and is_list(kind.of_type))


def selection(asked: FieldNode, *path: str) -> SelectionSetNode | None:
    """Return what is selected at the end of a path of fields."""
    found = asked.selection_set
    for name in path:
        named = (
            [one for one in found.selections if isinstance(one, FieldNode) and one.name.value == name] if found else []
        )
        found = named[0].selection_set if named else None
    return found


def node_selection(asked: FieldNode) -> SelectionSetNode:
    found = selection(asked, "edges", "node")
    assert found
    return found
