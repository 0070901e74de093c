"""Segments of Shopify's own that hold whoever carries one of our tags, so that the merchant finds the audience ready.

Only a segment that we made is ever changed or deleted: it is known by its id, or, while its making was never answered,
by its exact name and query and by the time since which it is there.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from connectors.errors import PermanentError, RetryableError
from connectors.payload import Payload
from connectors.phrases import joined, phrase
from connectors.stores.shopify.graphql import Admin, why

SEGMENT = re.compile(r"gid://shopify/Segment/(\d{1,20})", re.ASCII)
CLOCKS_APART = timedelta(minutes=2)
LONGEST_NAME = 200

CREATE = """mutation MakeSegment($name: String!, $query: String!) {
  segmentCreate(name: $name, query: $query) { segment { id } userErrors { field message } }
}"""
UPDATE = """mutation ChangeSegment($id: ID!, $name: String!, $query: String!) {
  segmentUpdate(id: $id, name: $name, query: $query) { segment { id } userErrors { field message } }
}"""
DELETE = """mutation DropSegment($id: ID!) {
  segmentDelete(id: $id) { deletedSegmentId userErrors { field message } }
}"""
FIND = """query FindSegment($after: String) {
  segments(first: 100, after: $after, sortKey: CREATION_DATE, reverse: true) {
    nodes { id name query creationDate }
    pageInfo { hasNextPage endCursor }
  }
}"""


def query(tag: str) -> str:
    """Return the query of those who carry a tag. PermanentError: the tag cannot stand in one."""
    if "'" in tag or "\\" in tag:
        raise PermanentError(phrase("shopify: a tag with a quote cannot stand in a segment's query"))
    return f"customer_tags CONTAINS '{tag}'"


def make(admin: Admin, name: str, tag: str, since: datetime | None) -> str:
    """Make a segment and return its number; with `since`, first look for one whose making was not answered."""
    wanted = {"name": name, "query": query(tag)}
    if since and (found := made(admin, wanted["name"], wanted["query"], since)):
        return found
    payload = answer(admin, CREATE, wanted, "segmentCreate")
    refuse(payload)
    return number(payload.required("segment", payload.object))


def change(admin: Admin, audience_id: str, name: str, tag: str) -> bool:
    """Give a segment another name and query; return whether it is still there."""
    wanted = {"id": gid(audience_id), "name": name, "query": query(tag)}
    payload = answer(admin, UPDATE, wanted, "segmentUpdate")
    if is_gone(payload):
        return False
    refuse(payload)
    return True


def drop(admin: Admin, audience_id: str) -> None:
    """Delete a segment, if the merchant has not done so already."""
    payload = answer(admin, DELETE, {"id": gid(audience_id)}, "segmentDelete")
    if not is_gone(payload):
        refuse(payload)


def made(admin: Admin, name: str, text: str, since: datetime) -> str | None:
    """Return the segment of exactly this name and query that was made since a moment, newest first."""
    after = None
    while True:
        data = admin.ask(FIND, {"after": after}).data
        page = data.required("segments", data.object)
        for one in page.objects("nodes"):
            if one.required("creationDate", one.time) < since - CLOCKS_APART:
                return None
            if (one.text("name"), one.text("query")) == (name, text):
                return number(one)
        pages = page.required("pageInfo", page.object)
        if not pages.flag("hasNextPage"):
            return None
        after = pages.required("endCursor", pages.text)


def answer(admin: Admin, document: str, variables: dict[str, str], field: str) -> Payload:
    reply = admin.ask(document, variables)
    payload = reply.data.object(field)
    if payload is None:
        raise (
            reply.troubles[0].error
            if reply.troubles
            else RetryableError(phrase("shopify: an answer without a segment"))
        )
    return payload


def is_gone(payload: Payload) -> bool:
    return any(one.texts("field")[-1:] == ("id",) for one in payload.objects("userErrors"))


def refuse(payload: Payload) -> None:
    for one in payload.objects("userErrors"):
        raise PermanentError(joined(": ", ("shopify", why(one))))


def number(segment: Payload) -> str:
    found = SEGMENT.fullmatch(segment.required("id", segment.text))
    if found is None:
        raise segment.wrong("id", phrase("is not a segment's"))
    return found[1]


def gid(audience_id: str) -> str:
    return f"gid://shopify/Segment/{audience_id}"
