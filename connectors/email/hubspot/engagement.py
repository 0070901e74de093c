"""What became of e-mails by HubSpot's log of e-mail events: read round by round, each up to the moment it began.

https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/guide, scope `content`. A round's cursor:

    since    from when on it reads
    until    up to when: the moment at which it began; None between rounds
    offset   its next page, None before the first
    again    whether it was begun once more, since a page was not known any more
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connectors.email.hubspot.api import Api
from connectors.engagement import Told
from connectors.errors import PermanentError
from connectors.payload import Payload
from connectors.records import Event, EventKind
from connectors.times import since_1970, utc

PATH = "/email/public/v1/events"
PER_PAGE = 1_000
LATE = timedelta(hours=1)  # an event may be shown so long after it took place
GONE = (400, 404)
KINDS: Mapping[str, EventKind] = {
    "DELIVERED": "email.delivered",
    "OPEN": "email.opened",
    "CLICK": "email.clicked",
    "BOUNCE": "email.bounced",
    "SPAMREPORT": "email.marked_as_spam",
    "STATUSCHANGE": "email.unsubscribed",
}
UNSUBSCRIBED = "UNSUBSCRIBED"

Cursor = Mapping[str, Any]


def told(api: Api, cursor: Cursor | None, since: datetime, now: datetime) -> Told:
    """Read the next page of a round, or the first of a new one."""
    at = dict(cursor or {"since": since.isoformat(), "until": None, "offset": None, "again": False})
    at["until"] = at["until"] or now.isoformat()
    params = {
        "startTimestamp": str(milliseconds(at["since"])),
        "endTimestamp": str(milliseconds(at["until"])),
        "limit": str(PER_PAGE),
    }
    if at["offset"]:
        params["offset"] = at["offset"]
    try:
        answer = api.get(PATH, **params)
    except PermanentError as error:
        if error.status in GONE and at["offset"] and not at["again"]:
            return Told(cursor={**at, "offset": None, "again": True}, more=True)
        raise
    answer.required("events", lambda key: answer.value(key, list))
    found = tuple(event for one in answer.objects("events") if (event := read(one)))
    following = answer.text("offset")
    if answer.flag("hasMore") and following:
        return Told(found, {**at, "offset": following}, more=True)
    begun = utc(at["until"]) - LATE
    return Told(found, {"since": begun.isoformat(), "until": None, "offset": None, "again": False})


def milliseconds(moment: str) -> int:
    return round(utc(moment).timestamp() * 1_000)


def read(data: Payload) -> Event | None:
    """Return an event; None for one that is nothing to us, or that nobody can read."""
    try:
        name = data.text("type") or ""
        kind = KINDS.get(name)
        if kind is None or (kind == "email.unsubscribed" and not unsubscribes(data)):
            return None
        created = data.required("created", lambda key: data.value(key, int))
        return Event(
            data.required("id", data.text),
            kind,
            data.sound("created", partial(since_1970, parts=1_000), created),
            email=data.required("recipient", data.text),
            subject_id=data.id("emailCampaignId"),
            subject=data.text("url") if kind == "email.clicked" else data.text("subject"),
            machine=data.flag("filteredEvent") or False,
        )
    except PermanentError:
        return None


def unsubscribes(data: Payload) -> bool:
    changed = [one.text("status") for one in data.objects("subscriptions")]
    return UNSUBSCRIBED in (data.text("portalSubscriptionStatus"), *changed)
