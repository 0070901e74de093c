"""What no request to an e-mail platform may hold: keys and paths by which somebody is made, subscribed or asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

KEYS: Mapping[str, frozenset[str]] = {
    "klaviyo": frozenset({"subscriptions", "consented_at", "historical_import"}),
    "mailchimp": frozenset({"status", "status_if_new", "marketing_permissions", "update_existing", "sync_tags"}),
    "omnisend": frozenset({"identifiers", "channels", "consent", "sendWelcomeMessage"}),
    "brevo": frozenset({"emailBlacklist", "emailBlacklisted", "smsBlacklisted", "updateEnabled", "doubleOptin"}),
    "hubspot": frozenset({"hs_email_optout", "hs_marketable_status", "hs_legal_basis", "legalConsentOptions"}),
}
PATHS: Mapping[str, tuple[str, ...]] = {
    "klaviyo": ("profile-subscription", "profile-suppression", "/api/lists"),
    "mailchimp": ("/actions/",),
    "omnisend": ("/api/batches",),
    "brevo": ("doubleOptin", "/contacts/import"),
    "hubspot": ("communication-preferences",),
}
OF_A_TAG = ("active", "inactive")  # Mailchimp's `status` of a tag, and of nobody


def touched(platform: str, requests: list[dict[str, Any]]) -> list[str]:
    """Return what these requests hold that they must not."""
    return [
        *(key for one in requests for key in keys(one["body"]) if key in KEYS.get(platform, ())),
        *(one["path"] for one in requests if any(path in one["path"] for path in PATHS.get(platform, ()))),
    ]


def keys(body: Any) -> Iterator[str]:
    """Yield the keys of a body, of bodies that stand in it as texts as well."""
    match body:
        case dict():
            yield from (key for key, value in body.items() if not (key == "status" and value in OF_A_TAG))
            yield from (key for value in body.values() for key in keys(value))
        case list():
            yield from (key for value in body for key in keys(value))
        case str() if body.startswith("{"):
            yield from keys(json.loads(body))
