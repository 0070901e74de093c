"""Brevo: an e-mail platform on which a tag is a list, in a folder of ours, and which sends what became of e-mails."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import ApiKey, Connector, Identity
from connectors.email.brevo import audience, engagement, lists
from connectors.email.brevo.api import Api
from connectors.engagement import SUPPLIED, EngagementHooks
from connectors.records import Event
from connectors.sources import Webhook
from connectors.writers import (
    Call,
    Capabilities,
    Effort,
    Found,
    MadeTag,
    Outcome,
    TagChange,
    TagMaker,
    Windows,
    by_pages,
)


class Brevo(Connector, TagMaker, EngagementHooks):
    slug = "brevo"
    label = "Brevo"
    role = "email"
    install = ApiKey(fields=("api_key",))
    supplies = SUPPLIED
    engagement_rates = engagement.RATES
    capabilities = Capabilities(
        writes="difference",
        contact="email",
        completion="now",
        contacts_per_call=lists.CONTACTS_PER_CALL,
        lookups_per_call=audience.KEYS_PER_CALL,
        tag_length=255,
        tags_per_contact=1_000,
        # of 10 a second and 36,000 an hour that all of /contacts has together: developers.brevo.com/docs/api-limits
        rates={"contacts": Windows(((1, 8), (3_600, 34_000))), "tags": Windows(((1, 1), (3_600, 400)))},
    )

    @property
    def api(self) -> Api:
        return Api(self.http, self.credentials["api_key"])

    def check(self) -> Identity:
        account = self.api.get("/account")
        dates = account.object("dateTimePreferences")
        return Identity(
            account=account.required("organization_id", account.text),
            name=account.text("companyName") or "Brevo",
            zone=dates.text("timezone") if dates else None,
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
        return list(audience.lookups(keys))

    def effort(self, call: Call) -> Effort:
        return by_pages(call, audience.PER_PAGE) if call.body else super().effort(call)

    def look_up(self, call: Call) -> Found:
        return audience.look_up(self.api, call, {list_id: name for name, list_id in self.ids.items()})

    def plan(self, changes: Sequence[TagChange]) -> Sequence[Call]:
        return list(lists.plan(changes, self.ids))

    def send(self, call: Call) -> Outcome:
        return lists.send(self.api, call)

    def send_engagement(self, url: str, secret: str) -> str:
        engagement.subscribe(self.api, url, secret)
        return secret

    def proved(self, webhook: Webhook, secret: str) -> None:
        engagement.prove(webhook, secret)

    def engagement(self, webhook: Webhook) -> Sequence[Event]:
        return engagement.events(webhook.body)
