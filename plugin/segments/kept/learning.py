"""Segments made from templates: added with this shop's thresholds, learned anew each month or on demand, or frozen."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import Engine, select
from sqlmodel import Session

from connectors.phrases import dumps, phrase
from plugin import clock, dates, lanes, shops
from plugin.db import fold, reading, table, transaction, upsert
from plugin.models.keeping import SegmentOrigin
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.segments.kept import keep, thresholds
from plugin.segments.kept.definition import RefusedError
from plugin.segments.kept.templates import TEMPLATES, Template
from plugin.segments.kept.thresholds import Threshold
from plugin.segments.language.errors import SegmentErrors
from plugin.translating import languages, told

log = logging.getLogger(__name__)

origins = table(SegmentOrigin)

BY = "thresholds"


def add(session: Session, shop: Shop, template: Template, *, by: str, say: Callable[[str], str] = str) -> Segment:
    """Keep a segment made from a template, its texts in the words that `say` has for them.

    RefusedError: it is there already, or a threshold cannot be told yet. SegmentErrors: nothing supplies what it asks
    for.
    """
    learned = thresholds.learn(session, shop, template.thresholds)
    query = written(template, learned)
    name, purpose, *actions = map(say, (template.name, template.purpose, *template.actions))
    segment = keep.add(session, shop, name, query, by=by, objective=purpose, offer="\n".join(actions))
    note(session, segment, template, learned)
    return segment


def written(template: Template, learned: Mapping[str, Threshold]) -> str:
    """Return a template's query with these thresholds. RefusedError: one of them cannot be told yet."""
    values: dict[str, str] = {}
    for name, one in learned.items():
        if one.value is None:
            raise RefusedError(one.origin)
        values[name] = one.value
    return template.written(values)


def note(session: Session, segment: Segment, template: Template, learned: Mapping[str, Threshold]) -> None:
    row = {
        "shop_id": segment.shop_id,
        "segment_id": segment.segment_id,
        "template": template.key,
        "thresholds": {name: {"value": one.value, "origin": dumps(one.origin)} for name, one in learned.items()},
        "query": segment.query,
        "learned_at": clock.now(),
        "frozen": False,
    }
    upsert(session, origins, [row], change=("thresholds", "query", "learned_at"))


def origin(session: Session, shop_id: str, segment_id: str) -> SegmentOrigin | None:
    """Return what a segment was made from, if it was made from a template."""
    return session.get(SegmentOrigin, (shop_id, segment_id))


def made_of(session: Session, shop_id: str) -> dict[str, str]:
    """Return, by template, the segment that was made from it, or else the one that has its name in any language."""
    named = {fold(one.name): one.segment_id for one in keep.all_of(session, shop_id)}
    names = {(key, told(one.name, locale)) for key, one in TEMPLATES.items() for locale in languages()}
    made = select(origins.c.template, origins.c.segment_id).where(origins.c.shop_id == shop_id)
    return {key: named[fold(name)] for key, name in names if fold(name) in named} | dict(
        session.execute(made.order_by(origins.c.learned_at)).all()
    )


def refresh(session: Session, shop: Shop, segment_id: str, *, by: str) -> bool:
    """Learn a segment's thresholds anew; return whether its query changed. RefusedError: it was edited by hand."""
    made, segment = origin(session, shop.shop_id, segment_id), keep.known(session, shop.shop_id, segment_id)
    template = TEMPLATES.get(made.template) if made else None
    if made is None or template is None:
        raise RefusedError(phrase("This segment was not made from a template."))
    if segment.query != made.query:
        raise RefusedError(phrase("This segment's query was edited by hand, and its thresholds are yours now."))
    learned = thresholds.learn(session, shop, template.thresholds)
    before = segment.query
    after = keep.edit(session, shop, segment_id, by=by, edit="learned", query=written(template, learned))
    note(session, after, template, learned)
    return after.query != before


def freeze(session: Session, shop_id: str, segment_id: str, *, frozen: bool) -> None:
    """Let a segment's thresholds stay as they are, or be learned anew each month. RefusedError: it has none."""
    made = origin(session, shop_id, segment_id)
    if made is None:
        raise RefusedError(phrase("This segment was not made from a template."))
    made.frozen = frozen
    session.flush()


def work(engine: Engine, claim: lanes.Claim) -> datetime | None:
    """Learn thresholds anew that were learned in an earlier month and are not frozen; return the next month's start."""
    with reading(engine) as session:
        shop = shops.shop(session, claim.shop_id)
        today = dates.today(clock.now(), shop.zone)
        begun = dates.day_start(today.replace(day=1), shop.zone)
        found = select(origins.c.segment_id).where(
            origins.c.shop_id == shop.shop_id, origins.c.frozen.is_(False), origins.c.learned_at < begun
        )
        due = session.scalars(found.order_by(origins.c.segment_id)).all()
    for segment_id in due:
        with transaction(engine) as session:
            lanes.hold(session, claim)
            try:
                refresh(session, shop, segment_id, by=BY)
            except (RefusedError, SegmentErrors, LookupError):  # stays as it is, and says so on its page
                log.info("thresholds of segment %s stay as they are", segment_id)
    return dates.day_start(next_month(today), shop.zone)


def next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
