"""Omnisend: an e-mail platform for shops, whose contacts carry tags that need no making.

Contacts are tagged by Omnisend's own ids. What is asked of it is taken and done later, and no job tells when.

https://api-docs.omnisend.com/reference/oauth: Omnisend makes the client ID and secret of an app for those who ask. How
long tokens last is not settled there: Omnisend's own plugin for WordPress reads it from each answer and refreshes them,
keeping the newest refresh token, and so do we. An answer that names no end is one that never ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from connectors.base import ApiKey, Identity, OAuth
from connectors.email.omnisend import contacts, engagement, tags
from connectors.email.omnisend.api import Api
from connectors.engagement import EngagementSource, Told
from connectors.errors import ConfigurationError
from connectors.grants import CodeGrant, Endpoints
from connectors.phrases import phrase
from connectors.writers import Call, Capabilities, Effort, Found, Outcome, TagChange, TagWriter, Windows, by_pages

CONTACTS = Windows(((60, 400),))
ISSUER = "https://app.omnisend.com"
FORBIDDEN = 403

T = TypeVar("T")


class Omnisend(CodeGrant, TagWriter, EngagementSource):
    slug = "omnisend"
    label = "Omnisend"
    role = "email"
    install = ApiKey(fields=("api_key",))
    oauth = OAuth(scopes=("brands.read", "contacts.read", "contacts.write"))
    endpoints = Endpoints(consent=(ISSUER, "/oauth2/authorize"), tokens=(ISSUER, "/oauth2/token"))
    supplies = frozenset({"email.unsubscribed"})
    engagement_rates: ClassVar = {"contacts": CONTACTS}
    capabilities = Capabilities(
        writes="difference",
        contact="email",
        completion="now",
        contacts_per_call=tags.CONTACTS,
        lookups_per_call=contacts.PER_PAGE,
        tag_length=tags.LONGEST_TAG,
        tags_per_contact=tags.MOST_TAGS,
        rates={
            "contacts": CONTACTS,
            "add": Windows(((60, 60),)),
            "remove": Windows(((60, 60),)),
        },
    )

    @property
    def api(self) -> Api:
        if token := self.credentials.get("access_token"):
            return Api(self.http, f"Bearer {token}")
        return Api(self.http, f"Omnisend-API-Key {self.credentials['api_key']}")

    def check(self) -> Identity:
        """Prove the credentials, and that they may read contacts and tag them: by taking a tag off nobody."""
        brand = self.needing("brands.read", lambda api: api.get("/brands/current"))
        self.needing("contacts.read", contacts.prove)
        self.needing("contacts.write", tags.prove)
        return Identity(
            account=brand.required("brandID", brand.text),
            name=brand.text("website") or "Omnisend",
            currency=brand.text("currency"),
        )

    def needing(self, scope: str, call: Callable[[Api], T]) -> T:
        try:
            return call(self.api)
        except ConfigurationError as error:
            if error.status != FORBIDDEN:
                raise
            raise ConfigurationError(
                phrase("%(error)s: the scope %(scope)s is needed", error=str(error), scope=scope), error.status
            ) from None

    def lookups(self, keys: Sequence[str]) -> Sequence[Call]:
        return contacts.lookups(keys)

    def effort(self, call: Call) -> Effort:
        return by_pages(call, contacts.PER_PAGE) if call.body else super().effort(call)

    def look_up(self, call: Call) -> Found:
        return contacts.look_up(self.api, call)

    def plan(self, changes: Sequence[TagChange]) -> Sequence[Call]:
        return tags.plan(changes)

    def send(self, call: Call) -> Outcome:
        return tags.send(self.api, call)

    def halves(self, call: Call) -> Sequence[Call]:
        return tags.halves(call)

    def endpoint(self, cursor: Any) -> str:  # noqa: ARG002  one for all
        return "contacts"

    def told(self, cursor: Any, since: datetime, now: datetime) -> Told:
        return engagement.told(self.api, cursor, since, now)
