"""Metafields of customers in the namespace that is reserved for the app, and their definition.

https://shopify.dev/docs/apps/build/custom-data
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from plugin.sandbox import records
from plugin.sandbox.ids import Ids
from plugin.sandbox.payloads import gid
from plugin.sandbox.state import Document, State

from .fields import Node
from .paging import parsed

NAMESPACE = "app--7100001"
RESERVED = (None, "$app", NAMESPACE)
MOST_AT_ONCE = 25
MOST_IN_A_LIST = 128
LONGEST_LINE = 65_535

Wanted = Mapping[str, Any]


class Metafields:
    """`filters` is how many definitions can still be made with which the merchant may filter."""

    def __init__(self, state: State, ids: Ids, at: Callable[[], str]) -> None:
        self.state, self.ids, self.at = state, ids, at
        self.filters = 50
        self.table: dict[str, Callable[..., Any]] = {
            "metafieldsSet": lambda _, metafields: self.set(metafields),
            "metafieldsDelete": lambda _, metafields: self.delete(metafields),
            "metafieldDefinitionCreate": lambda _, definition: self.define(definition),
            "metafieldDefinitionDelete": lambda _, **given: self.undefine(given),
        }

    def set(self, wanted: Sequence[Wanted]) -> Node:
        """Set all of these, or none if anything is wrong with one."""
        if len(wanted) > MOST_AT_ONCE:
            message = f"Exceeded the maximum metafields input limit of {MOST_AT_ONCE}."
            return failed("metafields", [error(["metafields"], message, "LESS_THAN_OR_EQUAL_TO")])
        with self.state.transaction():
            errors = [found for at, one in enumerate(wanted) if (found := self._fault(at, one))]
            if errors:
                return failed("metafields", errors)
            return {"metafields": [self._keep(one) for one in wanted], "userErrors": []}

    def _fault(self, at: int, one: Wanted) -> Node | None:
        place = ["metafields", str(at)]
        kind, number = parsed(one["ownerId"])
        if kind != "Customer" or records.customer(self.state, number) is None:
            return error([*place, "ownerId"], "Owner does not exist.", "INVALID", at)
        definition = self.state.get("metafield_definition", one["key"])
        held = one.get("type") or (definition or {}).get("type")
        if one.get("namespace") not in RESERVED or (definition and held != definition["type"]):
            return error([*place, "type"], "Type must be consistent with the definition's type", "INVALID_TYPE", at)
        if held is None:
            return error([*place, "type"], "Type can't be blank", "BLANK", at)
        return (
            error([*place, "value"], message, "INVALID_VALUE", at) if (message := unfit(held, one["value"])) else None
        )

    def _keep(self, one: Wanted) -> Node:
        key = name(one)
        before = self.state.get("metafield", key)
        document: Document = {
            "id": before["id"] if before else self.ids.new("metafield"),
            "owner": one["ownerId"],
            "key": one["key"],
            "type": one.get("type"),
            "value": one["value"],
            "at": self.at(),
        }
        self.state.set("metafield", key, document)
        return node(document)

    def delete(self, wanted: Sequence[Wanted]) -> Node:
        deleted = []
        for one in wanted:
            there = one["namespace"] in RESERVED and self.state.delete("metafield", name(one))
            deleted.append({"ownerId": one["ownerId"], "namespace": NAMESPACE, "key": one["key"]} if there else None)
        return {"deletedMetafields": deleted, "userErrors": []}

    def define(self, wanted: Wanted) -> Node:
        filtered = ((wanted.get("capabilities") or {}).get("adminFilterable") or {}).get("enabled", False)
        if self.state.get("metafield_definition", wanted["key"]):
            return failed("createdDefinition", [error(["definition", "key"], "Key is in use already.", "TAKEN")])
        if filtered and self.filters < 1:
            code = "OWNER_TYPE_LIMIT_EXCEEDED_FOR_USE_AS_ADMIN_FILTERS"
            return failed("createdDefinition", [error(["definition"], "Too many definitions as filters.", code)])
        self.filters -= filtered
        id_ = self.ids.new("metafield")
        self.state.set("metafield_definition", wanted["key"], {"type": wanted["type"], "filtered": filtered})
        shown = {"id": gid("MetafieldDefinition", id_), "key": wanted["key"], "name": wanted["name"]}
        return {"createdDefinition": shown | {"namespace": NAMESPACE}, "userErrors": []}

    def undefine(self, given: Mapping[str, Any]) -> Node:
        """Delete a definition, and what is held by it: in this namespace it does not go without."""
        key = given["identifier"]["key"]
        if self.state.get("metafield_definition", key) is None:
            return failed("deletedDefinitionId", [error(["identifier"], "Definition not found.", "NOT_FOUND")])
        if not given.get("deleteAllAssociatedMetafields"):
            code = "RESERVED_NAMESPACE_ORPHANED_METAFIELDS"
            return failed("deletedDefinitionId", [error(["id"], "Metafields would be left.", code)])
        self.state.delete("metafield_definition", key)
        for one in [one for one in self.state.walk("metafield") if one["key"] == key]:
            self.state.delete("metafield", f"{one['owner']} {key}")
        return {"deletedDefinitionId": None, "userErrors": []}

    def held(self) -> dict[str, list[str]]:
        """Return each customer's list, by global id."""
        return {one["owner"]: json.loads(one["value"]) for one in self.state.walk("metafield")}


def held_by(state: State, owner: str, key: str, namespace: str | None = None) -> Node | None:
    """Return a customer's metafield in the namespace of the app; None for none, and of any other namespace."""
    document = state.get("metafield", name({"ownerId": owner, "key": key})) if namespace in RESERVED else None
    return node(document) if document else None


def node(document: Document) -> Node:
    return {
        "__typename": "Metafield",
        "id": gid("Metafield", document["id"]),
        "namespace": NAMESPACE,
        "updatedAt": document["at"],
        "compareDigest": hashlib.sha256(document["value"].encode()).hexdigest(),
        **{name: document[name] for name in ("key", "type", "value")},
    }


def name(one: Wanted) -> str:
    return f"{one['ownerId']} {one['key']}"


def unfit(kind: str, value: str) -> str | None:
    """Return why a value is none of its type."""
    if not value:
        return "Value can't be blank."
    if kind != "list.single_line_text_field":
        return None
    try:
        found = json.loads(value)
    except ValueError:
        return f"Value is invalid JSON: {value[:40]}."
    if not isinstance(found, list) or len(found) > MOST_IN_A_LIST:
        return f"Value must be a list of at most {MOST_IN_A_LIST}."
    fits = all(isinstance(one, str) and one and "\n" not in one and len(one) <= LONGEST_LINE for one in found)
    return None if fits else "Value must be a list of texts of one line."


def error(field: list[str], message: str, code: str, at: int | None = None) -> Node:
    return {"field": field, "message": message, "code": code, "elementIndex": at}


def failed(what: str, errors: list[Node]) -> Node:
    return {what: None, "userErrors": errors}
