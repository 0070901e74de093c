"""What a customer's change is on Shopify: up to four mutations, the same for one customer as for thousands.

Segments are tags, and if the merchant likes also a metafield in the namespace that is reserved for the app: a list of
texts which nobody else can write. The metafield is always written whole, and taken away when its list is empty.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.phrases import phrase
from connectors.writers import TagChange

GID = "gid://shopify/Customer/"
FIELD = "segments"
FIELD_TYPE = "list.single_line_text_field"
OWN_NAMESPACE = "$app"

LONGEST_TAG = 255
MOST_TAGS = 250


@dataclass(frozen=True)
class Kind:
    """One kind of writing: its mutation, the types of its arguments, and what is asked of its errors."""

    mutation: str
    arguments: Mapping[str, str]
    errors: str = "userErrors { field message }"


KINDS: Mapping[str, Kind] = {
    "add": Kind("tagsAdd", {"id": "ID!", "tags": "[String!]!"}),
    "remove": Kind("tagsRemove", {"id": "ID!", "tags": "[String!]!"}),
    "set": Kind("metafieldsSet", {"metafields": "[MetafieldsSetInput!]!"}, "userErrors { field message code }"),
    "clear": Kind("metafieldsDelete", {"metafields": "[MetafieldIdentifierInput!]!"}),
}
ON_FIELDS = ("set", "clear")


def of(change: TagChange) -> dict[str, Any]:
    """Return what a change writes, by kind: tags for the first two, an entry of `metafields` for the others."""
    owner = GID + change.contact.platform_id
    found: dict[str, Any] = {}
    if change.add:
        found["add"] = list(change.add)
    if change.remove:
        found["remove"] = list(change.remove)
    if change.field:
        value = json.dumps(change.field, ensure_ascii=False, separators=(",", ":"))
        found["set"] = {"ownerId": owner, "key": FIELD, "type": FIELD_TYPE, "value": value}
    elif change.field is not None:
        found["clear"] = {"ownerId": owner, "namespace": OWN_NAMESPACE, "key": FIELD}
    return found


def inexpressible(change: TagChange) -> str | None:
    """Return why Shopify cannot hold these tags: it would cut a text at its commas, or refuse it."""
    for tag in (*change.add, *change.remove):
        if "," in tag:
            return phrase("a tag holds a comma")
        if not tag.strip() or len(tag) > LONGEST_TAG:
            return phrase("a tag is empty or longer than %(num)s characters", num=LONGEST_TAG)
    if change.add and len(folded(change.contact.tags, change.add) - folded(change.remove)) > MOST_TAGS:
        return phrase("it would have more than the %(num)s tags that Shopify holds", num=MOST_TAGS)
    return None


def is_tight(change: TagChange) -> bool:
    """Whether there is room for what is added only once the rest is removed."""
    return len(folded(change.contact.tags, change.add)) > MOST_TAGS


def folded(*tags: tuple[str, ...]) -> set[str]:
    return {tag.casefold() for each in tags for tag in each}
