"""Commands about what e-mail platforms tell of e-mails, and what they are told of segments beside tags."""

from __future__ import annotations

import argparse

from plugin import engagement, shops
from plugin.commands.base import FailedError, Subparsers, WrongUseError, command, engine, group, shop_option
from plugin.config import settings
from plugin.db import reading, transaction
from plugin.tagging import entries


def add(commands: Subparsers) -> None:
    inside = group(commands, "engagement", "what became of e-mails, as their platforms tell it")
    shop_option(command(inside, "list", list_known, "how far each platform has told it"))
    asking = command(inside, "again", again, "ask a platform anew; what is known is not counted twice")
    shop_option(asking)
    asking.add_argument("connection", help="the connection's id")
    asking.add_argument("--days", type=int, help="how far back; default: ENGAGEMENT_HISTORY_DAYS")

    telling = command(
        commands, "entry-events", tell_entries, "tell a platform as events who enters and leaves segments"
    )
    shop_option(telling)
    telling.add_argument("connection", help="the connection's id")
    telling.add_argument("--off", action="store_true", help="no longer")


def tell_entries(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop = shops.by_name(session, given.shop)
    try:
        changed = entries.choose(engine(), shop.shop_id, given.connection, on=not given.off)
    except LookupError as error:
        raise WrongUseError("there is no such connection") from error
    except entries.NotTakenError as error:
        raise WrongUseError(f"{error} takes no such events") from error
    print(("told no longer" if given.off else "told from now on") if changed else "nothing to change")


def list_known(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop = shops.by_name(session, given.shop)
        platforms = {one.connection_id: one.platform for one in shops.connections(session, shop.shop_id)}
        for one in engagement.known(session, shop.shop_id).values():
            asked = one.asked_at.isoformat() if one.asked_at else "-"
            print(
                f"{one.connection_id}\t{platforms.get(one.connection_id, '')}\t{one.since_at.isoformat()}\t{asked}"
                f"\t{one.events}\t{one.error or one.hook_error or ''}"
            )


def again(given: argparse.Namespace) -> None:
    days = settings().engagement_history_days if given.days is None else given.days
    if days < 0:
        raise WrongUseError("--days is a number of days gone by")
    with transaction(engine()) as session:
        shop = shops.by_name(session, given.shop)
        if not engagement.again(session, shop.shop_id, given.connection, days):
            raise FailedError("this connection tells nothing of e-mails, or has not been asked yet")
    print(f"asked anew, from {days} days ago")
