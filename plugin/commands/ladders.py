"""Commands about ladders, and groups of segments that exclude each other: ladders add, set, list, remove."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from sqlmodel import Session

from plugin import shops
from plugin.commands.base import FailedError, Subparsers, command, engine, group, shop_option
from plugin.db import reading, transaction
from plugin.models.shops import Shop
from plugin.models.structures import Ladder
from plugin.segments.kept import keep
from plugin.segments.kept.definition import RefusedError
from plugin.segments.membership import ladders
from plugin.segments.membership.ladders import Plan
from plugin.segments.membership.levels import levels_of


def add(commands: Subparsers) -> None:
    inside = group(commands, "ladders", "segments of which a customer is in one at most: the highest that is met")
    adding = command(inside, "add", add_ladder, "make segments the levels of a ladder, or a group without patience")
    shop_option(adding)
    adding.add_argument("name")
    adding.add_argument("levels", nargs="+", metavar="segment", help="from the lowest to the highest: names or ids")
    adding.add_argument("--grace", type=int, default=0, help="days from when a level was last met to its loss")
    adding.add_argument("--stay", type=int, default=0, help="days for which a level is kept at least")
    setting = command(inside, "set", set_ladder, "change a ladder; what is not given stays")
    shop_option(setting)
    setting.add_argument("ladder", help="its name or id")
    setting.add_argument("levels", nargs="*", metavar="segment", help="from the lowest to the highest")
    setting.add_argument("--name")
    setting.add_argument("--grace", type=int)
    setting.add_argument("--stay", type=int)
    shop_option(command(inside, "list", list_ladders, "list a shop's ladders with their levels, the lowest first"))
    removing = command(inside, "remove", remove_ladder, "let a ladder's segments be by themselves again")
    shop_option(removing)
    removing.add_argument("ladder", help="its name or id")


def add_ladder(given: argparse.Namespace) -> None:
    try:
        with transaction(engine()) as session:
            shop = shops.by_name(session, given.shop)
            wanted = Plan(given.name, segments(session, shop, given.levels), given.grace, given.stay)
            made = told(session, ladders.add(session, shop, wanted))
    except RefusedError as error:
        raise FailedError(str(error)) from error
    print(made)


def set_ladder(given: argparse.Namespace) -> None:
    try:
        with transaction(engine()) as session:
            shop = shops.by_name(session, given.shop)
            ladder = named(session, shop, given.ladder)
            now = ladders.plan_of(session, ladder)
            wanted = Plan(
                given.name or now.name,
                segments(session, shop, given.levels) or now.levels,
                now.grace_days if given.grace is None else given.grace,
                now.stay_days if given.stay is None else given.stay,
            )
            changed = told(session, ladders.edit(session, shop, ladder.ladder_id, wanted))
    except RefusedError as error:
        raise FailedError(str(error)) from error
    print(changed)


def list_ladders(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        for one, _ in ladders.all_of(session, shops.by_name(session, given.shop).shop_id):
            print(told(session, one))


def remove_ladder(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        shop = shops.by_name(session, given.shop)
        ladder = named(session, shop, given.ladder)
        removed = f"{ladder.ladder_id}\t{ladder.name}\tremoved"
        ladders.remove(session, shop, ladder.ladder_id)
    print(removed)


def told(session: Session, ladder: Ladder) -> str:
    """Return a ladder as a line: id, name, grace and stay in days, levels from the lowest."""
    levels = ", ".join(one.name for one in levels_of(session, ladder.shop_id, ladder.ladder_id))
    return f"{ladder.ladder_id}\t{ladder.name}\tgrace {ladder.grace_days}\tstay {ladder.stay_days}\t{levels}"


def named(session: Session, shop: Shop, name: str) -> Ladder:
    found = ladders.by_name(session, shop.shop_id, name)
    if found is None:
        raise FailedError(f"there is no ladder called {name!r}")
    return found


def segments(session: Session, shop: Shop, names: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the segments that are named."""
    found = [keep.by_name(session, shop.shop_id, name) for name in names]
    if unknown := [name for name, one in zip(names, found, strict=True) if one is None]:
        raise FailedError(f"there is no segment called {unknown[0]!r}")
    return tuple(one.segment_id for one in found if one)
