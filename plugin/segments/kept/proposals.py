"""Segments proposed to a shop: templates that are drafts until the merchant accepts or discards each.

A draft is computed nowhere and tags nobody; its thresholds are worked out whenever it is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import delete, select
from sqlmodel import Session

from plugin import clock
from plugin.db import table, upsert
from plugin.models.keeping import Proposal
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.segments.kept import learning
from plugin.segments.kept.templates import PROPOSED, TEMPLATES, Template

proposals = table(Proposal)


def drafts(session: Session, shop_id: str) -> list[Template]:
    """Return what is proposed and waits for the merchant."""
    done = learning.made_of(session, shop_id).keys() | decided(session, shop_id)
    return [TEMPLATES[key] for key in PROPOSED if key not in done]


def discarded(session: Session, shop_id: str) -> list[Template]:
    """Return what was proposed and is no segment, by the merchant's decision."""
    gone = decided(session, shop_id) - learning.made_of(session, shop_id).keys()
    return [TEMPLATES[key] for key in PROPOSED if key in gone]


def decided(session: Session, shop_id: str) -> set[str]:
    return set(session.scalars(select(proposals.c.template).where(proposals.c.shop_id == shop_id)))


def accept(session: Session, shop: Shop, template: Template, *, by: str, say: Callable[[str], str] = str) -> Segment:
    """Make a draft a segment, in rehearsal. Errors as of `learning.add`."""
    segment = learning.add(session, shop, template, by=by, say=say)
    decide(session, shop.shop_id, [template], by=by)
    return segment


def discard(session: Session, shop_id: str, templates: Sequence[Template], *, by: str) -> None:
    """Propose these no longer, until they are proposed again."""
    decide(session, shop_id, templates, by=by)


def propose_again(session: Session, shop_id: str, templates: Sequence[Template]) -> None:
    these = (proposals.c.shop_id == shop_id, proposals.c.template.in_([one.key for one in templates]))
    session.execute(delete(proposals).where(*these))


def decide(session: Session, shop_id: str, templates: Sequence[Template], *, by: str) -> None:
    row = {"shop_id": shop_id, "decided_at": clock.now(), "editor": by}
    upsert(session, proposals, [row | {"template": one.key} for one in templates if one.key in PROPOSED])
