"""What became of e-mails by Klaviyo's events: one metric after the other, each from where it was read to.

A round reads all metrics once, their pages in order of time. Where a round goes on stands in its cursor:

    metrics   the kind of event by the id of its metric; None: to be asked for anew
    looked    when they were asked for
    read      by metric, from when on it is to be read next
    todo      the metrics that this round has still to read, the one at hand first
    begun     when the reading of that one began
    page      its next page, None before the first
    seen      the moment of its latest event so far
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.email.klaviyo.api import Api, listed
from connectors.engagement import Told
from connectors.errors import PermanentError
from connectors.payload import Payload
from connectors.records import Event, EventKind
from connectors.text import clean
from connectors.times import utc
from connectors.writers import Windows

METRICS: Mapping[str, EventKind] = {
    "Received Email": "email.delivered",
    "Opened Email": "email.opened",
    "Clicked Email": "email.clicked",
    "Bounced Email": "email.bounced",
    "Marked Email as Spam": "email.marked_as_spam",
    "Unsubscribed from Email Marketing": "email.unsubscribed",
    "Unsubscribed": "email.unsubscribed",  # as accounts from before 2023 have it
}
MACHINE = ("machine_open", "Machine Open", "Apple Privacy Open", "bot_click", "Bot Click")
RATES = {"metrics": Windows(((1, 10), (60, 150))), "events": Windows(((1, 350), (60, 3_500)))}
PER_PAGE = 200
LATE = timedelta(minutes=10)  # an event may be shown so long after it took place
LOOK_AGAIN = timedelta(days=1)  # a metric is there once something of it has happened
GONE = (400, 404)

Cursor = Mapping[str, Any]


def endpoint(cursor: Cursor | None) -> str:
    return "events" if cursor and cursor["metrics"] is not None else "metrics"


def told(api: Api, cursor: Cursor | None, since: datetime, now: datetime) -> Told:
    """Make the next call of a round, or the first of the next one."""
    if cursor is None or cursor["metrics"] is None:
        known = metrics(api)
        read = (cursor or {"read": {}})["read"]
        fresh = {"metrics": known, "looked": now.isoformat(), "read": {one: read[one] for one in known if one in read}}
        return Told(cursor=begun(fresh, list(known), now), more=bool(known))
    if not cursor["todo"]:
        cursor = begun(cursor, list(cursor["metrics"]), now)
    return page(api, cursor, since, now) if cursor["todo"] else Told(cursor=cursor)


def begun(cursor: Cursor, todo: list[str], now: datetime) -> dict[str, Any]:
    """Return a cursor that reads the first of these metrics next. After the last the metrics may be old."""
    old = not todo and now - utc(cursor["looked"]) >= LOOK_AGAIN
    return {
        **cursor,
        "metrics": None if old else cursor["metrics"],
        "todo": todo,
        "begun": now.isoformat(),
        "page": None,
        "seen": None,
    }


def metrics(api: Api) -> dict[str, str]:
    """Return the kind of event of each metric of Klaviyo's own that we read, by its id."""
    found = {}
    for one in api.all("/api/metrics", {"filter": 'equals(integration.name,"Klaviyo")'}):
        kind = METRICS.get(one.required("attributes", one.object).text("name") or "")
        if kind:
            found[one.required("id", one.text)] = str(kind)
    return found


def page(api: Api, cursor: Cursor, since: datetime, now: datetime) -> Told:
    """Read the next page of the metric at hand."""
    metric, *others = cursor["todo"]
    at = second(cursor["read"].get(metric) or since.isoformat())
    params = {
        "filter": f'equals(metric_id,"{metric}"),greater-or-equal(datetime,{at})',
        "sort": "datetime",
        "include": "profile",
        "fields[event]": "datetime,event_properties",
        "fields[profile]": "email",
        "page[size]": str(PER_PAGE),
    }
    if cursor["page"]:
        params["page[cursor]"] = cursor["page"]
    try:
        answer = api.get("/api/events", params)
    except PermanentError as error:
        if error.status not in GONE:
            raise
        return passed_over(cursor, at, now)
    kind: EventKind = cursor["metrics"][metric]
    addresses = profiles(answer)
    found = [event for one in listed(answer) if (event := read(one, kind, addresses))]
    following = next_page(answer)
    if following:
        seen = max((one.happened_at.isoformat() for one in found), default=cursor["seen"])
        return Told(found, {**cursor, "page": following, "seen": seen}, more=True)
    whole = {**cursor, "read": {**cursor["read"], metric: (utc(cursor["begun"]) - LATE).isoformat()}}
    return Told(found, begun(whole, others, now), more=bool(others))


def second(moment: str) -> str:
    """Return the second in which a moment lies as Klaviyo writes it in filters."""
    return utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def passed_over(cursor: Cursor, at: str, now: datetime) -> Told:
    """Go on from the latest event where a page is not known any more, else without a metric that is not.

    Where no event lies behind the second from which it was read, that would be the same page again: the metric is left
    to the next round.
    """
    metric, *others = cursor["todo"]
    if cursor["page"] and cursor["seen"] and second(cursor["seen"]) > at:
        read = {**cursor["read"], metric: cursor["seen"]}
        return Told(cursor={**cursor, "read": read, "page": None}, more=True)
    gone = () if cursor["page"] else (metric,)
    left = {one: kind for one, kind in cursor["metrics"].items() if one not in gone}
    return Told(cursor=begun({**cursor, "metrics": left}, others, now), more=bool(others))


def profiles(answer: Payload) -> dict[str, str]:
    """Return the addresses of the profiles that came with a page of events, by Klaviyo's ids."""
    found = {}
    for one in answer.objects("included"):
        address = one.required("attributes", one.object).text("email")
        if address:
            found[one.required("id", one.text)] = address
    return found


def next_page(answer: Payload) -> str | None:
    """Return the cursor in the link to the next page: the address itself may be another by the time it is asked."""
    links = answer.object("links")
    url = links.text("next") if links else None
    return parse_qs(urlsplit(url).query).get("page[cursor]", [None])[0] if url else None


def read(data: Payload, kind: EventKind, addresses: Mapping[str, str]) -> Event | None:
    """Return an event; None for one of a profile without an address, or that nobody can read."""
    try:
        about = data.required("attributes", data.object)
        properties = about.object("event_properties") or Payload({}, about.path)
        address = addresses.get(profile_of(data))
        if not address:
            return None
        return Event(
            data.required("id", data.text),
            kind,
            about.required("datetime", about.time),
            email=address,
            subject_id=text(properties, "$message"),
            subject=text(properties, "URL") if kind == "email.clicked" else text(properties, "Subject"),
            machine=any(flagged(properties.data.get(name)) for name in MACHINE),
        )
    except PermanentError:
        return None


def profile_of(data: Payload) -> str:
    related = data.object("relationships")
    profile = related.object("profile") if related else None
    one = profile.object("data") if profile else None
    return (one.text("id") if one else None) or ""


def text(properties: Payload, name: str) -> str | None:
    """Return a property if it is a text: they are as whoever sent the e-mail made them."""
    found = properties.data.get(name)
    return clean(found).strip() or None if isinstance(found, str) else None


def flagged(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.casefold() == "true")
