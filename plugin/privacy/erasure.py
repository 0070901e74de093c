"""Taking a person out of the tables, as `COVERED` says."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Table, and_, delete, null, or_, select, update
from sqlmodel import Session, SQLModel

from plugin import due_days, shops
from plugin.db import among
from plugin.privacy.covered import COVERED, Cover
from plugin.privacy.mentions import Mentions
from plugin.privacy.persons import Person
from plugin.segments.membership import sizes
from plugin.tagging.pushes import keys


def erase(session: Session, shop_id: str, named: Person) -> None:
    """Delete or blank all of a person but raw deliveries and what taking our tags off needs. Repeatable."""
    due_days.of_customers(session, shop_id, named.customer_ids)
    sizes.forgotten(session, shop_id, named.customer_ids)
    with due_days.changing(session, shops.shop(session, shop_id), named.order_ids):
        take_out(session, shop_id, named, Mentions(named))


def take_out(session: Session, shop_id: str, named: Person, mentions: Mentions) -> None:
    for name, cover in COVERED.items():
        target = SQLModel.metadata.tables[name]
        if cover.deleted and cover.whose:
            session.execute(delete(target).where(theirs(target, cover, shop_id, named)))
        if cover.blanked:
            blank = dict.fromkeys(cover.blanked.split(), None)
            session.execute(update(target).where(theirs(target, cover, shop_id, named)).values(blank))
        for column in cover.searched.split():
            search(session, target, column, shop_id, mentions)


def theirs(target: Table, cover: Cover, shop_id: str, named: Person) -> Any:
    """Whether a row is the person's."""
    found = [among(target.c[column], keys(named.of(kind))) for column, kind in cover.whose.items()]
    return and_(target.c.shop_id == shop_id, or_(*found))


def search(session: Session, target: Table, column: str, shop_id: str, mentions: Mentions) -> None:
    """Blank a column of free text, or of JSON that holds some, where it names the person."""
    key = list(target.primary_key)
    filled = select(*key, target.c[column]).where(target.c.shop_id == shop_id, target.c[column].is_not(None))
    for *values, found in session.execute(filled).all():
        if mentions.in_text(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)):
            row = and_(*(one == value for one, value in zip(key, values, strict=True)))
            session.execute(update(target).where(row).values({column: null()}))  # None would be a value in JSON
