"""Commands about tags on platforms: tags limits, held, release, back."""

from __future__ import annotations

import argparse

from sqlmodel import Session

from plugin import shops
from plugin.commands.base import FailedError, Subparsers, WrongUseError, command, engine, group, shop_option
from plugin.commands.keeping import named, segment_argument
from plugin.db import reading, transaction
from plugin.insight import safety
from plugin.models.shops import Connection
from plugin.tagging import holding, limits, rehearsal
from plugin.tagging.limits import Limits


def add(commands: Subparsers) -> None:
    inside = group(commands, "tags", "what is written on platforms, and what is held")
    setting = command(
        inside, "limits", set_limits, "how much may change in a day before it is held; without options: say"
    )
    shop_option(setting)
    setting.add_argument("--percent", type=int, help="of a segment's members")
    setting.add_argument("--contacts", type=int, help="on one platform; held is what passes both limits")
    setting.add_argument("--email", help="who is told where nobody looks after the segment; - for nobody")
    shop_option(command(inside, "held", list_held, "what is held, why, and what taking back would undo"))
    for name, run, summary in (
        ("release", release, "say go: what is rehearsed or held is written from now on; say first what that is"),
        ("back", take_back, "take back what was written since a hold began to be counted; it stays held"),
    ):
        made = command(inside, name, run, summary)
        segment_argument(made)
        on_option(made)
        made.add_argument("--dry-run", action="store_true", help="only say what would be written")


def on_option(made: argparse.ArgumentParser) -> None:
    made.add_argument("--on", required=True, metavar="CONNECTION", help="the platform, or the connection's id")


def place(session: Session, shop_id: str, name: str) -> Connection:
    """Return the one connection of this id or platform."""
    found = [
        one
        for one in shops.connections(session, shop_id)
        if one.state != "gone" and name in (one.connection_id, one.platform)
    ]
    if len(found) != 1:
        raise WrongUseError(f"there is no single connection called {name!r}")
    return found[0]


def set_limits(given: argparse.Namespace) -> None:
    try:
        with transaction(engine()) as session:
            shop = shops.by_name(session, given.shop)
            now = limits.of(shop)
            email = now.email if given.email is None else given.email.strip("-") and given.email
            wanted = Limits(
                now.percent if given.percent is None else given.percent,
                now.contacts if given.contacts is None else given.contacts,
                email or None,
            )
            limits.change(session, shop.shop_id, wanted)
    except limits.LimitsError as error:
        raise WrongUseError(str(error)) from error
    print(f"{wanted.percent} % of the members and {wanted.contacts} contacts\t{wanted.email or ''}")


def list_held(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        for one in safety.held(session, shops.by_name(session, given.shop).shop_id):
            counted = f"+{one.hold.added} -{one.hold.removed} of {one.hold.size} since {one.hold.since_at.isoformat()}"
            print(one.segment.name, one.label, counted, told(one.back), sep="\t")


def told(back: holding.Back) -> str:
    return f"taking back: {len(back.off)} lose the tag, {len(back.on)} get it again"


def release(given: argparse.Namespace) -> None:
    try:
        with transaction(engine()) as session:
            shop, segment = named(session, given)
            connection = place(session, shop.shop_id, given.on)
            print(rehearsal.rehearse(session, shops.opened(connection), [segment.segment_id]).summary())
            if not given.dry_run:
                rehearsal.release(session, shop.shop_id, segment.segment_id, connection.connection_id)
    except (rehearsal.HistoryIncompleteError, LookupError) as error:
        raise FailedError(str(error)) from error
    print("nothing was changed: this was a dry run" if given.dry_run else f"{segment.name} is live on {given.on}")


def take_back(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        shop, segment = named(session, given)
        connection = place(session, shop.shop_id, given.on)
        held = holding.of(session, connection, segment.segment_id)
        if held is None:
            raise FailedError(f"{segment.name} is not held on {given.on} by the guard")
        print(told(holding.back(session, connection, held)))
        if not given.dry_run:
            holding.ask_back(session, connection, segment.segment_id)
    print("nothing was changed: this was a dry run" if given.dry_run else "it is being taken back, and stays held")
