"""Who unsubscribed, as Omnisend's contacts tell it: opens and clicks it tells to nobody who asks.

Read round by round, contacts by the moment of their last change, each round up to the moment at which it began. A
cursor:

    since    from when on it reads
    until    when the round began; None between rounds
    after    its next page, None before the first
    again    whether it was begun once more, since a page was not known any more
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from connectors.email.omnisend.api import Api
from connectors.email.omnisend.contacts import PER_PAGE, cursor_of
from connectors.engagement import Told
from connectors.errors import PermanentError
from connectors.payload import Payload
from connectors.records import Event
from connectors.times import utc

LATE = timedelta(hours=1)  # a change may be shown so long after it took place
LOST = (400, 404)

Cursor = dict[str, Any]


def told(api: Api, cursor: Cursor | None, since: datetime, now: datetime) -> Told:
    """Read the next page of a round, or the first of a new one."""
    at = dict(cursor or {"since": since.isoformat(), "until": None, "after": None, "again": False})
    at["until"] = at["until"] or now.isoformat()
    asked = (
        {"after": at["after"]}
        if at["after"]
        else {"updatedAtFrom": at["since"], "sort": "updatedAt", "direction": "asc"}
    )
    try:
        page = api.get("/contacts", limit=PER_PAGE, **asked)
    except PermanentError as error:
        if error.status in LOST and at["after"] and not at["again"]:
            return Told(cursor={**at, "after": None, "again": True}, more=True)
        raise
    page.required("contacts", lambda key: page.value(key, list))
    from_ = utc(at["since"])
    found = tuple(
        event for one in page.objects("contacts") if (event := unsubscribed(one)) and event.happened_at >= from_
    )
    following = cursor_of(page)
    if following is not None:
        return Told(found, {**at, "after": following}, more=True)
    begun = utc(at["until"]) - LATE
    return Told(found, {"since": begun.isoformat(), "until": None, "after": None, "again": False})


def unsubscribed(contact: Payload) -> Event | None:
    """Return when a contact unsubscribed from e-mails; None for one that did not, or that nobody can read."""
    try:
        email, now = (
            contact.text("email"),
            [one for one in contact.objects("statuses") if one.text("channel") == "email"],
        )
        at = max((one.required("statusChangedAt", one.time) for one in now), default=None)
        if email is None or at is None or contact.text("status") != "unsubscribed":
            return None
        key = contact.required("id", contact.text)
        return Event(f"{key}:unsubscribed:{at.isoformat()}", "email.unsubscribed", at, email=email)
    except PermanentError:
        return None
