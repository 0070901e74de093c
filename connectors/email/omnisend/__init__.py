"""Omnisend: an e-mail platform for shops, whose contacts carry tags that need no making.

Contacts are tagged by Omnisend's own ids. What is asked of it is taken and done later, and no job tells when.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from connectors.base import ApiKey, Connector, Identity
from connectors.email.omnisend import contacts, engagement, tags
from connectors.email.omnisend.api import Api
from connectors.engagement import EngagementSource, Told
from connectors.writers import Call, Capabilities, Found, Outcome, TagChange, TagWriter, Windows

CONTACTS = Windows(((60, 400),))


class Omnisend(Connector, TagWriter, EngagementSource):
    slug = "omnisend"
    label = "Omnisend"
    role = "email"
    install = ApiKey(fields=("api_key",))
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
        return Api(self.http, self.credentials["api_key"])

    def check(self) -> Identity:
        """Prove the key, and that it may read contacts and tag them: by taking a tag off nobody."""
        brand = self.api.get("/brands/current")
        contacts.prove(self.api)
        tags.prove(self.api)
        return Identity(
            account=brand.required("brandID", brand.text),
            name=brand.text("website") or "Omnisend",
            currency=brand.text("currency"),
        )

    def lookups(self, keys: Sequence[str]) -> Sequence[Call]:
        return contacts.lookups(keys)

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
