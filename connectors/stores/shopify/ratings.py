"""What Shopify says of customers when it is asked: its own groups, subscriptions to products, companies, store credit.

All customers are read page by page, then those with store credit, whom Shopify's own segments name. What the app may
not see is left out, and not said to be supplied.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from connectors.errors import ConfigurationError
from connectors.payload import Payload
from connectors.records import UNSET, Rating, Standing, Unset
from connectors.sources import Rated
from connectors.stores.shopify import credit
from connectors.stores.shopify.customers import GID, global_id
from connectors.stores.shopify.graphql import Admin, Reply

PAGE = 100  # four points a customer: two fifths of what a request may cost, so that tags need not wait long
COST = 4.0 * PAGE + 2

# what may be kept from an app, by what it supplies
FIELDS: Mapping[str, str] = {
    "subscriptions": "productSubscriberStatus",
    "companies": "companyContactProfiles { company { id } }",
}
SUBSCRIBED: Mapping[str, str] = {"ACTIVE": "SUBSCRIBED", "CANCELLED": "CANCELED"}  # others are called as in segments


def document(fields: Sequence[str]) -> str:
    wanted = " ".join(FIELDS[name] for name in fields)
    return f"""query Ratings($after: String, $first: Int!) {{
  customers(first: $first, after: $after, sortKey: ID) {{
    nodes {{ id statistics {{ rfmGroup predictedSpendTier }} {wanted} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}"""


RATINGS = document(list(FIELDS))


@dataclass(frozen=True)
class Cursor:
    """Where the reading stands. `fields` are those that are shown to the app."""

    fields: tuple[str, ...] = tuple(FIELDS)
    credit: bool = False
    after: str | None = None

    @classmethod
    def read(cls, text: str) -> Cursor:
        try:
            kept = json.loads(text)
        except ValueError:  # as it was kept once
            return cls(after=text)
        return cls(**kept | {"fields": tuple(kept["fields"])})

    def told(self) -> str:
        return json.dumps(asdict(self))


def ratings(admin: Admin, cursor: str | None, at: datetime) -> Rated:
    """Return a page. Statistics that the app may not see come back null beside an error: no rating then."""
    place = Cursor.read(cursor) if cursor else Cursor()
    return credited(admin, place, at) if place.credit else customers(admin, place, at)


def customers(admin: Admin, place: Cursor, at: datetime) -> Rated:
    place, reply = shown(admin, place)
    page = reply.data.required("customers", reply.data.object)
    pages = page.required("pageInfo", page.object)
    more = pages.flag("hasNextPage")
    following = replace(place, after=pages.required("endCursor", pages.text) if more else None, credit=not more)
    found = [record for node in page.objects("nodes") for record in (rated(node, at), standing(node, at)) if record]
    return Rated(tuple(found), following.told(), reply.available)


def shown(admin: Admin, place: Cursor) -> tuple[Cursor, Reply]:
    """Ask for a page; where the app is refused, for what it may see alone."""
    variables = {"after": place.after, "first": PAGE}
    try:
        return place, admin.ask(document(place.fields), variables)
    except ConfigurationError:
        if not place.fields:
            raise
    allowed = replace(place, fields=tuple(name for name in place.fields if may_see(admin, name)))
    return allowed, admin.ask(document(allowed.fields), variables)


def may_see(admin: Admin, name: str) -> bool:
    try:
        return not admin.ask(document([name]), {"after": None, "first": 1}).troubles
    except ConfigurationError:
        return False


def rated(node: Payload, at: datetime) -> Rating | None:
    statistics = node.object("statistics")
    if statistics is None:
        return None
    return Rating(person(node), at, statistics.text("rfmGroup"), statistics.text("predictedSpendTier"))


def standing(node: Payload, at: datetime) -> Standing | None:
    status = node.text("productSubscriberStatus")
    subscription: str | Unset = SUBSCRIBED.get(status, status) if status else UNSET
    companies = node.carried("companyContactProfiles", lambda key: tuple(map(company, node.objects(key))))
    if subscription is UNSET and companies is UNSET:
        return None
    return Standing(person(node), at, subscription, companies)


def company(contact: Payload) -> str:
    found = contact.required("company", contact.object)
    return found.required("id", lambda key: global_id(found, key, "gid://shopify/Company/"))


def person(node: Payload) -> str:
    return node.required("id", lambda key: global_id(node, key, GID))


def credited(admin: Admin, place: Cursor, at: datetime) -> Rated:
    """Return a page of those who have store credit; on the last one also what was supplied in all."""
    try:
        found = credit.page(admin, place.after, at)
    except ConfigurationError:
        return Rated(supplied=frozenset(place.fields))
    if found.cursor is not None:
        return replace(found, cursor=replace(place, after=found.cursor).told())
    return replace(found, supplied=found.supplied | frozenset(place.fields))
