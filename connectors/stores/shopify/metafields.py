"""The definition of the metafield in which segments are kept: the merchant sees it, and can filter customers by it."""

from __future__ import annotations

from typing import Any

from connectors.errors import PermanentError, RetryableError
from connectors.phrases import phrase
from connectors.stores.shopify.graphql import Admin
from connectors.stores.shopify.writings import FIELD, FIELD_TYPE, OWN_NAMESPACE
from connectors.text import presentable

DEFINE = """mutation Define($definition: MetafieldDefinitionInput!) {
  metafieldDefinitionCreate(definition: $definition) { userErrors { field message code } }
}"""
DROP = """mutation Drop($identifier: MetafieldDefinitionIdentifierInput!) {
  metafieldDefinitionDelete(identifier: $identifier, deleteAllAssociatedMetafields: true) {
    userErrors { field message code }
  }
}"""
DEFINITION = {
    "name": "Segments",
    "key": FIELD,
    "ownerType": "CUSTOMER",
    "type": FIELD_TYPE,
    "access": {"admin": "MERCHANT_READ"},
}
AS_A_FILTER = {"capabilities": {"adminFilterable": {"enabled": True}}}
NO_FILTER = ("OWNER_TYPE_LIMIT_EXCEEDED_FOR_USE_AS_ADMIN_FILTERS", "INVALID_CAPABILITY")
GONE, IN_USE = "NOT_FOUND", "METAFIELD_DEFINITION_IN_USE"
THERE_ALREADY = ("TAKEN", "UNSTRUCTURED_ALREADY_EXISTS")


def define(admin: Admin) -> None:
    """Define the metafield, as a filter where the shop has room for one more. Repeatable."""
    if (code := defined(admin, DEFINITION | AS_A_FILTER)) in NO_FILTER:
        code = defined(admin, DEFINITION)
    if code:
        raise PermanentError(phrase("shopify: the metafield cannot be defined: %(code)s", code=code))


def drop(admin: Admin) -> bool:
    """Delete the definition, and what is held by it: in the app's own namespace it does not go without.

    Return whether it is gone; the merchant may have built on it.
    """
    identifier = {"ownerType": "CUSTOMER", "namespace": OWN_NAMESPACE, "key": FIELD}
    codes = [code for code in wrong(admin, DROP, {"identifier": identifier}, "Delete") if code != GONE]
    if codes and codes[0] != IN_USE:
        raise PermanentError(phrase("shopify: the metafield's definition cannot be deleted: %(code)s", code=codes[0]))
    return not codes


def defined(admin: Admin, definition: dict[str, Any]) -> str | None:
    """Try to define it; return the code of what is wrong, None if nothing is."""
    codes = wrong(admin, DEFINE, {"definition": definition}, "Create")
    return next((code for code in codes if code not in THERE_ALREADY), None)


def wrong(admin: Admin, document: str, variables: dict[str, Any], what: str) -> list[str]:
    payload = admin.ask(document, variables).data.object(f"metafieldDefinition{what}")
    if payload is None:
        raise RetryableError(phrase("shopify: an answer without a definition"))
    errors = payload.objects("userErrors")
    return [one.text("code") or presentable(one.text("message") or "refused") for one in errors]
