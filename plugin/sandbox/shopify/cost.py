"""What a document costs by Shopify's rules, before it runs and after, and the bucket that pays for it.

A scalar costs nothing, an object 1, a connection 2 and what it holds as often as `first` says, a mutation 10 in all.
https://shopify.dev/docs/api/usage/limits
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    value_from_ast_untyped,
)

MUTATION = 10
PRICES = {"Connection": 2, "Edge": 0, "PageInfo": 0}  # by the end of a type's name; any other object costs 1
MOST_FOR_ONE_QUERY = 1_000
RESTORE_RATES = {"standard": 100, "advanced": 200, "plus": 1_000, "enterprise": 2_000}  # points a second
FULL_AFTER_SECONDS = 20


class Tariff:
    """Prices one operation of a valid document."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self.schema, self.operation = schema, operation
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        defaults = {
            node.variable.name.value: value_from_ast_untyped(node.default_value)
            for node in operation.variable_definitions or ()
            if node.default_value
        }
        self.variables = defaults | dict(variables)

    def requested(self) -> int:
        root = self._root()
        selections = self.operation.selection_set
        if self.operation.operation is OperationType.MUTATION:
            return MUTATION * len(list(self._fields(root, selections)))
        return self._asked(root, selections)

    def actual(self, data: Mapping[str, Any] | None) -> int:
        """Return what the answer is worth: only what was found is paid for."""
        if self.operation.operation is OperationType.MUTATION:
            return self.requested()
        return self._found(self._root(), self.operation.selection_set, data or {})

    def _root(self) -> GraphQLNamedType:
        root = self.schema.get_root_type(self.operation.operation)
        assert root
        return root

    def _asked(self, parent: GraphQLNamedType, selections: SelectionSetNode, size: int = 1) -> int:
        points = 0
        for of, field in self._fields(parent, selections):
            child, inner = child_type(of, field), field.selection_set
            if child is None or inner is None:
                continue
            times = size if paged(of, field) else len(self._argument(field, "ids") or [None])
            points += times * (price(child) + self._asked(child, inner, self._argument(field, "first") or 0))
        return points

    def _found(self, parent: GraphQLNamedType, selections: SelectionSetNode, data: Mapping[str, Any]) -> int:
        points = 0
        for of, field in self._fields(parent, selections):
            child, inner = child_type(of, field), field.selection_set
            value = data.get(field.alias.value if field.alias else field.name.value)
            if child is None or inner is None:
                continue
            found = value if isinstance(value, list) else [value]
            counted = found if paged(of, field) or self._argument(field, "ids") else found[:1]
            points += sum(price(child) + self._found(child, inner, item) for item in counted if item is not None)
        return points

    def _fields(
        self, parent: GraphQLNamedType, selections: SelectionSetNode
    ) -> Iterator[tuple[GraphQLNamedType, FieldNode]]:
        """Yield the fields under `parent` with the type that each belongs to, fragments taken apart."""
        for node in selections.selections:
            part = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            if isinstance(part, FieldNode):
                yield parent, part
            elif isinstance(part, FragmentDefinitionNode | InlineFragmentNode):
                condition: NamedTypeNode | None = part.type_condition  # an inline fragment may have none
                narrowed = self.schema.get_type(condition.name.value) if condition is not None else None
                yield from self._fields(narrowed or parent, part.selection_set)

    def _argument(self, field: FieldNode, name: str) -> Any:
        given = {node.name.value: node.value for node in field.arguments or ()}
        return value_from_ast_untyped(given[name], self.variables) if name in given else None


def child_type(parent: GraphQLNamedType, field: FieldNode) -> GraphQLNamedType | None:
    """Return the object type of a field; None for scalars and for what GraphQL itself adds."""
    if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) or field.name.value not in parent.fields:
        return None
    child = get_named_type(parent.fields[field.name.value].type)
    return child if isinstance(child, GraphQLObjectType | GraphQLInterfaceType) else None


def paged(parent: GraphQLNamedType, field: FieldNode) -> bool:
    """Does the field hold what its connection was asked for. Other lists are priced as one object."""
    return parent.name.endswith("Connection") and field.name.value in ("nodes", "edges")


def price(kind: GraphQLNamedType) -> int:
    return next((points for end, points in PRICES.items() if kind.name.endswith(end)), 1)


@dataclass
class Bucket:
    """Points that refill with time. `available` may be set, to make a shop that is busy with other apps."""

    maximum: float
    restore_rate: float
    now: Callable[[], datetime]

    def __post_init__(self) -> None:
        self.available: float = self.maximum
        self._filled_at = self.now()
        self._lock = threading.Lock()

    @classmethod
    def of_plan(cls, plan: str, now: Callable[[], datetime]) -> Bucket:
        rate = RESTORE_RATES[plan]
        return cls(rate * FULL_AFTER_SECONDS, rate, now)

    def take(self, points: int) -> bool:
        """Pay `points` in advance; False when too few are left."""
        with self._lock:
            self._refill()
            if self.available < points:
                return False
            self.available -= points
            return True

    def give_back(self, points: int) -> None:
        with self._lock:
            self.available = min(self.maximum, self.available + points)

    def status(self) -> dict[str, float]:
        with self._lock:
            self._refill()
            return {
                "maximumAvailable": float(self.maximum),
                "currentlyAvailable": int(self.available),
                "restoreRate": float(self.restore_rate),
            }

    def _refill(self) -> None:
        now = self.now()
        passed = max(0.0, (now - self._filled_at).total_seconds())  # a clock that is set may also go back
        self.available = min(self.maximum, self.available + passed * self.restore_rate)
        self._filled_at = now
