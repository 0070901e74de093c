"""The registry of platforms: ours, and those that installed packages add by the entry point "tagsmith.connectors"."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from connectors.base import Connector

CONNECTORS = {
    "shopify": "connectors.stores.shopify:Shopify",
    "klaviyo": "connectors.email.klaviyo:Klaviyo",
    "brevo": "connectors.email.brevo:Brevo",
    "hubspot": "connectors.email.hubspot:HubSpot",
    "mailchimp": "connectors.email.mailchimp:Mailchimp",
    "omnisend": "connectors.email.omnisend:Omnisend",
}


@cache
def registry() -> dict[str, type[Connector]]:
    """Return every platform's connector by slug. An outside package can add a platform, not replace one of ours."""
    outside = {entry.name: entry.load() for entry in entry_points(group="tagsmith.connectors")}
    return outside | {slug: load(path) for slug, path in CONNECTORS.items()}


def load(path: str) -> type[Connector]:
    module, _, name = path.partition(":")
    connector: type[Connector] = getattr(import_module(module), name)
    return connector
