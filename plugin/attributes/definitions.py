"""Which attributes a shop has, of which kind, and since when: a kind stays as it was first defined."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session

from connectors.phrases import phrase
from plugin import clock
from plugin.attributes.kinds import KINDS
from plugin.db import among, clean, table, upsert
from plugin.models.attributes import AttributeDefinition
from plugin.models.shops import Shop
from plugin.tagging.pushes import keys

definitions = table(AttributeDefinition)

KEY = re.compile(r"(?a:[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)?)")  # as a query can name it
LONGEST_KEY = 100
# What the language has a name of its own for. A metafield with such a key supplies it if it is of this kind.
FIXED: Mapping[str, str] = {
    "birth_date": "date",
    **dict.fromkeys(("gender", "marital_status", "income_band", "education", "occupation"), "text"),
    **dict.fromkeys(("interests", "values", "lifestyle", "personality"), "texts"),
}


class RefusedError(ValueError):
    """An attribute cannot be defined like this; the text is for the merchant."""


@dataclass(frozen=True)
class Wanted:
    """An attribute that somebody wants to send values of."""

    key: str
    kind: str
    source: str
    label: str | None = None


def define(session: Session, shop: Shop, key: str, kind: str, *, label: str | None = None, source: str = "api") -> None:
    """Define an attribute, or give it another label. RefusedError: no such key or kind, or it is of another kind."""
    if (fault := fault_of(key)) or (
        fault := None if kind in KINDS else phrase("there is no kind %(kind)s", kind=repr(kind[:20]))
    ):
        raise RefusedError(fault)
    if kind != FIXED.get(key, kind):
        raise RefusedError(phrase("%(key)s is always of the kind %(kind)s", key=key, kind=FIXED[key]))
    found = ensure(session, shop, [Wanted(key, kind, source, label)])[key]
    if found != kind:
        raise RefusedError(phrase("%(key)s is of the kind %(kind)s already", key=key, kind=found))
    if label is not None:
        relabel(session, shop.shop_id, key, label)


def fault_of(key: str) -> str | None:
    """Return why a key cannot be one, None if it can."""
    if KEY.fullmatch(key) and len(key) <= LONGEST_KEY:
        return None
    return phrase("a key is a word of letters, digits, - and _ that begins with a letter, or two with a dot between")


def ensure(session: Session, shop: Shop, wanted: Sequence[Wanted]) -> dict[str, str]:
    """Define what is not defined yet; return the kinds of all that is wanted, as they now are."""
    known = kinds_of(session, shop.shop_id, {one.key for one in wanted})
    missing = {one.key: one for one in wanted if one.key not in known}
    if not missing:
        return known
    rows = [
        {
            "shop_id": shop.shop_id,
            "key": one.key,
            "kind": FIXED.get(one.key, one.kind),
            "label": clean(one.label).strip() or None if one.label else None,
            "source": one.source,
            "defined_at": clock.now(),
        }
        for one in missing.values()
    ]
    upsert(session, definitions, rows, change=())
    return kinds_of(session, shop.shop_id, {one.key for one in wanted})


def kinds_of(session: Session, shop_id: str, some: Collection[str]) -> dict[str, str]:
    """Return the kinds of those attributes among some that are defined."""
    theirs = (definitions.c.shop_id == shop_id, among(definitions.c.key, keys(some)))
    return dict(session.execute(select(definitions.c.key, definitions.c.kind).where(*theirs)).all())


def all_of(session: Session, shop_id: str) -> Sequence[Any]:
    """Return a shop's definitions by key."""
    found = select(definitions).where(definitions.c.shop_id == shop_id)
    return session.execute(found.order_by(definitions.c.key)).all()


def metafields(session: Session, shop_id: str) -> Sequence[str]:
    """Return the keys of the attributes that the store keeps as metafields."""
    theirs = (definitions.c.shop_id == shop_id, definitions.c.source == "metafield")
    return session.scalars(select(definitions.c.key).where(*theirs).order_by(definitions.c.key)).all()


def relabel(session: Session, shop_id: str, key: str, label: str) -> None:
    """Give an attribute another label; none takes it away."""
    these = (definitions.c.shop_id == shop_id, definitions.c.key == key)
    session.execute(update(definitions).where(*these).values(label=clean(label).strip()[:200] or None))
