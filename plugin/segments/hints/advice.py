"""What is worth knowing of a query in one shop: beside what it tells alone, by the shop's segments, tags and orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlmodel import Session

from connectors.phrases import phrase
from plugin import shops
from plugin.db import fold, holds, table
from plugin.models.commerce import Order, ProductVersion, TagChange
from plugin.models.segments import Membership, Segment
from plugin.models.shops import Shop
from plugin.models.tagging import Destination
from plugin.segments import hints
from plugin.segments.asking import ask, figures
from plugin.segments.asking.compiler import leaves
from plugin.segments.asking.moments import Moment
from plugin.segments.hints import Advice, Hint, Other
from plugin.segments.language import vocabulary
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.language.fields import FIELDS
from plugin.segments.language.printing import canonical
from plugin.segments.language.schema import Type
from plugin.segments.language.tree import And, Compare, Condition, Contains, In, Matches, Node, Span, Text
from plugin.segments.membership.live import tree_of
from plugin.tagging import ledger

CONSENT = "email_subscription_status"
SUBSCRIBED = Compare(FIELDS[CONSENT], "=", Text("SUBSCRIBED"))
TAGS = "customer_tags"

segments = table(Segment)
memberships = table(Membership)
destinations = table(Destination)
orders = table(Order)
tag_changes = table(TagChange)
products = table(ProductVersion)


def in_shop(session: Session, shop: Shop, tree: Node, now: datetime, segment_id: str | None = None) -> list[Advice]:
    """Return all hints for a query, as of a moment; of the segment that it is or is to be, if it is kept already."""
    at = Moment(now, shop.zone)
    beside = list(others(session, shop, segment_id))
    return [
        *hints.of_tree(tree, at),
        *hints.within(tree, beside, at),
        *without_consent(session, shop, tree, beside, segment_id),
        *foreign_money(session, shop, tree),
        *unwritten_tags(session, shop, tree),
    ]


def others(session: Session, shop: Shop, segment_id: str | None) -> Iterator[Other]:
    """Yield the shop's other segments, those aside that cannot be read at present."""
    words = vocabulary.of(session, shop)
    kept = select(segments).where(segments.c.shop_id == shop.shop_id).order_by(segments.c.name)
    for row in session.execute(kept).all():
        if row.segment_id != segment_id:
            try:
                yield Other(row.segment_id, row.name, tree_of(row.query, words))
            except SegmentErrors:
                continue


def without_consent(
    session: Session, shop: Shop, tree: Node, beside: Iterable[Other], segment_id: str | None
) -> Iterator[Advice]:
    """Yield where nothing asks for consent. A segment is for marketing when its tag goes to an e-mail platform.

    One that is not kept yet will go to all that there are.
    """
    to = {one.connection_id for one in shops.connections(session, shop.shop_id, "email") if one.state != "gone"}
    if segment_id is not None:
        theirs = (destinations.c.shop_id == shop.shop_id, destinations.c.segment_id == segment_id)
        to &= set(session.scalars(select(destinations.c.connection_id).where(*theirs)))
    if to and CONSENT not in named(tree, {one.segment_id: one.tree for one in beside}):
        message = phrase(
            "Its tag goes to an e-mail platform, and nothing asks for consent: add %(consent)s = 'SUBSCRIBED'",
            consent=CONSENT,
        )
        asked = canonical(And((tree, SUBSCRIBED)))
        yield Advice(Hint.WITHOUT_CONSENT, message, (hints.place(tree),), asked)


def named(tree: Node, trees: Mapping[str, Node]) -> set[str]:
    """Return what a query names, also by way of the segments that it refers to, which never refer in a circle."""
    found = hints.names(tree)
    return found.union(*(named(trees[name], trees) for name in found & trees.keys()))


def foreign_money(session: Session, shop: Shop, tree: Node) -> Iterator[Advice]:
    """Yield where amounts are compared, in a shop with orders of which no amount in its currency is known."""
    places = tuple(money(tree))
    counted = (orders.c.shop_id == shop.shop_id, orders.c.counts, orders.c.deleted_at.is_(None))
    if places and session.scalar(select(exists().where(*counted, orders.c.amount_minor.is_(None)))):
        message = phrase(
            "Some orders are in another currency than %(currency)s, and left out of every amount",
            currency=shop.currency,
        )
        yield Advice(Hint.MONEY_ACROSS_CURRENCIES, message, places)


def money(tree: Node) -> Iterator[Span]:
    for leaf in leaves(tree):
        for clause in leaf.conditions if isinstance(leaf, Matches) else (leaf,):
            if getattr(getattr(clause, "field", None), "type", None) is Type.MONEY:
                yield clause.span


def unwritten_tags(session: Session, shop: Shop, tree: Node) -> Iterator[Advice]:
    """Yield where a tag is asked for that no customer or product ever had, or that is ours and left out."""
    mine = tag_changes.c.shop_id == shop.shop_id
    for tag, place in asked_tags(tree, of_products=False):
        if ledger.owned(session, shop.shop_id, [fold(tag)]):
            message = phrase(
                "%(tag)s is the tag of a segment, and %(tags)s leaves those out: ask for that segment's conditions",
                tag=tag,
                tags=TAGS,
            )
            yield Advice(Hint.TAG_NOBODY_WRITES, message, (place,))
        elif not there(session, mine, tag_changes.c.folded == fold(tag), tag_changes.c.added):
            yield Advice(Hint.TAG_NOBODY_WRITES, phrase("No customer ever had the tag %(tag)s", tag=tag), (place,))
    for tag, place in asked_tags(tree, of_products=True):
        if not there(session, products.c.shop_id == shop.shop_id, holds(products.c.tags, fold(tag))):
            yield Advice(Hint.TAG_NOBODY_WRITES, phrase("No product ever had the tag %(tag)s", tag=tag), (place,))


def asked_tags(tree: Node, *, of_products: bool) -> Iterator[tuple[str, Span]]:
    for leaf in leaves(tree):
        if isinstance(leaf, Contains) and leaf.field.name == TAGS and not of_products:
            yield leaf.value.value, leaf.span
        for one in leaf.conditions if isinstance(leaf, Matches) and of_products else ():
            if one.field.type is Type.MEMBER:
                yield from ((text, one.span) for text in texts(one))


def texts(condition: Condition) -> list[str]:
    match condition:
        case In(values=values):
            return [one.value for one in values]
        case Compare(value=Text(text)):
            return [text]
        case _:
            return []


def there(session: Session, *conditions: ColumnElement[bool]) -> bool:
    return bool(session.scalar(select(exists().where(*conditions))))


def by_members(session: Session, shop: Shop, query: str, tree: Node, now: datetime) -> Iterator[Advice]:
    """Yield the segments, other than those it names, whose members include all who meet a query now."""
    met = ask.answer(session, shop, query, now).cte("met")
    bound = figures.parameters(shop.shop_id, now)
    total = session.scalar(select(func.count()).select_from(met), bound)
    theirs = (memberships.c.shop_id == shop.shop_id, memberships.c.customer_id == met.c.customer_id)
    shared = select(memberships.c.segment_id).where(*theirs).group_by(memberships.c.segment_id)
    found = set(session.scalars(shared.having(func.count() == total), bound)) - hints.names(tree) if total else set()
    names = select(segments.c.name).where(segments.c.shop_id == shop.shop_id, segments.c.segment_id.in_(found))
    for name in session.scalars(names.order_by(segments.c.name)):
        message = phrase("All who meet this now (%(total)s) are in %(name)s", total=total, name=name)
        yield Advice(Hint.SUBSET_OF_SEGMENT, message, (hints.place(tree),))
