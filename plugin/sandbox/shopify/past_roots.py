"""What the fields at the root that are about the store's past answer, in pages and in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, cast

from flask import g, request

from plugin.sandbox import records
from plugin.sandbox.model import Checkout, Order, Product, Store
from plugin.sandbox.state import Document, State

from . import fields, past
from .bulk import Bulk
from .bulk_queries import BulkQueries, Walk
from .fields import Node
from .paging import decoded, encoded, page_size, parsed
from .search import search

SORTED_BY: Mapping[str, Literal["key", "moment"]] = {"ID": "key", "CREATED_AT": "moment", "PROCESSED_AT": "moment"}


@dataclass(frozen=True)
class Kind:
    """A kind of the state's documents: how one looks as a node, and its place in the order of their moments."""

    kind: str
    node: Callable[[Any], Node]
    shown: Callable[[Any], bool] = lambda _: True
    key: Callable[[Any], str] = lambda one: str(one["id"])

    def found(self, state: State, query: str | None) -> Iterator[Document]:
        matches = search(query, self.kind)
        return (one for one in state.walk(self.kind) if self.shown(one) and matches(one))


class PastRoots:
    """`table` has the fields at the root, `walks` those whose connections a bulk query may begin with."""

    def __init__(self, state: State, store: Store) -> None:
        self.state, self.store = state, store
        self.kinds = {
            "customers": Kind("customer", lambda one: fields.customer(store, one)),
            "products": Kind("product", lambda one: past.product(store, one)),
            "orders": Kind("order", self.order_node),
            "abandonedCheckouts": Kind(
                "checkout",
                self.checkout_node,
                shown=lambda one: one["customer_id"] is not None,
                key=lambda one: str(one["cart_token"]),
            ),
        }
        self.walks: dict[str, Walk] = {name: self._walk(kind) for name, kind in self.kinds.items()}
        self.table: dict[str, Callable[..., Any]] = {
            "order": lambda _, id: self.order(id),  # noqa: A006  the schema's names
            "product": lambda _, id: self.product(id),  # noqa: A006
            "refund": lambda _, id: self.refund(id),  # noqa: A006
            "ordersCount": lambda _, limit=None, query=None: self.count("orders", limit, query),
            "productsCount": lambda _, limit=None, query=None: self.count("products", limit, query),
            **{name: self._pages(self.kinds[name]) for name in ("orders", "products", "abandonedCheckouts")},
        }

    def order(self, id_: str) -> Node | None:
        kind, number = parsed(id_)
        found = self.state.get("order", str(number)) if kind == "Order" else None
        return self.order_node(cast("Order", found)) if found else None

    def product(self, id_: str) -> Node | None:
        kind, number = parsed(id_)
        found = self.state.get("product", str(number)) if kind == "Product" else None
        return past.product(self.store, cast("Product", found)) if found else None

    def refund(self, id_: str) -> Node | None:
        nodes = (self.order_node(one) for one in records.orders(self.state) if one["refunds"])
        return next((given for node in nodes for given in node["refunds"].nodes if given["id"] == id_), None)

    def order_node(self, order: Order) -> Node:
        buyer = records.customer(self.state, order["customer_id"]) if order["customer_id"] else None
        return past.order(self.store, order, buyer)

    def checkout_node(self, checkout: Checkout) -> Node:
        owner = records.customer(self.state, checkout["customer_id"]) if checkout["customer_id"] else None
        return past.checkout(self.store, checkout, owner)

    def count(self, name: str, limit: int | None, query: str | None) -> Node:
        kind = self.kinds[name]
        number = sum(1 for _ in kind.found(self.state, query)) if query else self.state.count(kind.kind)
        return fields.count(number, limit)

    def _walk(self, kind: Kind) -> Walk:
        return lambda query: map(kind.node, kind.found(self.state, query))

    def _pages(self, kind: Kind) -> Callable[..., Node]:
        def page(
            _: object,
            *,
            sortKey: str,  # noqa: N803  the schema's names
            reverse: bool,
            first: int | None = None,
            after: str | None = None,
            query: str | None = None,
        ) -> Node:
            by, count = SORTED_BY[sortKey], page_size(first)
            matches = search(query, kind.kind)
            walked = self.state.walk(kind.kind, by, decoded(after), reverse)
            found = list(islice((one for one in walked if kind.shown(one) and matches(one)), count + 1))
            nodes = [kind.node(one) for one in found[:count]]
            places = [
                encoded([kind.key(one)] if by == "key" else [one.get("at", ""), kind.key(one)]) for one in found[:count]
            ]
            cursors = {id(node): place for node, place in zip(nodes, places, strict=True)}
            more = len(found) > count
            return fields.connection(nodes, lambda node: cursors[id(node)], more=more, before=bool(after))

        return page


class BulkRoots:
    """The fields at the root that start, show and cancel bulk operations."""

    def __init__(self, bulk: Bulk, queries: BulkQueries) -> None:
        self.bulk, self.queries = bulk, queries
        bulk.runners["QUERY"] = queries.run
        self.table: dict[str, Callable[..., Any]] = {
            "bulkOperation": lambda _, id: self.one(id),  # noqa: A006  the schema's names
            "bulkOperations": self.listing,
            "bulkOperationRunQuery": self.run,
            "bulkOperationCancel": lambda _, id: self.cancel(id),  # noqa: A006
        }

    def one(self, id_: str) -> Node | None:
        found = self.bulk.get(self._number(id_))
        return self.shown(found) if found else None

    def listing(
        self,
        _: object,
        *,
        sortKey: str,  # noqa: N803, ARG002  the schema's names; both orders are the same here
        reverse: bool,
        first: int | None = None,
        after: str | None = None,
        query: str | None = None,
    ) -> Node:
        """Newest first, as Shopify lists them. Looked for by `status:` and `type:` alone."""
        wanted = dict(part.split(":", 1) for part in (query or "").split() if ":" in part)
        nodes = [self.shown(now) for one in self.bulk.operations() if (now := self.bulk.get(one["id"]))]
        nodes = [one for one in nodes if all(one[name].casefold() == text.casefold() for name, text in wanted.items())]
        held = fields.Held(nodes if reverse else nodes[::-1])
        return held(None, first=page_size(first), after=after)

    def run(self, _: object, query: str, groupObjects: bool) -> Node:  # noqa: N803
        if errors := self.queries.refusal(query):
            return {"bulkOperation": None, "userErrors": errors}
        return self.started("QUERY", query, grouped=groupObjects)

    def started(self, kind: str, query: str, **more: Any) -> Node:
        """Start an operation, spoiled by the fault that struck this request, and return the mutation's payload."""
        fault = getattr(g, "fault", None)
        slow = fault.seconds if fault and fault.kind == "slow" else 0
        operation, errors = self.bulk.start(kind, query, fault=fault.kind if fault else None, slow=slow, **more)
        node = self.shown(operation) | {"status": "CREATED"} if operation else None
        return {"bulkOperation": node, "userErrors": errors}

    def cancel(self, id_: str) -> Node:
        found = self.bulk.cancel(self._number(id_))
        if found is None:
            return {
                "bulkOperation": None,
                "userErrors": [{"field": ["id"], "message": "Bulk operation does not exist"}],
            }
        return {"bulkOperation": self.shown(found), "userErrors": []}

    def shown(self, operation: Document) -> Node:
        return self.bulk.shown(operation, request.url_root)

    def _number(self, id_: str) -> int:
        kind, number = parsed(id_)
        return number if kind == "BulkOperation" else 0
