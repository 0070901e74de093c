"""What became of e-mails by Mailchimp's reports: round by round, those campaigns whose figures have changed.

A report tells figures only; who did what stands on pages below it, in parts. A round reads those parts whose figures
are others than the last time. Which opens were a program's Mailchimp tells of a campaign, but of nobody in it.
https://mailchimp.com/developer/marketing/api/reports/. A cursor:

    until    the moment at which the round began; None between rounds, and while its reports are listed
    listing  how far they are: since when, the next page, and what `known` and `todo` are to be; None else
    known    campaigns that were sent of late: figures by part, what they are called, when they were sent and read
    todo     campaigns and parts that the round has still to read, in order
    offset   the next page of the first of them
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from connectors.email.mailchimp.api import PER_PAGE, Api, listed
from connectors.engagement import Told
from connectors.errors import PermanentError
from connectors.payload import Payload
from connectors.records import Event, EventKind
from connectors.times import utc

FOLLOWED = timedelta(days=30)  # so long after it was sent a campaign is looked after
LATE = timedelta(hours=1)  # something may be shown so long after it took place
FIGURES = (
    "id,list_id,type,campaign_title,subject_line,send_time,emails_sent,opens,clicks,bounces,unsubscribed,abuse_reports"
)
ACTIONS: Mapping[str, EventKind] = {"open": "email.opened", "click": "email.clicked", "bounce": "email.bounced"}

Cursor = dict[str, Any]


@dataclass(frozen=True)
class Campaign:
    """A campaign as its events name it."""

    campaign_id: str
    title: str | None
    sent_at: datetime | None


@dataclass(frozen=True)
class Part:
    """One kind of pages below a report: what they list, how many times of it the report tells, and how it is read."""

    lists: str
    figures: Callable[[Payload], Sequence[int | None]]
    read: Callable[[Payload, Campaign], Iterator[Event]]


def told(api: Api, cursor: Cursor | None, since: datetime, now: datetime) -> Told:
    """Begin a round by the figures of all campaigns, or read the next page of one of them."""
    at = cursor or {"until": None, "known": {}, "todo": [], "offset": 0}
    if at["until"] is None:
        return begun(api, at, since, now)
    campaign_id, name = at["todo"][0]
    about, part = at["known"][campaign_id], PARTS[name]
    params = {"since": about["since"]} if name == "email-activity" else {}
    path = f"/reports/{quote(campaign_id, safe='')}/{name}"
    try:
        page = api.call("GET", path, count=PER_PAGE, offset=at["offset"], **params)
        found = listed(page, part.lists)
    except PermanentError as error:
        if error.status != 404:
            raise
        return Told(cursor=following(at), more=len(at["todo"]) > 1)  # the merchant has deleted the campaign
    campaign = Campaign(campaign_id, about["title"], utc(about["sent"]) if about["sent"] else None)
    events = tuple(event for one in found for event in whole(part, one, campaign))
    if found and at["offset"] + PER_PAGE < (page.count("total_items") or 0):
        return Told(events, {**at, "offset": at["offset"] + PER_PAGE}, more=True)
    return Told(events, following(at), more=len(at["todo"]) > 1)


def following(at: Cursor) -> Cursor:
    """Return the cursor behind the first part that was to be read."""
    todo = at["todo"][1:]
    return {**at, "todo": todo, "offset": 0, "until": at["until"] if todo else None}


def begun(api: Api, at: Cursor, since: datetime, now: datetime) -> Told:
    """Ask for the next figures of all campaigns sent of late, and note which have changed."""
    before: Mapping[str, Any] = at["known"]
    from_ = min((now - FOLLOWED, *(utc(one["sent"]) for one in before.values() if one["sent"]))) if before else since
    at_first: Cursor = {"from": from_.isoformat(), "offset": 0, "known": {}, "todo": []}
    listing = at.get("listing") or at_first
    asked = {"since_send_time": listing["from"], "count": PER_PAGE, "offset": listing["offset"], "fields": fields()}
    page = api.call("GET", "/reports", **asked)
    found, offset = listed(page, "reports"), listing["offset"] + PER_PAGE
    known, todo = noted(found, api.audience, before, since, now)
    known = {**listing["known"], **known}
    todo = [*listing["todo"], *(one for one in todo if one not in listing["todo"])]
    if found and offset < (page.count("total_items") or 0):
        return Told(cursor={**at, "listing": {**listing, "offset": offset, "known": known, "todo": todo}}, more=True)
    until = now.isoformat() if todo else None
    return Told(cursor={"until": until, "known": known, "todo": todo, "offset": 0}, more=bool(todo))


def noted(
    reports: Sequence[Payload], audience: str, before: Mapping[str, Any], since: datetime, now: datetime
) -> tuple[dict[str, Any], list[list[str]]]:
    """Return what is to be known of campaigns from now on, and which of their parts have changed."""
    known: dict[str, Any] = {}
    todo = []
    for report in reports:
        if report.text("list_id") != audience:
            continue
        campaign_id = report.required("id", report.text)
        sent = report.time("send_time")
        if sent and sent < now - FOLLOWED and campaign_id in before:
            continue
        last = before.get(campaign_id, {"figures": {}, "until": None})
        figures = {name: list(part.figures(report)) for name, part in PARTS.items()}
        changed = [name for name in PARTS if figures[name] != last["figures"].get(name) and any(figures[name])]
        read_to = utc(last["until"]) - LATE if last["until"] else since
        known[campaign_id] = {
            "figures": figures,
            "title": report.text("campaign_title") or report.text("subject_line"),
            "sent": sent.isoformat() if sent and report.text("type") != "automation" else None,
            "since": read_to.isoformat(),
            "until": now.isoformat() if changed else last["until"],
        }
        todo += [[campaign_id, name] for name in changed]
    return known, todo


def fields() -> str:
    return ",".join([*(f"reports.{name}" for name in FIGURES.split(",")), "total_items"])


def whole(part: Part, data: Payload, campaign: Campaign) -> Sequence[Event]:
    """Return what one line of a page tells; nothing where nobody can read it."""
    try:
        return tuple(part.read(data, campaign))
    except PermanentError:
        return ()


def counts(data: Payload | None, *names: str) -> list[int | None]:
    return [data.count(name) if data else None for name in names]


def delivered(data: Payload, campaign: Campaign) -> Iterator[Event]:
    """When one e-mail of a series was sent to whom, no report tells: those are left out."""
    if data.text("status") == "sent" and campaign.sent_at:
        yield event("email.delivered", data, campaign, campaign.sent_at, "delivered")


def activity(data: Payload, campaign: Campaign) -> Iterator[Event]:
    for one in data.objects("activity"):
        action = one.text("action") or ""
        if kind := ACTIONS.get(action):
            at, link = one.required("timestamp", one.time), one.text("url")
            hard = action == "bounce" and one.text("type") == "hard"
            apart = [action, "hard" if hard else at.isoformat(), *([short(link)] if link else [])]
            yield event(kind, data, campaign, at, *apart, link=link)


def unsubscribed(data: Payload, campaign: Campaign) -> Iterator[Event]:
    yield event("email.unsubscribed", data, campaign, data.required("timestamp", data.time), "unsubscribed")


def reported(data: Payload, campaign: Campaign) -> Iterator[Event]:
    yield event("email.marked_as_spam", data, campaign, data.required("date", data.time), "spam")


def event(
    kind: EventKind, data: Payload, campaign: Campaign, at: datetime, *apart: str, link: str | None = None
) -> Event:
    """Return an event. Mailchimp has no id of its own for one: what cannot be twice in a campaign makes one."""
    email = data.required("email_address", data.text)
    named = event_id(campaign.campaign_id, email, *apart)
    return Event(named, kind, at, email=email, subject_id=campaign.campaign_id, subject=link or campaign.title)


def event_id(campaign_id: str, email: str, *apart: str) -> str:
    """Return the same for a report and for a webhook that tell of the same."""
    return ":".join([campaign_id, short(email.strip().casefold()), *apart])


def short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


PARTS: Mapping[str, Part] = {
    "sent-to": Part("sent_to", lambda report: counts(report, "emails_sent"), delivered),
    "email-activity": Part(
        "emails",
        lambda report: [
            *counts(report.object("opens"), "opens_total"),
            *counts(report.object("clicks"), "clicks_total"),
            *counts(report.object("bounces"), "hard_bounces", "soft_bounces", "syntax_errors"),
        ],
        activity,
    ),
    "unsubscribed": Part("unsubscribes", lambda report: counts(report, "unsubscribed"), unsubscribed),
    "abuse-reports": Part("abuse_reports", lambda report: counts(report, "abuse_reports"), reported),
}
