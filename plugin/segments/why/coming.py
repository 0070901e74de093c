"""What is known to come to a customer if nothing happens: from now on, moments at which they are seen differently."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session

from plugin import clock, dates
from plugin.db import table
from plugin.models.commerce import Cart
from plugin.models.segments import CustomerStats, Wake
from plugin.models.shops import Shop
from plugin.segments.asking import ask, figures, predictions, relative, rfm
from plugin.segments.asking.compiler import columns_of
from plugin.segments.why.ahead import News, Stage
from plugin.segments.why.course import Course
from plugin.segments.why.seen import Eye, Ranks

YEARS = 3  # how far is looked ahead

wakes = table(Wake)
carts = table(Cart)
stats = table(CustomerStats)


def stages_of(
    session: Session, shop: Shop, course: Course, customer_id: str, at: datetime | None, *, live: bool
) -> list[Stage]:
    """Return how a customer is seen at a moment (default: now), and from each later one at which something comes.

    `live`: now, by the ranks that segments use, which are worked out anew at the next midnight.
    """
    now = clock.now()
    start = at or now
    eye = Eye(shop, customer_id, start, Ranks(), dates.LAST if start >= now else start)
    coming: dict[datetime, News] = dict.fromkeys(course.turns, "pin")
    coming |= dict.fromkeys(moments(session, eye), "known")
    named = relative_to_shop(course)
    if not named:
        return staged(eye, coming, {})
    if not live:
        return staged(eye, coming, {start: worked_out(session, eye, named, enough=True)})
    midnight = next_midnight(start, shop.zone)
    enough = ask.buyers(session, shop, midnight) >= rfm.FEWEST_BUYERS
    then = worked_out(session, eye.later(midnight), named, enough=enough)
    return staged(eye, coming | {midnight: "scores"}, {start: kept(session, shop, customer_id), midnight: then})


def horizon(course: Course, at: datetime, zone: str, *, live: bool) -> datetime:
    """Return up to when is looked ahead. Every night moves predictions, and only the next can be worked out."""
    if relative_to_shop(course).isdisjoint(predictions.NAMES):
        return dates.day_start(dates.shift(dates.today(at, zone), YEARS, "y"), zone)
    midnight = next_midnight(at, zone)
    return next_midnight(midnight, zone) if live else midnight


def relative_to_shop(course: Course) -> set[str]:
    """Return the figures that are asked for and are worked out among everybody."""
    named = {name for clause in course.clauses for name in columns_of(clause)}
    return named.intersection({"rfm_group", *relative.KEPT})


def next_midnight(at: datetime, zone: str) -> datetime:
    return dates.day_start(dates.shift(dates.today(at, zone), 1, "d"), zone)


def staged(eye: Eye, coming: dict[datetime, News], ranks: dict[datetime, Ranks]) -> list[Stage]:
    """Return the stages, each with the ranks that hold then."""
    found: list[Stage] = []
    current = Ranks()
    for moment in sorted({eye.at, *coming}):
        current = ranks.get(moment, current)
        found.append(Stage(eye.later(moment, current), coming.get(moment)))
    return found


def moments(session: Session, eye: Eye) -> list[datetime]:
    """Return the moments after this one that are known in advance.

    Today they are those that somebody is to be looked at again. Looking from a moment in the past, they are those of
    carts that were there then: what else was told later is not seen.
    """
    shop_id, customer_id = eye.shop.shop_id, eye.customer_id
    if eye.until == dates.LAST:
        own = (wakes.c.shop_id == shop_id, wakes.c.customer_id == customer_id, wakes.c.wake_at > eye.at)
        return list(session.scalars(select(wakes.c.wake_at).where(*own)))
    own = (carts.c.shop_id == shop_id, carts.c.customer_id == customer_id, carts.c.changed_at <= eye.at)
    return list(session.scalars(select(carts.c.abandoned_at).where(*own, carts.c.abandoned_at > eye.at).distinct()))


def kept(session: Session, shop: Shop, customer_id: str) -> Ranks:
    """Return the ranks that segments use: those of the last midnight."""
    own = select(*(stats.c[name] for name in relative.KEPT)).filter_by(shop_id=shop.shop_id, customer_id=customer_id)
    row = session.execute(own).mappings().first()
    return Ranks(dict(row or {}), shop.scored_buyers >= rfm.FEWEST_BUYERS)


def worked_out(session: Session, eye: Eye, named: set[str], *, enough: bool) -> Ranks:
    """Return the ranks as they are at a moment, over the whole shop."""
    measures = relative.RANKED_BY if relative.asked(named) else ()
    everybody = figures.figures(figures.Asked(eye.shop.paid_orders_only), measures)
    people = relative.completed(session, eye.shop, everybody, named, eye.at)
    own = select(*(people.c[name] for name in relative.KEPT if name in people.c))
    row = session.execute(own.where(people.c.customer_id == eye.customer_id), eye.bound).mappings().first()
    return Ranks(dict(row or {}), enough)
