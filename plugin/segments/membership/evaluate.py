"""Some customers' figures brought up to date, and which segments they meet: all segments in one pass.

Both statements are kept, since building them costs more than running them: they differ by the segments' texts and the
day alone.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, case, delete, literal, or_, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from plugin import dates
from plugin.db import Keys, among, inserting, table
from plugin.models.segments import CustomerStats
from plugin.models.shops import Shop
from plugin.segments.asking import figures
from plugin.segments.asking.compiler import Scope, condition
from plugin.segments.asking.moments import Moment
from plugin.segments.asking.rfm import FEWEST_BUYERS
from plugin.segments.language.vocabulary import Vocabulary
from plugin.segments.membership.live import Live, fail, named_columns, tree_of

log = logging.getLogger(__name__)

stats = table(CustomerStats)

KEY = ("shop_id", "customer_id")
KEPT = frozenset(stats.c.keys())
ALWAYS = frozenset({"orders", "spent_minor"})  # cannot be missing
INDEXED = frozenset({"added_at", "abandoned_at"})

Pair = tuple[str, str]
"""A segment's id and a customer's."""


def refresh(session: Session, shop: Shop, live: Sequence[Live], now: datetime, customer_ids: Sequence[str]) -> set[str]:
    """Work out customers' figures anew, those that a live segment names; scores stay those of the last midnight.

    Return who of them is a customer at all.
    """
    named = frozenset(name for one in live if one.tree is not None for name in named_columns(one.query, one.words))
    needed = named & KEPT
    statements = refreshing(session.get_bind().dialect.name, shop.paid_orders_only, needed)
    bound = figures.parameters(shop.shop_id, now, customer_ids)
    present = set(session.scalars(statements[0], bound))
    for statement in statements[1:]:
        session.execute(statement, bound)
    gone = sorted(set(customer_ids).difference(present))
    if gone:
        of_gone = among(stats.c.customer_id, literal(gone, Keys()))
        session.execute(delete(stats).where(stats.c.shop_id == shop.shop_id, of_gone))
    return present


@lru_cache(maxsize=64)
def refreshing(dialect: str, paid_orders_only: bool, needed: frozenset[str]) -> Sequence[Any]:
    """Return the statement that writes figures, and one for those with an index, written only if they differ."""
    asked = figures.Asked(paid_orders_only, some=True)
    statements = [writing(dialect, figures.figures(asked, needed - INDEXED | ALWAYS)).returning(stats.c.customer_id)]
    if indexed := needed & INDEXED:
        # what is inserted must be a whole row, though there is one already
        whole = (literal(0).label(name) for name in sorted(ALWAYS))
        statements.append(writing(dialect, figures.figures(asked, indexed).add_columns(*whole), indexed))
    return statements


def writing(dialect: str, worked_out: Select[Any], differing: Collection[str] = ()) -> Any:
    """Return the upsert of figures; of a row that is there, only `differing` columns are written, if they differ."""
    names = [column.name for column in worked_out.selected_columns]
    write = inserting(dialect, stats).from_select(names, worked_out)
    over = sorted(differing or set(names) - set(KEY))
    return write.on_conflict_do_update(
        index_elements=KEY,
        set_={name: write.excluded[name] for name in over},
        where=or_(*(stats.c[name].is_distinct_from(write.excluded[name]) for name in over)) if differing else None,
    )


def evaluate(
    session: Session, shop: Shop, live: Sequence[Live], now: datetime, customer_ids: Sequence[str]
) -> tuple[set[str], set[Pair]]:
    """Return which segments could be evaluated, and who of the customers meets them. The others have failed."""
    readable = [one for one in live if one.tree is not None]
    try:
        with session.begin_nested():
            return {one.segment_id for one in readable}, ask(session, shop, readable, now, customer_ids)
    except DBAPIError:
        log.warning("the segments of shop %s are evaluated one by one", shop.shop_id)
    evaluated: set[str] = set()
    met: set[Pair] = set()
    for one in readable:
        try:
            with session.begin_nested():
                met |= ask(session, shop, [one], now, customer_ids)
            evaluated.add(one.segment_id)
        except DBAPIError as error:
            fail(session, shop.shop_id, one.segment_id, type(error).__name__)
    return evaluated, met


def ask(session: Session, shop: Shop, live: Sequence[Live], now: datetime, customer_ids: Sequence[str]) -> set[Pair]:
    if not live:
        return set()
    statement = asking(
        tuple(one.query for one in live),
        live[0].words,
        figures.Asked(shop.paid_orders_only, some=True),
        shop.currency,
        dates.today(now, shop.zone),
        shop.zone,
        shop.scored_buyers >= FEWEST_BUYERS,
    )
    rows = session.execute(statement, figures.parameters(shop.shop_id, now, customer_ids)).all()
    return {(one.segment_id, row[0]) for index, one in enumerate(live, 1) for row in rows if row[index]}


@lru_cache(maxsize=64)
def asking(
    queries: Sequence[str],
    words: Vocabulary,
    asked: figures.Asked,
    currency: str,
    today: date,
    zone: str,
    enough_buyers: bool,
) -> Select[Any]:
    """Return what finds each customer's verdicts, one column a query."""
    scope = Scope(asked, currency, Moment(dates.day_start(today, zone), zone), stats.c, enough_buyers)
    answers = [
        case((condition(tree_of(query, words), scope), 1), else_=0).label(f"s{n}") for n, query in enumerate(queries)
    ]
    chosen = (stats.c.shop_id == figures.SHOP, asked.concerns(stats.c.customer_id))
    return select(stats.c.customer_id, *answers).where(*chosen)
