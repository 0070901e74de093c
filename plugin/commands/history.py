"""Commands about a shop's past and its tags: import-orders, import-attributes, recompute, push."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sqlalchemy import Engine, select

from plugin import attribute_imports, backfill, imports, lanes, shops
from plugin.attributes.kinds import KINDS
from plugin.commands.base import FailedError, Subparsers, WrongUseError, command, engine, shop_option
from plugin.db import reading, table, transaction
from plugin.models.lanes import Lane
from plugin.segments.membership import live
from plugin.tagging import destinations, rehearsal
from plugin.worker import work_all


def add(commands: Subparsers) -> None:
    importing = command(commands, "import-orders", import_orders, "bring in Shopify's order export, CSV or CSV in gzip")
    importing.add_argument("file", type=Path)
    shop_option(importing)
    attributes = command(
        commands, "import-attributes", import_attributes, "bring in attributes of customers from a CSV file"
    )
    attributes.add_argument("file", type=Path)
    shop_option(attributes)
    attributes.add_argument("--dry-run", action="store_true", help="say what would come of it, and keep nothing")
    attributes.add_argument(
        "--type", action="append", default=[], metavar="KEY=KIND", help=f"of a new attribute: {', '.join(KINDS)}"
    )
    filling = command(commands, "backfill", fill, "read a shop's past from its platform, also once more")
    filling.add_argument("shop", help="the shop's id, domain or name")
    computing = command(commands, "recompute", recompute, "bring memberships up to date now")
    shop_option(computing)
    computing.add_argument("--full", action="store_true", help="evaluate every customer, from nothing")
    pushing = command(commands, "push", push, "write the tags that are due now")
    shop_option(pushing)
    pushing.add_argument("--rehearse", action="store_true", help="say what would be written, and write nothing")


def import_orders(given: argparse.Namespace) -> int:
    database = engine()
    with reading(database) as session:
        shop_id = shops.by_name(session, given.shop).shop_id
    progress = imports.import_orders(database, shop_id, given.file, tell)
    print(file=sys.stderr)
    for fault in progress.faults:
        print(f"line {fault.line}: {fault.reason}", file=sys.stderr)
    came = f"{progress.orders} orders, {progress.new} of them new, {progress.lines} lines"
    print(f"{came}, {len(progress.faults)} rows left out")
    return 0


def import_attributes(given: argparse.Namespace) -> int:
    database = engine()
    types = dict(one.partition("=")[::2] for one in given.type)
    if wrong := [kind for kind in types.values() if kind not in KINDS]:
        raise WrongUseError(f"there is no kind {wrong[0]!r}; there are {', '.join(KINDS)}")
    with reading(database) as session:
        shop_id = shops.by_name(session, given.shop).shop_id
    with imports.text(given.file) as file:
        progress = attribute_imports.import_attributes(
            database, shop_id, file, types, rehearse=given.dry_run, tell=tell_rows
        )
    print(file=sys.stderr)
    for fault in progress.faults:
        print(f"line {fault.line}: {fault.reason}", file=sys.stderr)
    for key, kind in sorted(progress.defined.items()):
        print(f"new: {key} ({kind})")
    came = f"{progress.rows} rows: {progress.stored} values {'would be ' if given.dry_run else ''}kept"
    strangers = f"{progress.unknown} rows of nobody who is a customer yet"
    print(f"{came}, {progress.same} the same as before, {len(progress.faults)} left out; {strangers}")
    return 0


def tell_rows(progress: attribute_imports.Progress) -> None:
    print(f"\r{progress.rows} rows", end="", file=sys.stderr, flush=True)


def tell(progress: imports.Progress) -> None:
    print(f"\r{progress.orders} orders, {progress.lines} lines", end="", file=sys.stderr, flush=True)


def fill(given: argparse.Namespace) -> None:
    """Have the worker read the past; what is there already stays."""
    with transaction(engine()) as session:
        shop_id = shops.by_name(session, given.shop).shop_id
        stores = [one for one in shops.connections(session, shop_id, "store") if one.state == "active"]
        begun = [one for one in stores if backfill.again(session, shop_id, one.connection_id)]
    if not begun:
        raise FailedError("no store is connected whose past can be read")
    print("begun: the worker reads it; the page of connections says how far it is")


def recompute(given: argparse.Namespace) -> None:
    database = engine()
    with transaction(database) as session:
        shop_id = shops.by_name(session, given.shop).shop_id
        if given.full:
            live.ask_anew(session, shop_id, "again")
        lanes.poke(session, shop_id, "scores")
        lanes.poke(session, shop_id, "recompute")
    work_of(database, shop_id, "inbox", "scores", "recompute")
    print("everybody was evaluated anew" if given.full else "memberships are up to date")


def push(given: argparse.Namespace) -> None:
    database = engine()
    with reading(database) as session:
        shop_id = shops.by_name(session, given.shop).shop_id
        connections = [shops.opened(one) for one in shops.connections(session, shop_id) if one.state == "active"]
    if given.rehearse:
        for opened in connections:
            with reading(database) as session:
                try:
                    print(f"{opened.platform}: {rehearsal.rehearse(session, opened).summary()}")
                except destinations.HistoryIncompleteError as error:
                    raise FailedError(str(error)) from error
        return
    with transaction(database) as session:
        for opened in connections:
            lanes.poke(session, shop_id, f"sync:{opened.connection_id}")
    work_of(database, shop_id, "sync")
    print("the tags that were due are written")


def work_of(database: Engine, shop_id: str, *kinds: str) -> None:
    """Work a shop's lanes of these kinds until none is due. FailedError: what one of them stumbled over."""
    work_all(database, lambda shop, kind: shop == shop_id and kind.partition(":")[0] in kinds)
    lanes_of = table(Lane)
    with reading(database) as session:
        found = select(lanes_of.c.kind, lanes_of.c.error).where(
            lanes_of.c.shop_id == shop_id, lanes_of.c.error.is_not(None)
        )
        stumbled = [f"{kind}: {error}" for kind, error in session.execute(found) if kind.partition(":")[0] in kinds]
    if stumbled:
        raise FailedError("; ".join(stumbled))
