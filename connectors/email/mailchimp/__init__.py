"""Mailchimp: an e-mail platform whose tags are static segments of an audience.

A connection is about one audience: key and consent cover all of an account, and each has members and tags of its own.
https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/: there are no scopes, and tokens never end.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from connectors.base import ApiKey, Identity, OAuth
from connectors.email.mailchimp import batches, engagement, hooks, members, segments
from connectors.email.mailchimp.api import LOGIN, PER_PAGE, Api, by_key, centre_of, listed
from connectors.engagement import HOOKS, SUPPLIED, EngagementHooks, EngagementSource, Told
from connectors.errors import ConfigurationError, PermanentError
from connectors.grants import CodeGrant, Endpoints
from connectors.installs import Callback, Grant, SeveralAccounts
from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.records import Event
from connectors.sources import Webhook
from connectors.writers import (
    AtOnce,
    Call,
    Capabilities,
    Effort,
    Found,
    InTurn,
    MadeTag,
    Outcome,
    TagChange,
    TagMaker,
    by_pages,
)


class Mailchimp(CodeGrant, SeveralAccounts, TagMaker, EngagementSource, EngagementHooks):
    slug = "mailchimp"
    label = "Mailchimp"
    role = "email"
    install = ApiKey(fields=("api_key", "audience"))
    oauth = OAuth(scopes=())
    endpoints = Endpoints(consent=(LOGIN, "/oauth2/authorize"), tokens=(LOGIN, "/oauth2/token"))
    account_field = "audience"
    supplies = SUPPLIED
    engagement_rates: ClassVar = {"reports": InTurn(), HOOKS: InTurn()}
    capabilities = Capabilities(
        writes="difference",
        contact="email",
        completion="either",
        contacts_per_call=2 * segments.MOST_PER_SIDE,
        lookups_per_call=PER_PAGE,
        tag_length=segments.LONGEST_TAG,
        tags_per_contact=1_000,  # Mailchimp names no limit; one that is read on one page
        # Ten calls at the same time for all apps of a user, in whatever time. A connection makes its calls in turn.
        rates={
            "members": InTurn(),
            "segments": InTurn(),
            "tags": InTurn(),
            "poll": InTurn(),
            "batches": AtOnce(100, seconds=60),  # of the 500 that may wait for an account
        },
        quiet=True,
    )

    @property
    def api(self) -> Api:
        audience = self.credentials.get("audience", "")
        if token := self.credentials.get("access_token"):
            return Api(self.http, self.credentials["data_centre"], f"Bearer {token}", audience)
        return by_key(self.http, self.credentials["api_key"], audience)

    def exchange(self, came: Callback, redirect_uri: str, now: datetime) -> Grant:
        granted = super().exchange(came, redirect_uri, now).credentials
        return Grant({**granted, "data_centre": centre_of(self.http, granted["access_token"])})

    def accounts(self) -> Sequence[Identity]:
        """Return the audiences of an account; of very many the first thousand."""
        page = self.api.call("GET", "/lists", fields="lists.id,lists.name,total_items", count=PER_PAGE)
        return [self.identity(one) for one in listed(page, "lists")]

    def check(self) -> Identity:
        """Prove key or token, and that it sees the audience, which is whose account this is here."""
        try:
            audience = self.api.get("", fields="id,name")
        except PermanentError as error:
            if error.status == 404:
                raise ConfigurationError(
                    phrase("%(error)s: the key sees no audience with this id", error=str(error))
                ) from None
            raise
        return self.identity(audience)

    @staticmethod
    def identity(audience: Payload) -> Identity:
        return Identity(audience.required("id", audience.text), audience.text("name") or "Mailchimp")

    def lookups(self, keys: Sequence[str]) -> Sequence[Call]:
        return members.lookups(keys)

    def effort(self, call: Call) -> Effort:
        return by_pages(call, PER_PAGE) if call.body else super().effort(call)

    def look_up(self, call: Call) -> Found:
        return members.look_up(self.api, call, self.ids)

    def find_tag(self, name: str) -> str | None:
        return segments.find(self.api, name)

    def make_tag(self, name: str) -> MadeTag:
        return segments.make(self.api, name)

    def untouched(self, tag_id: str, name: str) -> bool:
        return segments.called(self.api, tag_id) == name and not segments.carried(self.api, tag_id)

    def drop_tag(self, tag_id: str) -> bool:
        return segments.drop(self.api, tag_id)

    def plan(self, changes: Sequence[TagChange]) -> Sequence[Call]:
        """Change by batches what is to set nothing off, the rest by segments."""
        quiet = [one for one in changes if one.quietly]
        return [
            *segments.plan([one for one in changes if not one.quietly], self.ids),
            *batches.plan(quiet, self.ids),
        ]

    def send(self, call: Call) -> Outcome:
        return batches.send(self.api, call) if call.endpoint == "batches" else segments.send(self.api, call)

    def halves(self, call: Call) -> Sequence[Call]:
        return () if call.endpoint == "batches" else segments.halves(call)

    def poll(self, job: str, contacts: Sequence[str]) -> Outcome | None:
        return batches.poll(self.api, job, contacts)

    def endpoint(self, cursor: Any) -> str:  # noqa: ARG002  one for all
        return "reports"

    def told(self, cursor: Any, since: datetime, now: datetime) -> Told:
        return engagement.told(self.api, cursor, since, now)

    def send_engagement(self, url: str, secret: str) -> str:
        return hooks.send_to(self.api, url, secret)

    def proved(self, webhook: Webhook, secret: str) -> None:
        """Raise SignatureError unless Mailchimp signed a delivery, if it told by what: else its address proves it."""
        hooks.prove(webhook, secret)

    def engagement(self, webhook: Webhook) -> Sequence[Event]:
        return hooks.events(webhook.body)
