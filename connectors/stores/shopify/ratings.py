"""What Shopify itself thinks of its customers: its own RFM group, and what it predicts that they will spend."""

from __future__ import annotations

from datetime import datetime

from connectors.payload import Payload
from connectors.records import Rating
from connectors.sources import Rated
from connectors.stores.shopify.customers import GID, global_id
from connectors.stores.shopify.graphql import Admin

PAGE = 100  # two points a customer: a fifth of what a request may cost, so that tags need not wait long
COST = 2.0 * PAGE + 2

RATINGS = f"""query Ratings($after: String) {{
  customers(first: {PAGE}, after: $after, sortKey: ID) {{
    nodes {{ id statistics {{ rfmGroup predictedSpendTier }} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}"""


def ratings(admin: Admin, cursor: str | None, at: datetime) -> Rated:
    """Return a page of ratings. Statistics that the app may not see come back null beside an error: no rating then."""
    reply = admin.ask(RATINGS, {"after": cursor})
    page = reply.data.required("customers", reply.data.object)
    pages = page.required("pageInfo", page.object)
    following = pages.required("endCursor", pages.text) if pages.flag("hasNextPage") else None
    found = tuple(rating for node in page.objects("nodes") if (rating := rated(node, at)))
    return Rated(found, following, reply.available)


def rated(node: Payload, at: datetime) -> Rating | None:
    statistics = node.object("statistics")
    if statistics is None:
        return None
    customer_id = node.required("id", lambda key: global_id(node, key, GID))
    return Rating(customer_id, at, statistics.text("rfmGroup"), statistics.text("predictedSpendTier"))
