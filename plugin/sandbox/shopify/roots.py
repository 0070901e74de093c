"""What each field at the root of a query or mutation does with the store's documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, cast

from graphql import GraphQLError

from plugin.sandbox import records
from plugin.sandbox.model import Customer, Store
from plugin.sandbox.payloads import gid
from plugin.sandbox.state import State

from . import fields, metafields, standing, tags
from .fields import Node
from .paging import decoded, encoded, page_size, parsed
from .past_roots import BulkRoots, PastRoots
from .pixels import Pixels
from .search import search
from .subscriptions import Subscriptions

SORTED_BY: Mapping[str, Literal["key", "moment"]] = {"ID": "key", "UPDATED_AT": "moment"}

TagsChanged = Callable[[int, str, list[str]], None]


class Roots:
    """`tags_changed` is told of a customer's id, a webhook topic, and the tags that really came or went."""

    def __init__(
        self,
        state: State,
        store: Store,
        subscriptions: Subscriptions,
        scopes: Sequence[str],
        at: Callable[[], str],
        tags_changed: TagsChanged,
        past: PastRoots,
        bulk: BulkRoots,
        pixels: Pixels,
    ) -> None:
        self.state, self.store, self.subscriptions, self.at = state, store, subscriptions, at
        self.tags_changed, self.past, self.bulk = tags_changed, past, bulk
        self.table: dict[str, Callable[..., Any]] = {
            "shop": lambda _: fields.shop(store),
            "currentAppInstallation": lambda _: fields.installation(store, scopes),
            "customer": self.customer,
            "customerByIdentifier": self.customer_by_identifier,
            "customers": self.customers,
            "customersCount": self.customers_count,
            "customerSegmentMembers": lambda _, query=None, first=None, after=None: standing.members(
                state, query, first, after
            ),
            "node": self.node,
            "nodes": lambda info, ids: [self.node(info, id_) for id_ in ids],
            "tagsAdd": self.add_tags,
            "tagsRemove": self.remove_tags,
            "webhookSubscriptions": self.list_subscriptions,
            "webhookSubscriptionCreate": self.subscribe,
            "webhookSubscriptionDelete": self.unsubscribe,
            "webhookSubscriptionUpdate": self.resubscribe,
            **past.table,
            **bulk.table,
            **pixels.table,
        }

    def node(self, info: object, id: str) -> Node | None:  # noqa: A002  the schema's names
        kind, number = parsed(id)
        if kind == "Customer":
            return self.customer(info, id)
        if kind == "WebhookSubscription":
            return self.subscriptions.node(number)
        if kind == "StoreCreditAccount":
            held = (account for one in records.customers(self.state) for account in standing.accounts(one))
            return next((fields.credit(account) for account in held if account["id"] == number), None)
        if kind in ("Order", "Product", "Refund"):
            return {"Order": self.past.order, "Product": self.past.product, "Refund": self.past.refund}[kind](id)
        if kind == "BulkOperation":
            return self.bulk.one(id)
        return fields.shop(self.store) if id == gid("Shop", self.store.id) else None

    def customer(self, _: object, id: str) -> Node | None:  # noqa: A002
        found = self._customer(id)
        return self.told(found) if found else None

    def told(self, customer: Customer) -> Node:
        """Return a customer, of whom the metafield of the app may be asked as well."""
        node = fields.customer(self.store, customer)

        def metafield(_: object, key: str, namespace: str | None = None) -> Node | None:
            return metafields.held_by(self.state, node["id"], key, namespace)

        return node | {"metafield": metafield}

    def customer_by_identifier(self, info: object, identifier: Mapping[str, str]) -> Node | None:
        if len(identifier) != 1:
            raise GraphQLError("Give exactly one identifier")
        if "id" in identifier:
            return self.customer(info, identifier["id"])
        if "phoneNumber" in identifier:
            found = next(
                (one for one in records.customers(self.state) if one["phone"] == identifier["phoneNumber"]), None
            )
        else:
            found = records.customer_by_email(self.state, identifier["emailAddress"])
        return self.told(found) if found else None

    def customers(
        self,
        _: object,
        sortKey: str,  # noqa: N803
        *,
        reverse: bool,
        first: int | None = None,
        after: str | None = None,
        query: str | None = None,
    ) -> Node:
        by, count = SORTED_BY[sortKey], page_size(first)
        matches = search(query)
        walked = cast("Iterable[Customer]", self.state.walk("customer", by, decoded(after), reverse))
        found = list(islice((one for one in walked if matches(one)), count + 1))
        nodes = [fields.customer(self.store, one) for one in found[:count]]
        names = ["legacyResourceId"] if by == "key" else ["updatedAt", "legacyResourceId"]
        more = len(found) > count
        return fields.connection(
            nodes, lambda node: encoded([node[name] for name in names]), more=more, before=bool(after)
        )

    def customers_count(self, _: object, limit: int | None = None, query: str | None = None) -> Node:
        matches = search(query)
        number = sum(map(matches, records.customers(self.state))) if query else self.state.count("customer")
        return fields.count(number, limit)

    def add_tags(self, _: object, id: str, tags: list[str]) -> Node:  # noqa: A002
        return self._tag(id, tags, adding=True)

    def remove_tags(self, _: object, id: str, tags: list[str]) -> Node:  # noqa: A002
        return self._tag(id, tags, adding=False)

    def _tag(self, id_: str, names: list[str], *, adding: bool) -> Node:
        with self.state.transaction():
            customer = self._customer(id_)
            if customer is None:
                return failed(node=None, field="id", message="Resource does not exist")
            if refusal := tags.refusal(names):
                return failed(node=fields.customer(self.store, customer), field=refusal.field, message=refusal.message)
            held = customer["tags"]
            changed = tags.added(held, names) if adding else tags.removed(held, names)
            after = [*held, *changed] if adding else [tag for tag in held if tag not in changed]
            if len(after) > tags.MOST_TAGS:
                message = f"A customer cannot have more than {tags.MOST_TAGS} tags"
                return failed(node=fields.customer(self.store, customer), field="tags", message=message)
            if changed:
                customer |= {"tags": after, "updated_at": self.at()}
                records.keep_customers(self.state, [customer])
        if changed:
            self.tags_changed(customer["id"], "customer.tags_added" if adding else "customer.tags_removed", changed)
        return {"node": fields.customer(self.store, customer), "userErrors": []}

    def list_subscriptions(
        self,
        _: object,
        *,
        reverse: bool,
        first: int | None = None,
        after: str | None = None,
        topics: list[str] | None = None,
        uri: str | None = None,
    ) -> Node:
        count = page_size(first)
        found = list(islice(self.subscriptions.nodes(topics, uri, decoded(after), reverse), count + 1))
        more = len(found) > count
        return fields.connection(
            found[:count], lambda node: encoded([node["legacyResourceId"]]), more=more, before=bool(after)
        )

    def subscribe(self, _: object, topic: str, webhookSubscription: Mapping[str, Any]) -> Node:  # noqa: N803
        node, errors = self.subscriptions.create(topic, webhookSubscription)
        return {"webhookSubscription": node, "userErrors": errors}

    def resubscribe(self, _: object, id: str, webhookSubscription: Mapping[str, Any]) -> Node:  # noqa: A002, N803
        kind, number = parsed(id)
        node, errors = self.subscriptions.update(number if kind == "WebhookSubscription" else 0, webhookSubscription)
        return {"webhookSubscription": node, "userErrors": errors}

    def unsubscribe(self, _: object, id: str) -> Node:  # noqa: A002
        kind, number = parsed(id)
        if kind == "WebhookSubscription" and self.subscriptions.delete(number):
            return {"deletedWebhookSubscriptionId": id, "userErrors": []}
        error = {"field": ["id"], "message": "Webhook subscription does not exist"}
        return {"deletedWebhookSubscriptionId": None, "userErrors": [error]}

    def _customer(self, id_: str) -> Customer | None:
        kind, number = parsed(id_)
        return records.customer(self.state, number) if kind == "Customer" else None


def failed(node: Node | None, field: str, message: str) -> Node:
    return {"node": node, "userErrors": [{"field": [field], "message": message}]}
