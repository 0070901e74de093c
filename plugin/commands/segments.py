"""Commands about segments: check, add, list, members, count. `why` and pins have modules of their own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlmodel import Session, col

from plugin import clock, shops
from plugin.commands import carrying, checking, keeping, over_time, pins, templates, why
from plugin.commands.base import (
    FailedError,
    Subparsers,
    WrongUseError,
    by,
    command,
    engine,
    group,
    moment_of,
    shop_option,
)
from plugin.db import reading, transaction
from plugin.insight import membership
from plugin.models.segments import Membership
from plugin.models.shops import Shop
from plugin.segments.asking import ask, predictions, relative
from plugin.segments.asking.quality import is_good
from plugin.segments.asking.rfm import FEWEST_BUYERS
from plugin.segments.asking.tally import Tally, lines, tally
from plugin.segments.kept import keep
from plugin.segments.kept.definition import RefusedError
from plugin.segments.language import shown, vocabulary
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.membership import held_back
from plugin.segments.membership.live import named_columns


def add(commands: Subparsers) -> None:
    inside = group(commands, "segments", "segments and the language they are written in")
    checking.add(inside)
    adding = command(inside, "add", add_segment, "keep a segment")
    shop_option(adding)
    adding.add_argument("name")
    adding.add_argument("query")
    adding.add_argument("--tag", help="default: the shop's prefix and the name")
    adding.add_argument("--rewards", action="store_true", help="members gain by it: nothing forgeable may let them in")
    shop_option(command(inside, "list", list_segments, "list a shop's segments with their sizes"))
    for name, run, summary in (
        ("count", count, "how many customers meet a query (none: all customers)"),
        ("members", members, "who meets a query, one customer a line: id, e-mail"),
    ):
        asking = command(inside, name, run, summary)
        shop_option(asking)
        what = asking.add_mutually_exclusive_group()
        what.add_argument("--query", help="a query of the segment language")
        what.add_argument("--segment", help="a segment as it is kept, with its pins and on its ladder: its name or id")
        asking.add_argument("--at", help="2011-12-10T12:00, in the shop's zone: nothing later is seen")
        if run is count:
            also = "of a --query: also each clause alone, and as they are added one after the other"
            asking.add_argument("--clauses", action="store_true", help=also)
    why.add(inside)
    over_time.add(inside)
    templates.add(inside)
    keeping.add(inside)
    pins.add(inside)
    carrying.add(inside)


def add_segment(given: argparse.Namespace) -> None:
    try:
        with transaction(engine()) as session:
            segment = keep.add(
                session,
                shops.by_name(session, given.shop),
                given.name,
                given.query,
                given.tag,
                rewards=given.rewards,
                by=by(),
            )
    except SegmentErrors as errors:
        raise WrongUseError(str(errors)) from errors
    except RefusedError as error:
        raise FailedError(str(error)) from error
    print(f"{segment.segment_id}\t{segment.name}\t{segment.tag}")


def list_segments(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop = shops.by_name(session, given.shop)
        sizes = select(col(Membership.segment_id), func.count()).where(col(Membership.shop_id) == shop.shop_id)
        size = dict(session.execute(sizes.group_by(col(Membership.segment_id))).all())
        words = vocabulary.of(session, shop)
        for one in keep.all_of(session, shop.shop_id):
            state = "on" if one.enabled else "off"
            members, query = size.get(one.segment_id, 0), shown(one.query, words)
            print(f"{one.segment_id}\t{one.name}\t{members}\t{state}\t{one.tag}\t{query}")


def count(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop, at = asked(session, given)
        if given.segment:
            print(sum(1 for _ in kept(session, shop, given, at)))
            return
        try:
            if given.clauses and given.query:
                by_clause(tally(session, shop, given.query, at))
            else:
                print(ask.count(session, shop, given.query, at))
        except SegmentErrors as errors:
            raise WrongUseError(str(errors)) from errors
        warn(session, shop, given, at)


def by_clause(found: Tally) -> None:
    """Print how many there are and who meets the whole, then each part: alone, so far, the part."""
    print(found.whole.alone)
    print(f"everybody\t{found.everybody}")
    for line in lines(found.whole):
        print(f"{line.alone}\t{line.so_far}\t{'  ' * line.depth}{(line.joint or 'inside not').upper()} {line.text}")


def members(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop, at = asked(session, given)
        if given.segment:
            for row in kept(session, shop, given, at):
                print(f"{row.customer_id}\t{row.email or ''}")
            return
        try:
            for person in ask.members(session, shop, given.query, at):
                print(f"{person.customer_id}\t{person.email or ''}")
        except SegmentErrors as errors:
            raise WrongUseError(str(errors)) from errors
        warn(session, shop, given, at)


def kept(session: Session, shop: Shop, given: argparse.Namespace, at: datetime | None) -> Iterator[Row[Any]]:
    """Yield who is in the segment that is named as it is kept, or was at a moment."""
    segment = keep.by_name(session, shop.shop_id, given.segment)
    if segment is None:
        raise FailedError(f"there is no segment called {given.segment!r}")
    return membership.at(session, shop.shop_id, segment.segment_id, at)


def asked(session: Session, given: argparse.Namespace) -> tuple[Shop, datetime | None]:
    """Return the shop that is named and the moment that is asked about; None: now."""
    shop = shops.by_name(session, given.shop)
    return shop, moment_of(given.at, shop)


def warn(session: Session, shop: Shop, given: argparse.Namespace, at: datetime | None) -> None:
    """Say what the answer is not worth as much for as it looks."""
    words = vocabulary.of(session, shop)
    named = named_columns(given.query or "", words)
    if relative.asked(named) and (buyers := ask.buyers(session, shop, at)) < FEWEST_BUYERS:
        few = f"scores among {buyers} buyers say little; segments have none below {FEWEST_BUYERS}"
        print(f"tagsmith: {few}", file=sys.stderr)
    if not named.isdisjoint(predictions.NAMES):
        _, quality = predictions.judged(session, shop, at or clock.now())
        if quality is not None and not is_good(quality):
            print(f"tagsmith: predictions are held back: {held_back.reason(quality)}", file=sys.stderr)
