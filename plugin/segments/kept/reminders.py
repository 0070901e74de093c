"""Mails about reviews that are due: one to whoever looks after the segment, on the morning of the shop's day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine, and_, select, update
from sqlmodel import Session, col

from connectors.errors import PermanentError
from connectors.phrases import phrase
from plugin import clock, dates, lanes, mail, people, shops, translating
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.segments.kept.definition import rhythm_told
from plugin.segments.kept.reviews import morning, reviews


@dataclass(frozen=True)
class Reminder:
    """One mail about one review, with nobody's data in it but the segment's name."""

    segment_id: str
    due_on: date
    to: str
    name: str
    review: str
    language: str


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Mail the reviews that are due; return the morning of the next one.

    Killed between a mail and its note, the same mail goes out once more, under the same Message-ID.
    """
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        waiting = reminders(session, shop)
    now = clock.now()
    for one in waiting:
        if mail.configured() and morning(shop, one.due_on) <= now:
            remind(engine, claim, shop, one)
    tomorrow = morning(shop, dates.today(now, shop.zone) + timedelta(days=1))
    with reading(engine) as session:
        left = [morning(shop, one.due_on) for one in reminders(session, shop)]
    return min((at if at > now else tomorrow for at in left), default=None)


def reminders(session: Session, shop: Shop) -> list[Reminder]:
    """Return the mails that are still to be sent, now or later."""
    same = and_(col(Segment.shop_id) == reviews.c.shop_id, col(Segment.segment_id) == reviews.c.segment_id)
    open_ones = (reviews.c.done_at.is_(None), reviews.c.mailed_at.is_(None), reviews.c.error.is_(None))
    found = (
        select(reviews.c.due_on, Segment)
        .join_from(reviews, Segment, same)
        .where(reviews.c.shop_id == shop.shop_id, *open_ones, col(Segment.enabled))
        .order_by(reviews.c.due_on, reviews.c.segment_id)
    )
    return [
        Reminder(
            *(one.segment_id, due_on, one.owner_email, one.name, one.review or ""),
            people.language_of(session, shop, one.owner_email),
        )
        for due_on, one in session.execute(found)
        if one.owner_email
    ]


def remind(engine: Engine, claim: lanes.Claim, shop: Shop, one: Reminder) -> None:
    """Send one mail and note it; where it is refused for good, note why."""
    lanes.renew(engine, claim)
    note: dict[str, object] = {"mailed_at": clock.now()}
    try:
        mail.send(one.to, *letter(shop, one), message_name(shop, one))
    except PermanentError as error:
        note = {"error": str(error)}
    this = (reviews.c.shop_id == shop.shop_id, reviews.c.segment_id == one.segment_id, reviews.c.due_on == one.due_on)
    with transaction(engine) as session:
        lanes.hold(session, claim)
        session.execute(update(reviews).where(*this).values(note))


def message_name(shop: Shop, one: Reminder) -> str:
    return f"review.{shop.shop_id}.{one.segment_id}.{one.due_on.isoformat()}"


def letter(shop: Shop, one: Reminder) -> tuple[str, str]:
    """Return the subject and the text of a mail, in the language of whom it is for."""
    known = {"name": one.name, "shop": shop.name}
    subject = phrase("To be reviewed: %(name)s (%(shop)s)", **known)
    what = phrase(
        "The segment %(name)s of %(shop)s is to be looked at again: it was due on %(day)s, and is reviewed %(rhythm)s.",
        **known,
        day=one.due_on,
        rhythm=rhythm_told(one.review),
    )
    then = phrase("Say there that you have done it, and when it is due again is worked out anew.")
    address = f"{settings().public_url.rstrip('/')}/segments/{one.segment_id}"
    told = [translating.told(text, one.language) for text in (subject, what, then)]
    return told[0], f"{told[1]}\n\n{address}\n\n{told[2]}\n"
