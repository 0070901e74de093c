"""As of when a shop's segments are evaluated: now, unless the clock was put back, which must move nobody.

Clocks of machines differ a little and are corrected: by less than an hour, time stands still until it is caught up
with. By more, a clock had gone wrong, and everybody is asked anew: at once, and once more when the time comes up to
which it had gone, since what was dated by it is seen only then.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col

from plugin import clock
from plugin.models.shops import Shop
from plugin.segments.membership import live

A_LITTLE = timedelta(hours=1)


def moment(shop: Shop) -> datetime:
    """Return as of when segments are evaluated now."""
    return caught_up(clock.now(), shop.evaluated_at)


def caught_up(now: datetime, latest: datetime | None) -> datetime:
    """Return `now`, or `latest` if that is a little ahead."""
    return latest if latest is not None and now < latest <= now + A_LITTLE else now


def begin(session: Session, shop: Shop, now: datetime) -> None:
    """Have everybody asked anew if the clock was put back by much, or comes again to where it had been."""
    if shop.evaluated_at is not None and shop.evaluated_at > now:
        look_again(session, shop, shop.evaluated_at)
        keep(session, shop, evaluated_at=now)
        session.refresh(shop)
        live.ask_anew(session, shop.shop_id, "again")
    elif shop.ahead_at is not None and shop.ahead_at <= now:
        keep(session, shop, ahead_at=None)
        session.refresh(shop)
        live.ask_anew(session, shop.shop_id, "again")


def look_again(session: Session, shop: Shop, at: datetime) -> None:
    """Have everybody asked anew at a moment that the clock has shown already."""
    if shop.ahead_at is None or shop.ahead_at < at:
        keep(session, shop, ahead_at=at)


def reach(session: Session, shop: Shop, now: datetime) -> None:
    """Note as of when segments were evaluated."""
    if shop.evaluated_at is None or shop.evaluated_at < now:
        keep(session, shop, evaluated_at=now)


def keep(session: Session, shop: Shop, **values: datetime | None) -> None:
    own = update(Shop).where(col(Shop.shop_id) == shop.shop_id)
    session.execute(own.values(**values).execution_options(synchronize_session=False))
