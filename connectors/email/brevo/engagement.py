"""What became of e-mails as Brevo sends it: webhooks of marketing e-mails, one event in each or many in a batch.

https://developers.brevo.com/docs/marketing-webhooks. Brevo signs nothing, but shows a bearer token that it was given.
Of the many times in an event `ts_epoch`, and in its absence `ts_event`, are in UTC; `date` and the others are not.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from connectors.email.brevo.api import Api
from connectors.errors import PermanentError, SignatureError
from connectors.payload import Payload, read
from connectors.phrases import phrase
from connectors.records import Event, EventKind
from connectors.sources import Webhook
from connectors.times import since_1970
from connectors.writers import Windows

EVENTS = ("delivered", "opened", "click", "hardBounce", "softBounce", "unsubscribed", "spam")
KINDS: Mapping[str, EventKind] = {  # Brevo spells its events in several ways: without case, and letters alone
    "delivered": "email.delivered",
    "opened": "email.opened",
    "proxyopen": "email.opened",
    "uniqueproxyopen": "email.opened",
    "click": "email.clicked",
    "clicked": "email.clicked",
    "hardbounce": "email.bounced",
    "softbounce": "email.bounced",
    "unsubscribe": "email.unsubscribed",
    "unsubscribed": "email.unsubscribed",
    "spam": "email.marked_as_spam",
}
MACHINES = ("proxyopen", "uniqueproxyopen")
RATES = {"hooks": Windows(((3_600, 20),))}  # two calls or three, each of 100 an hour: as all that is not about contacts
NOT_FOUND = 404


def subscribe(api: Api, url: str, secret: str) -> None:
    """Have events sent to an address. An account has room for 40 webhooks, so the one that is there is kept."""
    wanted = {"events": list(EVENTS), "batched": True, "auth": {"type": "bearer", "token": secret}}
    there = next((one for one in hooks(api) if one.text("url") == url), None)
    if there is None:
        about = {"url": url, "type": "marketing", "channel": "email", "description": "Tagsmith: what became of e-mails"}
        api.post("/webhooks", {**about, **wanted})
    elif not as_wanted(there, secret):
        api.put(f"/webhooks/{there.required('id', there.id)}", {"url": url, **wanted})


def hooks(api: Api) -> Sequence[Payload]:
    try:
        answer = api.get("/webhooks", type="marketing")
    except PermanentError as error:
        if error.status == NOT_FOUND:  # so Brevo says that there are none
            return ()
        raise
    answer.required("webhooks", lambda key: answer.value(key, list))
    return answer.objects("webhooks")


def as_wanted(hook: Payload, secret: str) -> bool:
    auth = hook.object("auth")
    shown = auth.text("token") if auth else None
    return shown == secret and {*EVENTS} <= {*hook.texts("events")}


def prove(webhook: Webhook, secret: str) -> None:
    given = webhook.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), f"Bearer {secret}".encode()):
        raise SignatureError("brevo: the delivery does not show the token that Brevo was given")


def events(body: bytes) -> Sequence[Event]:
    """Return what a body tells. In a batch what nobody can read is passed over, unless that is all there is."""
    if not body.lstrip().startswith(b"["):
        found = event(read(body, "brevo"))
        return (found,) if found else ()
    batch = read(b'{"batch":' + body + b"}", "brevo").items("batch")
    told, unreadable = [], PermanentError(phrase("brevo: a batch without events"))
    for at in batch.data:
        try:
            told.append(event(batch.required(at, batch.object)))
        except PermanentError as error:
            unreadable = error
    if not told:
        raise unreadable
    return tuple(one for one in told if one)


def event(data: Payload) -> Event | None:
    """Return an event; None for one of a kind that is nothing to us."""
    name = "".join(filter(str.isalpha, data.required("event", data.text))).casefold()
    kind = KINDS.get(name)
    if kind is None:
        return None
    email = data.required("email", data.text)
    at = happened(data)
    campaign = data.id("camp_id") or data.id("campaignId")
    link = data.text("URL") or data.text("link") if kind == "email.clicked" else None
    message = data.text("message-id") or data.text("messageId")
    apart = [name, email.casefold(), at.isoformat(), campaign, link, message]
    return Event(
        hashlib.sha256(json.dumps(apart).encode()).hexdigest()[:32],  # Brevo has no id of its own for an event
        kind,
        at,
        email=email,
        subject_id=campaign,
        subject=link if kind == "email.clicked" else data.text("campaign name") or data.text("subject"),
        machine=name in MACHINES,
    )


def happened(data: Payload) -> datetime:
    for key, parts in (("ts_epoch", 1_000), ("ts_event", 1)):
        if (found := data.value(key, int)) is not None:
            return data.sound(key, partial(since_1970, parts=parts), found)
    raise data.wrong("ts_event", phrase("is missing"))
