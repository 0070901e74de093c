"""Commands about customers who are always or never in a segment: segments pin, segments unpin."""

from __future__ import annotations

import argparse
from datetime import date

from sqlmodel import Session

from plugin import clock, dates, shops
from plugin.commands.base import FailedError, Subparsers, WrongUseError, command, engine, shop_option
from plugin.db import transaction
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.segments.kept import keep
from plugin.segments.membership import pins


def add(inside: Subparsers) -> None:
    pinning = command(inside, "pin", pin, "keep a customer in a segment, or out of it, whatever its query says")
    arguments(pinning)
    pinning.add_argument("--never", action="store_true", help="out of it; default: in it")
    pinning.add_argument("--until", metavar="2026-12-31", help="the last day, in the shop's zone; default: for good")
    pinning.add_argument("--reason", default="", help="shown with the pin")
    pinning.add_argument("--author", default="", help="who says so, shown with the pin")
    arguments(command(inside, "unpin", unpin, "leave a customer to the segment's query again"))


def arguments(made: argparse.ArgumentParser) -> None:
    shop_option(made)
    made.add_argument("segment", help="its name or id")
    made.add_argument("customer", help="an id or an e-mail address")


def pin(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        shop, segment, customer_id = asked(session, given)
        ends_on = day(given.until)
        if ends_on is not None and ends_on < dates.today(clock.now(), shop.zone):
            raise WrongUseError("--until is a day that has passed")
        how = {"reason": given.reason, "author": given.author, "ends_on": ends_on}
        pins.pin(session, shop, segment.segment_id, customer_id, inside=not given.never, **how)
    print(f"{customer_id}\t{'out' if given.never else 'in'}\t{segment.name}")


def unpin(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        shop, segment, customer_id = asked(session, given)
        if not pins.unpin(session, shop, segment.segment_id, customer_id):
            raise FailedError("there is no such pin")
    print(f"{customer_id}\tas its query says\t{segment.name}")


def asked(session: Session, given: argparse.Namespace) -> tuple[Shop, Segment, str]:
    """Return the shop, segment and customer that are named."""
    shop = shops.by_name(session, given.shop)
    segment = keep.by_name(session, shop.shop_id, given.segment)
    if segment is None:
        raise FailedError(f"there is no segment called {given.segment!r}")
    try:
        return shop, segment, pins.customer(session, shop, given.customer)
    except pins.NobodyError as error:
        raise FailedError(str(error)) from error


def day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise WrongUseError("--until is a day, written 2026-12-31") from error
