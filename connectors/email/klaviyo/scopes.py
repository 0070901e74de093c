"""What a key or token of Klaviyo's may do, found out by calls that read one thing, or write nothing.

Klaviyo does not say what a private key may do. Whoever writes an empty job is told that it is invalid if they may write
one, and otherwise that they may not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.base import OAuth
from connectors.email.klaviyo.api import Api
from connectors.errors import ConfigurationError, PermanentError
from connectors.phrases import phrase

Params = Mapping[str, str]

# A bulk import may put profiles on a list, and so asks for the scopes of lists; ours never does.
READING = ("accounts:read", "profiles:read", "lists:read", "events:read", "metrics:read")
WRITING = ("profiles:write", "lists:write")
OAUTH = OAuth(scopes=(*READING, *WRITING), optional_scopes=("events:write",))

READS: Mapping[str, tuple[str, Params]] = {
    "profiles:read": ("/api/profiles", {"page[size]": "1", "fields[profile]": "email"}),
    "lists:read": ("/api/profile-bulk-import-jobs", {"page[size]": "1"}),
    "metrics:read": ("/api/metrics", {"fields[metric]": "name"}),
    "events:read": ("/api/events", {"page[size]": "1", "fields[event]": "datetime"}),
}
TAGS: Mapping[str, Any] = {"data": {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": []}}}}
ENTRIES: Mapping[str, Any] = {
    "data": {"type": "event-bulk-create-job", "attributes": {"events-bulk-create": {"data": []}}}
}
WRITES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "profiles:write": ("/api/profile-bulk-import-jobs", TAGS),
    "events:write": ("/api/event-bulk-create-jobs", ENTRIES),
}
NEEDED = (*READS, "profiles:write")
REFUSED_AS_INVALID = 400


def prove(api: Api, *scopes: str) -> None:
    """Raise ConfigurationError unless each of these may be done."""
    for scope in scopes:
        try:
            if scope in READS:
                api.get(*READS[scope])
            else:
                probe(api, *WRITES[scope])
        except ConfigurationError as error:
            raise ConfigurationError(
                phrase("%(error)s: the scope %(scope)s is needed", error=str(error), scope=scope)
            ) from None


def probe(api: Api, path: str, body: Mapping[str, Any]) -> None:
    try:
        api.post(path, body)
    except PermanentError as error:
        if error.status != REFUSED_AS_INVALID:
            raise
