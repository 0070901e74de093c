"""Orders' refunds with their lines, asked for order by order: bulk queries cannot hold a connection within a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.errors import PermanentError, RetryableError
from connectors.payload import Payload
from connectors.records import Refund
from connectors.stores.shopify import nodes
from connectors.stores.shopify.documents import MORE_LINES, REFUNDS
from connectors.stores.shopify.graphql import Admin

ORDERS_PER_CALL = 8
TOO_DEAR = "MAX_COST_EXCEEDED"


def refunds(admin: Admin, ids: Sequence[str], currencies: Mapping[str, str]) -> dict[str, tuple[Refund, ...]]:
    """Return the refunds of orders (global ids) by the orders' numbers; `currencies` are what those were sold in."""
    found: dict[str, tuple[Refund, ...]] = {}
    waiting, size = list(ids), ORDERS_PER_CALL
    while waiting:
        asked = waiting[:size]
        try:
            reply = admin.ask(REFUNDS, {"ids": asked})
        except PermanentError as error:
            if TOO_DEAR not in str(error) or size == 1:
                raise
            size = max(1, size // 2)
            continue
        for trouble in reply.troubles:
            if not trouble.is_missing:
                raise RetryableError(str(trouble.error)) from None
        each = reply.data.items("nodes")
        for order in filter(None, map(each.object, each.data)):
            number = nodes.own(order)
            if number in currencies:
                given = order.objects("refunds")
                found[number] = tuple(
                    nodes.refund(one, number, currencies[number], lines_of(admin, one)) for one in given
                )
        waiting = waiting[len(asked) :]
    return found


def lines_of(admin: Admin, refund: Payload) -> list[Payload]:
    """Return all lines of a refund, also those beyond the first page."""
    page = refund.required("refundLineItems", refund.object)
    found = list(page.objects("nodes"))
    while (pages := page.required("pageInfo", page.object)).flag("hasNextPage"):
        after = pages.required("endCursor", pages.text)
        data = admin.ask(MORE_LINES, {"id": refund.required("id", refund.text), "after": after}).data
        again = data.object("refund")
        if again is None:
            break
        page = again.required("refundLineItems", again.object)
        found += page.objects("nodes")
    return found
