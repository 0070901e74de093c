"""Commands about deliveries that were set aside: list, retry."""

from __future__ import annotations

import argparse

from sqlalchemy import select

from plugin import inbox, shops
from plugin.commands.base import FailedError, Subparsers, command, engine, group, shop_option
from plugin.db import reading, transaction


def add(commands: Subparsers) -> None:
    inside = group(commands, "deliveries", "webhooks that could not be worked")
    shop_option(command(inside, "list", list_deliveries, "list what was set aside, with the reason"))
    retrying = command(inside, "retry", retry, "put what was set aside back in line")
    shop_option(retrying)
    retrying.add_argument("delivery", nargs="?", help="one delivery's id; default: all")


def list_deliveries(given: argparse.Namespace) -> None:
    table = inbox.deliveries
    with reading(engine()) as session:
        shop = shops.by_name(session, given.shop)
        statement = select(table).where(table.c.shop_id == shop.shop_id, table.c.state.in_(("failed", "unreadable")))
        for row in session.execute(statement.order_by(table.c.received_at)):
            print(f"{row.delivery_id}\t{row.received_at.isoformat()}\t{row.topic}\t{row.state}\t{row.error or ''}")


def retry(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        shop = shops.by_name(session, given.shop)
        back = inbox.retry(session, shop.shop_id, given.delivery)
    if given.delivery and not back:
        raise FailedError("there is no such delivery set aside")
    print(f"{back} back in line")
