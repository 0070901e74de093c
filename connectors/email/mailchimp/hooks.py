"""What became of e-mails as Mailchimp sends it: webhooks of the audience, forms that tell who has left it and why.

https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/. Nothing proves them but the address that
they are sent to; opens and clicks are not among them. What a report tells as well has the same id here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote

from connectors.email.mailchimp.api import Api
from connectors.email.mailchimp.engagement import event_id
from connectors.errors import PermanentError
from connectors.payload import Payload
from connectors.records import Event, EventKind
from connectors.times import utc

KINDS = ("subscribe", "unsubscribe", "profile", "cleaned", "upemail", "campaign")
WANTED = ("unsubscribe", "cleaned")
MOST_FIELDS = 500  # a member's own are among them
WAYS: Mapping[EventKind, tuple[str, ...]] = {
    "email.unsubscribed": ("unsubscribed",),
    "email.marked_as_spam": ("spam",),
    "email.bounced": ("bounce", "hard"),
}


def send_to(api: Api, url: str) -> None:
    """Have leavers told to an address, whoever made them leave."""
    wanted: dict[str, Any] = {
        "events": {kind: kind in WANTED for kind in KINDS},
        "sources": {"user": True, "admin": True, "api": True},
    }
    answer = api.get("/webhooks")
    answer.required("webhooks", lambda key: answer.value(key, list))
    there = next((one for one in answer.objects("webhooks") if one.text("url") == url), None)
    if there is None:
        api.post("/webhooks", {"url": url, **wanted})
    elif any(there.data.get(name) != wanted[name] for name in wanted):
        hook = quote(there.required("id", there.text), safe="")
        api.call("PATCH", f"{api.path}/webhooks/{hook}", body={"url": url, **wanted})


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
        raise PermanentError("mailchimp: the body is not a form") from None


def moment(form: Payload, key: str) -> datetime | None:
    """Return a moment of UTC, which says so nowhere."""
    found = form.text(key)
    return form.sound(key, utc, f"{found}Z") if found else None
