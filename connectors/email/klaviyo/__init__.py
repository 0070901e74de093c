"""Klaviyo: an e-mail platform whose profiles carry their tags in one list property that is ours alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from connectors.base import ApiKey, Identity
from connectors.batches import cut
from connectors.email.klaviyo import engagement, entries, imports, scopes
from connectors.email.klaviyo.api import ORIGIN, Api
from connectors.engagement import SUPPLIED, EngagementSource, Told
from connectors.entries import Entry, EntryTeller
from connectors.errors import PermanentError
from connectors.grants import CodeGrant, Endpoints
from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.text import clean
from connectors.writers import Call, Capabilities, Contact, Found, Outcome, TagChange, TagWriter, Windows

PROFILES_PER_PAGE = 100
FILTER_BYTES = 6_000  # servers on the way take addresses of 8,000


class Klaviyo(CodeGrant, TagWriter, EngagementSource, EntryTeller):
    slug = "klaviyo"
    label = "Klaviyo"
    role = "email"
    install = ApiKey(fields=("api_key",))
    oauth = scopes.OAUTH
    endpoints = Endpoints(  # developers.klaviyo.com/en/docs/set_up_oauth
        consent=("https://www.klaviyo.com", "/oauth/authorize"),
        tokens=(ORIGIN, "/oauth/token"),
        secret_in_header=True,
        proof_key=True,
    )
    supplies = SUPPLIED
    engagement_rates = engagement.RATES
    entry_rates = entries.RATES
    capabilities = Capabilities(
        writes="state",
        contact="email",
        completion="job",
        contacts_per_call=imports.PROFILES_PER_JOB,
        lookups_per_call=PROFILES_PER_PAGE,
        tag_length=255,
        tags_per_contact=4_000,
        rates={
            "profiles": Windows(((1, 75), (60, 700))),
            "import": Windows(((1, 10), (60, 150))),
            "poll": Windows(((1, 10), (60, 150))),
        },
        bytes_per_call=imports.BYTES_PER_JOB,
    )

    @property
    def api(self) -> Api:
        if token := self.credentials.get("access_token"):
            return Api(self.http, f"Bearer {token}")
        return Api(self.http, f"Klaviyo-API-Key {self.credentials['api_key']}")

    def check(self) -> Identity:
        """Prove the credentials by what each needed scope allows."""
        found = self.identity()
        scopes.prove(self.api, *scopes.NEEDED)
        return found

    def identity(self) -> Identity:
        fields = "contact_information.organization_name,timezone,preferred_currency"
        account = next(self.api.all("/api/accounts", {"fields[account]": fields}), None)
        if account is None:
            raise PermanentError(phrase("klaviyo: the key belongs to no account"))
        about = account.required("attributes", account.object)
        contact = about.object("contact_information")
        return Identity(
            account=account.required("id", account.text),
            name=(contact and contact.text("organization_name")) or "Klaviyo",
            zone=about.text("timezone"),
            currency=about.text("preferred_currency"),
        )

    def endpoint(self, cursor: Any) -> str:
        return engagement.endpoint(cursor)

    def told(self, cursor: Any, since: datetime, now: datetime) -> Told:
        return engagement.told(self.api, cursor, since, now)

    def may_tell(self) -> None:
        scopes.prove(self.api, "events:write")

    def plan_entries(self, told: Sequence[Entry]) -> Sequence[Call]:
        return entries.plan(told)

    def tell(self, call: Call) -> Outcome:
        return entries.tell(self.api, call)

    def lookups(self, keys: Sequence[str]) -> Sequence[Call]:
        """Ask for as many addresses in one call as a page of answers and an address line hold."""
        groups = cut(keys, PROFILES_PER_PAGE, FILTER_BYTES, lambda key: len(quote(quoted(key))) + 1)
        return [Call("profiles", {"filter": any_of(group)}, group) for group in groups]

    def look_up(self, call: Call) -> Found:
        wanted = set(call.contacts)
        params = {**call.body, "fields[profile]": "email,properties", "page[size]": str(PROFILES_PER_PAGE)}
        found = map(known, self.api.all("/api/profiles", params))
        return Found(tuple(one for one in found if one and one.key in wanted))

    def plan(self, changes: Sequence[TagChange]) -> Sequence[Call]:
        return imports.plan(changes)

    def send(self, call: Call) -> Outcome:
        return imports.send(self.api, call)

    def poll(self, job: str, contacts: Sequence[str]) -> Outcome | None:
        return imports.poll(self.api, job, contacts)


def any_of(keys: Sequence[str]) -> str:
    return f"any(email,[{','.join(map(quoted, keys))}])"


def quoted(text: str) -> str:
    """Return a text of Klaviyo's filter language; an address may hold anything, and ends where we say."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def known(profile: Payload) -> Contact | None:
    """Return a profile under its address; None for one without an address."""
    about = profile.required("attributes", profile.object)
    address = about.text("email")
    if not address:
        return None
    properties = about.object("properties")
    return Contact(address.casefold(), profile.required("id", profile.text), tags(properties) if properties else ())


def tags(properties: Payload) -> tuple[str, ...]:
    """Return what our property holds: a list of texts, whatever else others may have written there."""
    found = properties.data.get(imports.PROPERTY)
    held = found if isinstance(found, list) else [found]
    return tuple(clean(one) for one in held if isinstance(one, str))
