"""The command that tests a query: what is wrong with it, its words in Shopify, and hints."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from plugin import clock, shops
from plugin.commands.base import Subparsers, WrongUseError, command, engine
from plugin.db import reading
from plugin.segments import hints
from plugin.segments.asking.moments import Moment
from plugin.segments.hints import Advice, advice
from plugin.segments.language import Checked, check, shopify, vocabulary


def add(inside: Subparsers) -> None:
    checking = command(inside, "check", check_query, "test a query; prints JSON, exit 2 for errors")
    checking.add_argument("query", nargs="?", help="default: standard input")
    checking.add_argument("--shop", help="by what this shop may name; default: by all that the language has")
    checking.add_argument("--members", action="store_true", help="also look which segments hold all who meet it now")


def check_query(given: argparse.Namespace) -> int:
    if given.members and not given.shop:
        raise WrongUseError("--members asks for the members of a shop's segments: name it with --shop")
    text = given.query if given.query is not None else sys.stdin.read()
    answer = said(*hinted(text, given))
    print(json.dumps(answer, ensure_ascii=False))
    return 0 if answer["ok"] else 2


def said(checked: Checked, found: Sequence[Advice]) -> dict[str, Any]:
    """Return what there is to say of a query, as it is printed."""
    if checked.tree is None:
        return {"ok": False, "errors": [asdict(error) for error in checked.errors]}
    return {
        "ok": True,
        "canonical": checked.canonical,
        "shopify": shopify.described(shopify.export(checked.tree)),
        "hints": hints.described(found),
    }


def hinted(text: str, given: argparse.Namespace) -> tuple[Checked, list[Advice]]:
    """Check a query, by what a shop may name where one is given, and look for hints."""
    now = clock.now()
    if not given.shop:
        checked = check(text)
        return checked, hints.of_tree(checked.tree, Moment(now, "UTC")) if checked.tree else []
    with reading(engine()) as session:
        shop = shops.by_name(session, given.shop)
        checked = check(text, vocabulary.of(session, shop))
        if checked.tree is None:
            return checked, []
        found = advice.in_shop(session, shop, checked.tree, now)
        more = advice.by_members(session, shop, text, checked.tree, now) if given.members else ()
        return checked, [*found, *more]
