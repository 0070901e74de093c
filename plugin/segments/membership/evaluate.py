"""Some customers' figures brought up to date, who of them is in which segment, and which segments they meet."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, literal, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from connectors.phrases import phrase
from plugin import dates, due_days
from plugin.db import Keys, among, overwrite
from plugin.models.shops import Shop
from plugin.segments.asking import figures
from plugin.segments.asking.rfm import FEWEST_BUYERS
from plugin.segments.language.vocabulary import WHOLE_TABLE
from plugin.segments.membership.live import Live, fail, named_columns
from plugin.segments.membership.looking import (
    FIRST_VERDICT,
    INDEXED,
    INDEXED_TOO,
    KEY,
    OTHERS,
    SAME,
    Question,
    looking,
    memberships,
    places,
    stats,
)

log = logging.getLogger(__name__)

Pair = tuple[str, str]
"""A segment's id and a customer's."""


@dataclass
class Seen:
    """What was found of customers: who is one at all, who is in which segment, and who meets those `evaluated`."""

    present: set[str] = field(default_factory=set)
    held: set[Pair] = field(default_factory=set)
    evaluated: set[str] = field(default_factory=set)
    met: set[Pair] = field(default_factory=set)


@dataclass(frozen=True)
class Sight:
    """Who is looked at, as of when, and the figures that are brought up to date whatever is asked."""

    shop: Shop
    customer_ids: Sequence[str]
    now: datetime
    named: Collection[str] = ()


def see(session: Session, sight: Sight, segments: Sequence[Live]) -> Seen:
    """Look at customers and evaluate segments. One that fails is marked so, and does not take the others down."""
    readable = [one for one in segments if one.tree is not None]
    try:
        with session.begin_nested():
            return look(session, sight, readable)
    except DBAPIError:
        log.warning("the segments of shop %s are evaluated one by one", sight.shop.shop_id)
    seen = look(session, sight, ())
    for one in readable:
        try:
            with session.begin_nested():
                seen.met |= look(session, sight, [one]).met
            seen.evaluated.add(one.segment_id)
        except DBAPIError as error:
            fail(
                session,
                sight.shop.shop_id,
                one.segment_id,
                phrase("the database could not answer: %(error)s", error=type(error).__name__),
            )
    return seen


def look(session: Session, sight: Sight, segments: Sequence[Live]) -> Seen:
    shop_id, question = sight.shop.shop_id, asked_of(sight, segments)
    rows = session.execute(looking(question), figures.parameters(shop_id, sight.now, sight.customer_ids)).all()
    kept = question.kept
    write(session, shop_id, kept, rows)
    verdicts = slice(FIRST_VERDICT, -len(kept))
    ids = [one.segment_id for one in segments]
    meant = {said: [ids[place] for place in places(said)] for said in {row[verdicts] for row in rows}}
    seen = Seen(
        present={row.customer_id for row in rows},
        held={(segment_id, row.customer_id) for row in rows if row.held for segment_id in row.held.split(",")},
        evaluated=set(ids),
        met={(segment_id, row.customer_id) for row in rows for segment_id in meant[row[verdicts]]},
    )
    if gone := sorted(set(sight.customer_ids) - seen.present):
        due_days.of_added(session, shop_id, gone)
        of_gone = among(stats.c.customer_id, literal(gone, Keys()))
        session.execute(delete(stats).where(stats.c.shop_id == shop_id, of_gone))
        seen.held |= held_by(session, shop_id, gone)
    return seen


def asked_of(sight: Sight, segments: Sequence[Live]) -> Question:
    shop = sight.shop
    return Question(
        named=frozenset(sight.named).union(*(named_columns(one.query, one.words) for one in segments)),
        queries=tuple(one.query for one in segments),
        words=segments[0].words if segments else WHOLE_TABLE,
        asked=figures.Asked(shop.paid_orders_only, some=True),
        currency=shop.currency,
        today=dates.today(sight.now, shop.zone),
        zone=shop.zone,
        enough_buyers=shop.scored_buyers >= FEWEST_BUYERS,
    )


def write(session: Session, shop_id: str, kept: Sequence[str], rows: Iterable[Any]) -> None:
    """Write the figures that differ. Those with an index only where one of them does: writing them rewrites it."""
    differing: dict[int, list[tuple[Any, ...]]] = {SAME: [], OTHERS: [], INDEXED_TOO: []}
    for row in rows:
        differing[row[1]].append((shop_id, row[0], *row[-len(kept) :]))
    overwrite(session, stats, (*KEY, *kept), differing[OTHERS], [name for name in kept if name not in INDEXED])
    if others := [row[1] for row in differing[INDEXED_TOO]]:
        due_days.of_added(session, shop_id, others)
        overwrite(session, stats, (*KEY, *kept), differing[INDEXED_TOO], kept)
        due_days.of_added(session, shop_id, others)


def held_by(session: Session, shop_id: str, customer_ids: Sequence[str]) -> set[Pair]:
    """Return who of these is in which segments."""
    theirs = among(memberships.c.customer_id, literal(customer_ids, Keys()))
    found = select(memberships.c.segment_id, memberships.c.customer_id).where(memberships.c.shop_id == shop_id, theirs)
    return {(segment_id, customer_id) for segment_id, customer_id in session.execute(found)}
