"""The lane `ratings`: every night the platform's own view of its customers is read through, page by page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select, update

from connectors.errors import PermanentError
from connectors.records import Rating
from connectors.sources import Rated, RatingSource
from connectors.writers import TagWriter
from plugin import clock, dates, lanes, shops, tokens
from plugin.db import reading, table, transaction, upsert
from plugin.ingest.batch import store
from plugin.models.site import RatingRun
from plugin.shops import Opened
from plugin.tagging import budgets

runs = table(RatingRun)


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Read all ratings, page by page; return the shop's next midnight. A crash goes on with the page it was at."""
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        connection = shops.connection(session, claim.shop_id, claim.subject)
    midnight = dates.day_start(dates.today(clock.now(), shop.zone) + timedelta(days=1), shop.zone)
    if shop.history_at is None:  # the customers come first, with their own dates
        return midnight
    opened = tokens.active(engine, claim.shop_id, claim.subject)
    if opened is None or not isinstance(opened.connector, RatingSource):
        return None if connection is None or connection.state == "gone" else midnight
    more = True
    while more:
        if tokens.over(opened.connector):
            return clock.now()  # begun again, the lane has it refreshed
        cursor = begin(engine, claim)
        if wait := draw(engine, claim, opened):
            return clock.now() + timedelta(seconds=wait)
        page = read(engine, claim, opened.connector, cursor)
        more = keep(engine, claim, opened, page)
    return midnight


def begin(engine: Engine, claim: lanes.Claim) -> str | None:
    """Return where to go on; None at the beginning."""
    key = {"shop_id": claim.shop_id, "connection_id": claim.subject}
    with transaction(engine) as session:
        lanes.hold(session, claim)
        row = session.execute(select(runs).where(*mine(claim))).first()
        if row and row.cursor:
            cursor: str = row.cursor
            return cursor
        upsert(session, runs, [key | {"cursor": None, "begun_at": clock.now(), "rated": 0}])
    return None


def mine(claim: lanes.Claim) -> tuple[Any, Any]:
    return runs.c.shop_id == claim.shop_id, runs.c.connection_id == claim.subject


def read(engine: Engine, claim: lanes.Claim, source: RatingSource, cursor: str | None) -> Rated:
    """Return a page. Where the platform knows the cursor no more, the next attempt begins anew."""
    try:
        return source.ratings(cursor, clock.now())
    except PermanentError:
        with transaction(engine) as session:
            lanes.hold(session, claim)
            session.execute(update(runs).where(*mine(claim)).values(cursor=None))
        raise


def draw(engine: Engine, claim: lanes.Claim, opened: Opened) -> float:
    """Take a page's cost from the budget that tags are written from and return 0; else the seconds to wait."""
    source = opened.connector
    assert isinstance(source, RatingSource)
    rates = source.capabilities.rates if isinstance(source, TagWriter) else {}
    if source.rating_endpoint not in rates:
        return 0
    with transaction(engine) as session:
        lanes.hold(session, claim)
        rate = rates[source.rating_endpoint]
        return budgets.draw(session, opened, source.rating_endpoint, rate, source.rating_cost, clock.now())


def keep(engine: Engine, claim: lanes.Claim, opened: Opened, page: Rated) -> bool:
    """Store a page together with where to go on; return whether there is more."""
    with transaction(engine) as session:
        lanes.hold(session, claim)
        store(session, shops.shop(session, claim.shop_id), claim.subject, page.ratings)
        rated = sum(isinstance(one, Rating) for one in page.ratings)
        progress: dict[str, Any] = {"cursor": page.cursor, "rated": runs.c.rated + rated}
        if page.cursor is None:
            progress |= {"ended_at": clock.now(), "supplied": tuple(page.supplied)}
        session.execute(update(runs).where(*mine(claim)).values(progress))
        source = opened.connector
        if page.available is not None and isinstance(source, TagWriter) and isinstance(source, RatingSource):
            rate = source.capabilities.rates.get(source.rating_endpoint)
            if rate:
                budgets.report(session, opened, source.rating_endpoint, rate, page.available, clock.now())
    return page.cursor is not None
