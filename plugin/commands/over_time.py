"""Commands about segments at other moments and beside each other: days, forecast, backtest, overlap."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from plugin import shops
from plugin.commands.base import FailedError, Subparsers, WrongUseError, command, engine, moment_of, shop_option
from plugin.db import reading
from plugin.insight import days, overlap
from plugin.insight.backtest import Since, backtest
from plugin.insight.forecast import forecast
from plugin.segments.kept import keep
from plugin.segments.language.errors import SegmentErrors


def add(inside: Subparsers) -> None:
    listing = command(inside, "days", list_days, "a segment day by day: day, members, entered, left, how it is known")
    shop_option(listing)
    listing.add_argument("name", help="the segment's name or id")
    for name, run, summary in (
        ("forecast", ahead, "how many enter and leave in 7 and 28 days by time alone; prints JSON"),
        ("backtest", test, "who would have met a query, and what they bought since, against the others; prints JSON"),
    ):
        made = command(inside, name, run, summary)
        shop_option(made)
        made.add_argument("query", help="a query of the segment language")
        if run is test:
            made.add_argument("--at", required=True, help="2011-12-10T12:00, in the shop's zone")
    comparing = command(inside, "overlap", compare, "segments against each other: customers in both, shares, Jaccard")
    shop_option(comparing)
    comparing.add_argument("names", nargs="*", help="default: all, those pairs left out that have nobody in common")


def list_days(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop = shops.by_name(session, given.shop)
        segment = keep.by_name(session, shop.shop_id, given.name)
        if segment is None:
            raise FailedError(f"there is no segment {given.name}")
        for row in days.history(session, shop, segment.segment_id):
            print(row.day_on, row.size, row.entered, row.left, row.known, sep="\t")


def ahead(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop = shops.by_name(session, given.shop)
        try:
            found = forecast(session, shop, given.query)
        except SegmentErrors as error:
            raise WrongUseError(str(error)) from error
    print(json.dumps([{**asdict(one), "at": one.at.isoformat()} for one in found]))


def test(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop = shops.by_name(session, given.shop)
        at = moment_of(given.at, shop)
        assert at is not None
        try:
            found = backtest(session, shop, given.query, at)
        except SegmentErrors as error:
            raise WrongUseError(str(error)) from error
    said = {"members": told(found.members), "others": told(found.others), "currency": shop.currency}
    print(json.dumps({"at": found.at.isoformat(), "until": found.until.isoformat()} | said))


def told(group: Since) -> dict[str, Any]:
    return {**asdict(group), "conversion": group.conversion, "per_head_minor": group.per_head_minor}


def compare(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop = shops.by_name(session, given.shop)
        found = [keep.by_name(session, shop.shop_id, name) for name in given.names]
        if None in found:
            raise FailedError(f"there is no segment {given.names[found.index(None)]}")
        chosen = [one for one in found if one] or keep.all_of(session, shop.shop_id)
        pairs = overlap.pairs(session, shop.shop_id, chosen)
        for pair in (one for one in pairs if one.both or given.names):
            shares = (f"{share:.4f}" for share in (pair.share_of_one, pair.share_of_other, pair.jaccard))
            print(pair.one.name, pair.other.name, pair.both, *shares, sep="\t")
        if not given.names and (apart := sum(not pair.both for pair in pairs)):
            print(f"tagsmith: {apart} more pairs have nobody in common", file=sys.stderr)
