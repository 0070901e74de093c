"""What became of e-mails as Mailchimp sends it: webhooks of the audience, forms that tell who has left it and why.

https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/. Opens and clicks are not among them. What
a report tells as well has the same id here.

Since 2026 a webhook may be signed by a secret that is told once, in answer to the call that makes it; the published
specification does not have it yet. Without one nothing proves a delivery but the address that it is sent to. How old a
signature is counts for nothing: a delivery that is repeated, as Mailchimp does for over an hour, changes nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, quote

from connectors.email.mailchimp.api import Api
from connectors.email.mailchimp.engagement import event_id
from connectors.errors import PermanentError, SignatureError
from connectors.payload import Payload
from connectors.phrases import phrase
from connectors.records import Event, EventKind
from connectors.sources import Webhook
from connectors.times import utc

KINDS = ("subscribe", "unsubscribe", "profile", "cleaned", "upemail", "campaign")
SIGNED = "signed by "  # how a secret begins that Mailchimp made
WANTED = ("unsubscribe", "cleaned")
MOST_FIELDS = 500  # a member's own are among them
WAYS: Mapping[EventKind, tuple[str, ...]] = {
    "email.unsubscribed": ("unsubscribed",),
    "email.marked_as_spam": ("spam",),
    "email.bounced": ("bounce", "hard"),
}


def send_to(api: Api, url: str, secret: str) -> str:
    """Have leavers told to an address, whoever made them leave; return what deliveries are to be proved by.

    A webhook of which we lack the secret, since we ended before it was kept, is made anew; so is one that somebody made
    in its place without.
    """
    wanted: dict[str, Any] = {
        "events": {kind: kind in WANTED for kind in KINDS},
        "sources": {"user": True, "admin": True, "api": True},
    }
    answer = api.get("/webhooks")
    answer.required("webhooks", lambda key: answer.value(key, list))
    there = next((one for one in answer.objects("webhooks") if one.text("url") == url), None)
    if there and there.data.get("signing_enabled") is (not secret.startswith(SIGNED)):
        api.call("DELETE", place(api, there))
        there = None
    if there is None:
        signing = api.post("/webhooks", {"url": url, **wanted}).text("signing_secret")
        return f"{SIGNED}{signing}" if signing else secret.removeprefix(SIGNED)
    if any(there.data.get(name) != wanted[name] for name in wanted):
        api.call("PATCH", place(api, there), body={"url": url, **wanted})
    return secret


def place(api: Api, hook: Payload) -> str:
    return f"{api.path}/webhooks/{quote(hook.required('id', hook.text), safe='')}"


def prove(webhook: Webhook, secret: str) -> None:
    """Raise SignatureError unless exactly this body was signed, if it is to be."""
    if not secret.startswith(SIGNED):
        return
    given = [part.strip().partition("=") for part in webhook.headers.get("x-mailchimp-signature", "").split(",")]
    at = next((value for name, _, value in given if name == "t"), "")
    signed = hmac.new(secret.removeprefix(SIGNED).encode(), f"{at}.".encode() + webhook.body, sha256).hexdigest()
    if not any(name == "v1" and hmac.compare_digest(value.encode(), signed.encode()) for name, _, value in given):
        raise SignatureError("mailchimp: the delivery's signature does not match its body")


def events(body: bytes) -> Sequence[Event]:
    form = read(body)
    told = form.required("type", form.text)
    kind = kind_of(told, form.text("data[reason]"), form.text("data[action]"))
    if kind is None:
        return ()
    email = form.required("data[email]", form.text)
    at = form.required("fired_at", lambda key: moment(form, key))
    campaign = form.text("data[campaign_id]")
    ways = WAYS[kind] if campaign else (*WAYS[kind], at.isoformat())
    named = event_id(campaign or form.required("data[list_id]", form.text), email, *ways)
    return (Event(named, kind, at, email=email, subject_id=campaign),)


def kind_of(told: str, reason: str | None, action: str | None) -> EventKind | None:
    """Return what somebody did; None where they did nothing, as when the merchant deletes them."""
    if told in WANTED and reason == "abuse":
        return "email.marked_as_spam"
    if told == "cleaned":
        return "email.bounced"
    return "email.unsubscribed" if told == "unsubscribe" and action != "delete" else None


def read(body: bytes) -> Payload:
    try:
        return Payload(dict(parse_qsl(body.decode(), max_num_fields=MOST_FIELDS)), "mailchimp")
    except ValueError:
        raise PermanentError(phrase("mailchimp: the body is not a form")) from None


def moment(form: Payload, key: str) -> datetime | None:
    """Return a moment of UTC, which says so nowhere."""
    found = form.text(key)
    return form.sound(key, utc, f"{found}Z") if found else None
