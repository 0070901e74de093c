"""HubSpot: a CRM on which a tag is a manual list of contacts, and which keeps a log of what became of e-mails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from connectors.base import ApiKey, Identity, OAuth
from connectors.email.hubspot import contacts, engagement, lists
from connectors.email.hubspot.api import ACCOUNT, CONTACTS, LISTS, ORIGIN, Api
from connectors.engagement import SUPPLIED, EngagementSource, Told
from connectors.errors import PermanentError
from connectors.grants import CodeGrant, Endpoints
from connectors.writers import Call, Capabilities, Effort, Found, MadeTag, Outcome, TagChange, TagMaker, Windows

DAY = 86_400
# of 100 in ten seconds for each app, and of 250,000 a day for all apps of an account, both of the smallest plan
CALLS = Windows(((10, 90), (DAY, 220_000)))


class HubSpot(CodeGrant, TagMaker, EngagementSource):
    slug = "hubspot"
    label = "HubSpot"
    role = "email"
    install = ApiKey(fields=("access_token",))
    oauth = OAuth(
        scopes=("oauth", "crm.objects.contacts.read", "crm.lists.read", "crm.lists.write"),
        optional_scopes=("content",),  # the log of e-mail events, which not every plan has
    )
    endpoints = Endpoints(
        consent=("https://app.hubspot.com", "/oauth/authorize"),
        tokens=(ORIGIN, "/oauth/v3/token"),
        optional="optional_scope",
    )
    supplies = SUPPLIED
    engagement_rates: ClassVar = {"api": CALLS}
    capabilities = Capabilities(
        writes="difference",
        contact="email",
        completion="now",
        contacts_per_call=lists.CONTACTS_PER_CALL,
        lookups_per_call=contacts.KEYS_PER_CALL,
        tag_length=255,
        tags_per_contact=1_000,
        rates={"api": CALLS, "tags": Windows(((10, 3), (DAY, 2_000)))},
    )

    @property
    def api(self) -> Api:
        return Api(self.http, self.credentials["access_token"])

    def check(self) -> Identity:
        """Prove the token, and its scopes by two calls of which the second would write if there were such a list."""
        account = self.api.get(ACCOUNT)
        self.api.get(CONTACTS, limit="1")
        try:
            self.api.put(f"{LISTS}/0/memberships/add-and-remove", {lists.ADD: [], lists.REMOVE: []})
        except PermanentError as error:
            if error.status not in (400, 404):
                raise
        return Identity(
            account=account.required("portalId", account.id),
            name=account.text("portalName") or account.text("uiDomain") or "HubSpot",
            zone=account.text("timeZone"),
            currency=account.currency("companyCurrency"),
        )

    def find_tag(self, name: str) -> str | None:
        return lists.find(self.api, name)

    def make_tag(self, name: str) -> MadeTag:
        return lists.make(self.api, name)

    def untouched(self, tag_id: str, name: str) -> bool:
        return lists.untouched(self.api, tag_id, name)

    def drop_tag(self, tag_id: str) -> bool:
        return lists.drop(self.api, tag_id)

    def lookups(self, keys: Sequence[str]) -> Sequence[Call]:
        return list(contacts.lookups(keys))

    def effort(self, call: Call) -> Effort:
        return Effort((call.cost, 0))

    def look_up(self, call: Call) -> Found:
        return contacts.look_up(self.api, call, {list_id: name for name, list_id in self.ids.items()})

    def plan(self, changes: Sequence[TagChange]) -> Sequence[Call]:
        return list(lists.plan(changes, self.ids))

    def send(self, call: Call) -> Outcome:
        return lists.send(self.api, call)

    def endpoint(self, cursor: Any) -> str:  # noqa: ARG002  one log, one endpoint
        return "api"

    def told(self, cursor: Any, since: datetime, now: datetime) -> Told:
        return engagement.told(self.api, cursor, since, now)
