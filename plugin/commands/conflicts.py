"""Commands about segments and tags that should not meet on a customer: conflicts add, list, remove."""

from __future__ import annotations

import argparse

from sqlmodel import Session

from plugin import shops
from plugin.commands.base import FailedError, Subparsers, by, command, engine, group, shop_option
from plugin.commands.keeping import refusing
from plugin.db import reading, transaction
from plugin.insight.conflicts import met
from plugin.models.shops import Shop
from plugin.segments.kept import conflicts
from plugin.segments.kept.conflicts import Pair


def add(commands: Subparsers) -> None:
    inside = group(commands, "conflicts", "pairs of segments and tags that should not meet on a customer")
    for name, run, summary in (
        ("add", add_pair, "say that two should not meet"),
        ("remove", remove_pair, "let two meet"),
    ):
        made = command(inside, name, run, summary)
        shop_option(made)
        for which in ("one", "other"):
            made.add_argument(which, help="a segment's name, id or tag, or a tag of the store's own: tag:wholesale")
    listing = "each pair with the customers on both sides and the contacts with both tags; those of ladders as well"
    shop_option(command(inside, "list", list_pairs, listing))


def add_pair(given: argparse.Namespace) -> None:
    with refusing(), transaction(engine()) as session:
        shop = shops.by_name(session, given.shop)
        conflicts.add(session, shop, *named(session, shop, given), by=by())


def remove_pair(given: argparse.Namespace) -> None:
    with refusing(), transaction(engine()) as session:
        shop = shops.by_name(session, given.shop)
        if not conflicts.remove(session, shop.shop_id, named(session, shop, given)):
            raise FailedError("these two are no conflict")


def list_pairs(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        for one in met(session, shops.by_name(session, given.shop)):
            contacts = "" if one.contacts is None else one.contacts
            print(one.one, one.other, one.customers, contacts, one.ladder or "", sep="\t")


def named(session: Session, shop: Shop, given: argparse.Namespace) -> Pair:
    return conflicts.pair(*(conflicts.side(session, shop, one) for one in (given.one, given.other)))
