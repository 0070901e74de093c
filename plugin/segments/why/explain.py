"""Why a customer is in a segment or not: each part of the query with what it saw, since when, and when that will end.

The query's structure is kept: a part says whether it is what decided, so that a page can point at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlmodel import Session

from plugin import clock, dates
from plugin.db import table
from plugin.models.segments import Membership, MembershipChange, Segment
from plugin.models.shops import Shop
from plugin.models.structures import Pin
from plugin.segments.asking.compiler import leaves
from plugin.segments.language import canonical, parse, vocabulary
from plugin.segments.language.tree import And, Clause, Node, Not, Or
from plugin.segments.membership import pins, references
from plugin.segments.membership.levels import ladder_of
from plugin.segments.why.ahead import Change, next_change, settled
from plugin.segments.why.coming import horizon, stages_of
from plugin.segments.why.course import of_member, of_query
from plugin.segments.why.seen import Eye, Seen, values, verdicts

changes = table(MembershipChange)

Kind = Literal["and", "or", "not", "clause"]
KINDS: Mapping[type, Kind] = {And: "and", Or: "or", Not: "not"}


@dataclass(frozen=True)
class Part:
    """A part of the query. `decides`: without it the whole could be otherwise; `clause` and what it `saw` at a leaf."""

    kind: Kind
    text: str
    verdict: bool
    decides: bool
    parts: tuple[Part, ...] = ()
    clause: Clause | None = None
    saw: Seen = None


@dataclass(frozen=True)
class Standing:
    """What the history says: a member or not, since when, and what brought it about; None where nothing is known."""

    member: bool
    since: datetime | None = None
    cause: str | None = None


@dataclass(frozen=True)
class Decision:
    """The verdict, and who has the last word about it; of a pin also what is noted with it."""

    verdict: bool
    by: Literal["query", "pin", "ladder"] = "query"
    pin: Pin | None = None


@dataclass(frozen=True)
class Explanation:
    """Why a customer is in a segment, or meets a query, at a moment.

    `standing`: of a segment alone; as computed the last time, so that it may lag behind the verdict. `next`: when the
    verdict changes if nothing happens, None if it does not up to `horizon`: now, where that cannot be foreseen, since
    the patience of a ladder has its say.
    """

    customer_id: str
    query: str
    at: datetime
    decision: Decision
    whole: Part
    standing: Standing | None
    next: Change | None
    horizon: datetime


def explain(
    session: Session, shop: Shop, asked: Segment | str, customer_id: str, at: datetime | None = None
) -> Explanation:
    """Say why a customer is in a segment or meets a query, at a moment (aware; default: now).

    A segment is asked by the scores that it uses, those of the last midnight; a query, and any moment that is given, by
    those of the moment. SegmentErrors: not a query. UnknownCustomerError: nobody of that id at that moment.
    """
    segment = asked if isinstance(asked, Segment) else None
    words = vocabulary.of(session, shop)
    tree = parse(segment.query if segment else str(asked), words)
    live = segment is not None and at is None
    if segment is not None and live:
        course = of_member(session, shop, words, segment, customer_id, clock.now())
    else:
        tree = references.written_out(tree, references.library(session, shop, words))
        course = of_query(tree)
    stages = stages_of(session, shop, course, customer_id, at, live=live)
    eye = stages[0].eye
    last = eye.at if course.patient else horizon(course, eye.at, shop.zone, live=live)
    whole = part_of(session, eye, tree)
    return Explanation(
        customer_id,
        canonical(tree),
        eye.at,
        decide(session, shop, segment if live else None, customer_id, whole.verdict),
        whole,
        standing(session, segment, customer_id, at) if segment else None,
        None if course.patient else next_change(session, course, [one for one in stages if one.eye.at < last], last),
        last,
    )


def decide(session: Session, shop: Shop, segment: Segment | None, customer_id: str, verdict: bool) -> Decision:
    """Return who has the last word: a pin, the ladder on which the segment is a level, or the query.

    Where a customer stands on a ladder is as computed the last time.
    """
    if segment is None:
        return Decision(verdict)
    this = (segment.segment_id, customer_id)
    pin = session.get(Pin, (shop.shop_id, *this))
    if pin is not None and (pin.ends_on is None or pin.ends_on >= pins.today(shop)):
        return Decision(pin.inside, "pin", pin)
    if ladder_of(session, shop.shop_id, segment.segment_id) is None:
        return Decision(verdict)
    stands = session.get(Membership, (shop.shop_id, *this)) is not None
    return Decision(stands, "query" if stands == verdict else "ladder")


def part_of(session: Session, eye: Eye, tree: Node) -> Part:
    """Return the parts of a query, each with its verdict."""
    clauses = list(dict.fromkeys(leaves(tree)))
    verdict = dict(zip(clauses, verdicts(session, eye, clauses), strict=True))
    saw = dict(zip(clauses, values(session, eye, clauses), strict=True))

    def part(node: Node, *, decides: bool) -> Part:
        own = settled(node, verdict)
        if not isinstance(node, And | Or | Not):
            return Part("clause", canonical(node), own, decides, (), node, saw[node])
        operands = (node.operand,) if isinstance(node, Not) else node.operands
        each = (part(one, decides=decides and speaks(node, settled(one, verdict), own)) for one in operands)
        return Part(KINDS[type(node)], canonical(node), own, decides, tuple(each))

    return part(tree, decides=True)


def speaks(node: And | Or | Not, operand: bool, whole: bool) -> bool:
    """Whether an operand makes the whole what it is: it says so itself, or is what NOT turns round."""
    return isinstance(node, Not) or operand == whole


def standing(session: Session, segment: Segment, customer_id: str, at: datetime | None) -> Standing:
    """Return what is known of a customer's membership, now or as of a moment."""
    own = {"shop_id": segment.shop_id, "segment_id": segment.segment_id, "customer_id": customer_id}
    if at is None and (member := session.get(Membership, tuple(own.values()))):
        return Standing(True, member.entered_at, member.cause)
    moved = select(changes).filter_by(**own).where(changes.c.changed_at <= (at or dates.LAST))
    last = session.execute(moved.order_by(changes.c.changed_at.desc(), changes.c.run.desc()).limit(1)).first()
    if last is None or (at is None and last.entered):
        return Standing(False)
    return Standing(last.entered, last.changed_at, last.cause)
