"""Numbers that add up over a shop's customers: asked of all at once, or of some thousands after the others.

About now, figures are read as they are kept, and worked out of those customers alone whose are behind; about any other
moment they are worked out of everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.sql.selectable import FromClause, Select
from sqlmodel import Session

from plugin.models.shops import Shop
from plugin.segments.asking import figures, kept, relative, rfm
from plugin.segments.asking.compiler import Scope, columns_of, filtering, leaves, named_by
from plugin.segments.asking.figures import Asked
from plugin.segments.asking.kept import Span, stats
from plugin.segments.asking.moments import Moment
from plugin.segments.language.schema import Function
from plugin.segments.language.tree import Matches, Node
from plugin.segments.language.vocabulary import Vocabulary
from plugin.segments.membership import present

SPAN = 5000  # customers: some tenths of a second, by what is asked of them
LAST = "\U0010ffff"  # behind every id
FEW = 1000  # who are behind: setting right so many costs less than working out everybody

Numbers = Callable[[Scope], Select[Any]]
"""Of what a query is asked of, the statement of one row of numbers that add up over customers."""


@dataclass(frozen=True)
class Ground:
    """A query, with others written out, and when it is asked. `read`: the figures that may be read as they are kept;
    None: all are worked out."""

    shop: Shop
    now: datetime
    tree: Node
    read: frozenset[str] | None

    @property
    def named(self) -> set[str]:
        named = named_by(self.tree)
        return named.union(rfm.SCORES, ("orders",)) if "rfm_group" in named else named

    @property
    def whole(self) -> bool:
        """Whether everybody must be known before anything can be said of anybody."""
        return self.read is None and relative.needed(self.named)

    @property
    def plain(self) -> bool:
        """Whether all that is asked is read: no function, nothing looked up or worked out."""
        of_rows = (
            isinstance(one, Matches) or isinstance(getattr(one, "field", None), Function) for one in leaves(self.tree)
        )
        return self.read is not None and self.named <= self.read | {"rfm_group"} and not any(of_rows)


def ground(session: Session, shop: Shop, tree: Node, words: Vocabulary, at: datetime | None) -> Ground:
    """Return on what a query is asked: as of a moment by what had happened, None: of now, by what is kept."""
    if at is not None:
        return Ground(shop, at, tree, None)
    now = present.moment(shop)
    found = Ground(shop, now, tree, kept.up_to_date(session, shop, words, now) or None)
    missing = found.named.difference(found.read or ())
    return replace(found, read=None) if relative.needed(missing - {"rfm_group"}) else found


def as_kept(ground: Ground, asked: Asked) -> Scope:
    """Ask customers by their figures as they are kept; those that no segment names are worked out beside them."""
    read = ground.read or frozenset()
    missing = (ground.named & kept.KEPT) - read
    return (
        beside(ground, asked, missing, ground.named & read)
        if missing
        else scope(ground, asked, of_stats(ground, asked))
    )


def as_told(session: Session, ground: Ground, asked: Asked, after: str = "") -> Scope:
    """Ask customers by what has happened up to the moment. Ranks are read where others are, else worked out.

    With `after`, those behind that one are asked, of whom the others say what their ranks are.
    """
    if ground.read is not None:
        return beside(ground, asked, ground.named.difference(relative.KEPT), ground.named.intersection(relative.KEPT))
    named = columns_of(ground.tree)
    people = relative.completed(session, ground.shop, figures.figures(asked, named), named, ground.now)
    if after:
        people = select(*people.c).where(people.c.customer_id > after).cte("rest")
    return scope(ground, asked, people)


def scope(ground: Ground, asked: Asked, people: FromClause) -> Scope:
    moment = Moment(ground.now, ground.shop.zone)
    return Scope(asked, ground.shop.currency, moment, people.c, enough_buyers=True)


def of_stats(ground: Ground, asked: Asked) -> FromClause:
    own = (stats.c.shop_id == figures.SHOP, asked.concerns(stats.c.customer_id))
    read = sorted(ground.named & (ground.read or frozenset()))
    return select(stats.c.customer_id, *(stats.c[name] for name in read)).where(*own).cte("people")


def beside(ground: Ground, asked: Asked, worked_out: Collection[str], read: Collection[str]) -> Scope:
    """Ask customers by figures that are worked out, and by others that are read."""
    told = figures.figures(asked, worked_out).cte("told")
    same = and_(stats.c.shop_id == figures.SHOP, stats.c.customer_id == told.c.customer_id)
    columns = (*told.c, *(stats.c[name] for name in sorted(read)))
    return scope(
        ground, asked, select(*columns).select_from(told.outerjoin(stats, same) if read else told).cte("people")
    )


def whoever(session: Session, ground: Ground) -> set[str]:
    """Return who meets a query as it is, as a run would find it, references included; and whoever is behind.

    They are to be looked at one by one: nobody who meets it is left out.
    """
    asked, late = Asked(ground.shop.paid_orders_only), []
    if ground.read is not None:
        late = kept.behind(session, ground.shop.shop_id, ground.now, None, FEW)
    plainly = ground.read is not None and len(late) < FEW
    people = as_kept(ground, asked) if plainly else as_told(session, ground, asked)
    met = select(people.figures.customer_id).where(filtering(ground.tree, people))
    return {*session.scalars(met, figures.parameters(ground.shop.shop_id, ground.now)), *(late if plainly else ())}


@dataclass(frozen=True)
class Part:
    """The numbers of some customers, and after whom to go on: None after the last."""

    numbers: tuple[int, ...]
    after: str | None = None


def parts(session: Session, ground: Ground, numbers: Numbers, after: str = "") -> Iterator[Part]:
    """Yield the numbers of one span of customers after the other, in the order of their ids.

    Everybody is one part where that is quick, or where it cannot be otherwise: then so is who is left after one, whose
    predecessors may have been counted before it was so.
    """
    asking = Asking(session, ground, numbers, after if ground.whole else "")
    at_once = ground.plain and not after
    late = asking.behind(None) if at_once else []
    if ground.whole or (at_once and len(late) < FEW):
        yield Part(asking.together(None, late))
        return
    for span in spans(session, ground.shop.shop_id, after):
        yield Part(asking.together(span, asking.behind(span)), span.until if span.until != LAST else None)


def total(found: Iterable[Part]) -> tuple[int, ...]:
    """Return the numbers of all parts together."""
    return tuple(map(sum, zip(*(part.numbers for part in found), strict=True)))


class Asking:
    """Numbers being asked for. Each statement is built once: that costs more than many a span."""

    def __init__(self, session: Session, ground: Ground, numbers: Numbers, after: str = "") -> None:
        self.session, self.ground = session, ground
        self.as_kept = cache(lambda asked: numbers(as_kept(ground, asked)))
        self.as_told = cache(lambda asked: numbers(as_told(session, ground, asked, after)))

    def behind(self, span: Span | None) -> list[str]:
        """Return who is behind, of everybody or of a span: nobody where all figures are worked out."""
        if self.ground.read is None:
            return []
        return kept.behind(self.session, self.ground.shop.shop_id, self.ground.now, span, FEW)

    def together(self, span: Span | None, late: Sequence[str]) -> tuple[int, ...]:
        """Return the numbers of everybody, or of a span.

        As kept, those of customers who are behind replaced by what is true of them; with many such all are worked out.
        """
        these = Asked(self.ground.shop.paid_orders_only, span=span is not None)
        if self.ground.read is None or len(late) == FEW:
            return self.row(self.as_told(these), span)
        found = self.row(self.as_kept(these), span)
        if not late:
            return found
        some = replace(these, some=True, span=False)
        wrong, right = self.row(self.as_kept(some), late=late), self.row(self.as_told(some), late=late)
        return tuple(all_ - out + in_ for all_, out, in_ in zip(found, wrong, right, strict=True))

    def row(self, statement: Select[Any], span: Span | None = None, late: Sequence[str] = ()) -> tuple[int, ...]:
        bound = figures.parameters(self.ground.shop.shop_id, self.ground.now, late) | (span._asdict() if span else {})
        return tuple(int(number or 0) for number in self.session.execute(statement, bound).one())


def spans(session: Session, shop_id: str, after: str) -> Iterator[Span]:
    """Yield all customers after one, span by span."""
    customers = figures.customers
    rest = select(customers.c.customer_id).where(customers.c.shop_id == shop_id).order_by(customers.c.customer_id)
    more = True
    while more:
        until = session.scalar(rest.where(customers.c.customer_id > after).offset(SPAN - 1).limit(1))
        more = until is not None
        yield Span(after, until or LAST)
        after = until or LAST
