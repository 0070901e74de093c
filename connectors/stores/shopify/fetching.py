"""Orders read one by one by Shopify's Admin API, where a webhook names an order and does not tell it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from connectors.payload import Payload
from connectors.records import Order
from connectors.stores.shopify import nodes
from connectors.stores.shopify.documents import LINE, QUESTIONS
from connectors.stores.shopify.graphql import Admin
from connectors.stores.shopify.returned import refunds

ORDER = "gid://shopify/Order/"
WANTED = f"{QUESTIONS['orders'].fields} {QUESTIONS['orders'].personal}"
# fifty lines keep a request well below the thousand points that it may cost
LINE_PAGE = f"lineItems(first: 50, after: $after) {{ nodes {{ {LINE} }} pageInfo {{ hasNextPage endCursor }} }}"
ORDER_NOW = f"query OrderNow($id: ID!, $after: String) {{ order(id: $id) {{ {WANTED} {LINE_PAGE} }} }}"
MORE_LINES = f"query MoreLines($id: ID!, $after: String) {{ order(id: $id) {{ {LINE_PAGE} }} }}"


def orders(admin: Admin, order_ids: Sequence[str]) -> list[Order]:
    """Return the orders as they stand. One that the app may not see (it is gone, or too old) is left out.

    One of which something was kept from us is left out too: without its customer it would become nobody's.
    """
    return [order for order_id in order_ids if (order := one(admin, order_id))]


def one(admin: Admin, order_id: str) -> Order | None:
    reply = admin.ask(ORDER_NOW, {"id": ORDER + order_id, "after": None})
    found = reply.data.object("order")
    if found is None or reply.troubles:
        return None
    order = nodes.order(found, list(lines(admin, order_id, found)))
    if not found.objects("refunds"):
        return order
    given_back = refunds(admin, [ORDER + order_id], {order_id: order.currency})
    return replace(order, refunds=given_back.get(order_id, ()))


def lines(admin: Admin, order_id: str, found: Payload) -> Iterator[Payload]:
    page = found.required("lineItems", found.object)
    while True:
        yield from page.objects("nodes")
        pages = page.required("pageInfo", page.object)
        if not pages.flag("hasNextPage"):
            return
        data = admin.ask(MORE_LINES, {"id": ORDER + order_id, "after": pages.required("endCursor", pages.text)}).data
        following = data.required("order", data.object)
        page = following.required("lineItems", following.object)
