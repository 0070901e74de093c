"""The command about what a shop comes to: the figures of the first page, to be held against others."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from plugin import shops
from plugin.commands.base import FailedError, Subparsers, command, engine, shop_option
from plugin.db import reading
from plugin.insight import periods


def add(commands: Subparsers) -> None:
    made = command(commands, "figures", tell, "what a shop came to in the last whole days, and in those before; JSON")
    shop_option(made)
    made.add_argument("--days", type=int, choices=periods.CHOICES, default=periods.USUAL)


def tell(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop = shops.by_name(session, given.shop)
        if shop.history_at is None or not periods.counted(session, shop).ready:
            raise FailedError("the shop's orders are not all counted yet")
        found = periods.period(session, shop, given.days)
    said = {
        "first_on": found.first_on.isoformat(),
        "last_on": found.last_on.isoformat(),
        "currency": shop.currency,
        "total": asdict(found.total),
        "before": asdict(found.before) if found.before else None,
        "ever": asdict(found.ever),
        "today": asdict(found.today),
        "days": {one.day_on.isoformat(): asdict(one.total) for one in found.daily},
    }
    print(json.dumps(said))
