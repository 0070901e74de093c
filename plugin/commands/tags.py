"""Commands about tags on platforms: what is held and how it ends, read back and repaired, adopted, all taken off."""

from __future__ import annotations

import argparse

from sqlmodel import Session

from plugin import shops
from plugin.commands.base import FailedError, Subparsers, WrongUseError, command, engine, group, shop_option
from plugin.commands.history import work_of
from plugin.commands.keeping import named, segment_argument
from plugin.db import fold, reading, transaction
from plugin.insight import safety
from plugin.models.shops import Connection
from plugin.models.tagging import Hold
from plugin.outgoing import watching
from plugin.tagging import drift, holding, leaving, limits, marks, names, rehearsal
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
    naming = command(inside, "prefix", set_prefix, "what new tags begin with; without one: say")
    shop_option(naming)
    naming.add_argument("prefix", nargs="?", help="tags that there are keep their names")
    shop_option(command(inside, "held", list_held, "what is held, why, and what taking back would undo"))
    for name, run, summary in (
        ("release", release, "say go: what is rehearsed or held is written from now on; say first what that is"),
        ("back", take_back, "take back what was written since a hold began to be counted; it stays held"),
    ):
        made = command(inside, name, run, summary)
        segment_argument(made)
        on_option(made)
        made.add_argument("--dry-run", action="store_true", help="only say what would be written")
        if run is release:
            made.add_argument("--quietly", action="store_true", help="set off no automations for present members")
            made.add_argument("--adopt", action="store_true", help="make ours what others have put on under its tag")
    reading_ = command(inside, "read", read_back, "read all contacts of a connection back; say how they differ")
    repairing = command(inside, "repair", repair, "put right how contacts differ from what was written")
    ending = command(inside, "take-off", take_off, "before uninstalling: take off all that we wrote on a connection")
    ending.add_argument("--name", default="", help="the shop's name, without which it is only said what would come off")
    for made in (reading_, repairing, ending):
        shop_option(made)
        on_option(made)


def on_option(made: argparse.ArgumentParser) -> None:
    made.add_argument("--on", required=True, metavar="CONNECTION", help="the platform, or the connection's id")


def set_prefix(given: argparse.Namespace) -> None:
    try:
        with transaction(engine()) as session:
            shop = shops.by_name(session, given.shop)
            if given.prefix is not None:
                names.change_prefix(session, shop.shop_id, given.prefix)
            print(shop.tag_prefix)
    except names.TagRefusedError as error:
        raise WrongUseError(str(error)) from error


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
        shop_id = shops.by_name(session, given.shop).shop_id
        for one in safety.held(session, shop_id):
            print(one.segment.name, one.label, counted_in(one.hold), told(one.back), sep="\t")
        for kept in watching.untold(session, shop_id):
            print(kept.segment.name, kept.endpoint.url, counted_in(kept.hold), f"{kept.webhooks} webhooks", sep="\t")


def counted_in(hold: Hold) -> str:
    return f"+{hold.added} -{hold.removed} of {hold.size} since {hold.since_at.isoformat()}"


def told(back: holding.Back) -> str:
    return f"taking back: {len(back.off)} lose the tag, {len(back.on)} get it again"


def release(given: argparse.Namespace) -> None:
    try:
        with transaction(engine()) as session:
            shop, segment = named(session, given)
            connection = place(session, shop.shop_id, given.on)
            how = {"quietly": given.quietly, "adopting": given.adopt}
            print(rehearsal.rehearse(session, shops.opened(connection), [segment.segment_id], **how).summary())
            way = (session, shop.shop_id, segment.segment_id, connection.connection_id)
            if given.adopt and not given.dry_run:
                print(f"{rehearsal.adopt(*way)} tags are ours from now on")
            if not given.dry_run:
                rehearsal.release(*way, quietly=given.quietly)
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


def read_back(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        shop_id, connection = at(session, given)
        drift.ask_all(session, connection)
    work_of(engine(), shop_id, "drift")
    with reading(engine()) as session:
        run = drift.last(session, connection)
        state = "read" if run and run.ended_at else "read so far: the worker goes on"
        print(f"{run.seen if run else 0} contacts {state}")
        for row in drift.found_at(session, connection, limit=1_000):
            where = ["metafield"] * marks.is_in_field(row.tag)
            print(row.kind, row.contact, marks.plain(row.tag), *where, sep="\t")


def repair(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        print(f"{drift.repair(session, at(session, given)[1])} differences are being repaired")


def take_off(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        shop = shops.by_name(session, given.shop)
        connection = place(session, shop.shop_id, given.on)
        left = leaving.left(session, connection)
        print(
            f"{left.tags} tags on {left.contacts} contacts, "
            f"{left.objects} lists, {left.audiences} segments and {left.fields} fields of ours"
        )
        wanted = fold(given.name.strip()) == fold(shop.name)
        if given.name and not wanted:
            raise WrongUseError("that is not the shop's name")
        if wanted:
            leaving.begin(session, connection)
    print("all of it is being taken off" if wanted else f"nothing was changed: to do it, add --name {shop.name!r}")


def at(session: Session, given: argparse.Namespace) -> tuple[str, Connection]:
    shop_id = shops.by_name(session, given.shop).shop_id
    return shop_id, place(session, shop_id, given.on)
