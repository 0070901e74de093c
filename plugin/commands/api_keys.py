"""Commands about keys of the API: add, list, revoke."""

from __future__ import annotations

import argparse

from plugin import api_keys, shops
from plugin.commands.base import FailedError, Subparsers, WrongUseError, command, engine, group, shop_option
from plugin.db import reading, transaction


def add(commands: Subparsers) -> None:
    inside = group(commands, "api-keys", "keys with which other systems use the API")
    adding = command(inside, "add", add_key, "make a key and print it, once")
    shop_option(adding)
    adding.add_argument("name", help="what will use it; what keys of one name tell is one source")
    adding.add_argument("--scope", action="append", choices=api_keys.SCOPES, help="default: all; can be repeated")
    shop_option(command(inside, "list", list_keys, "list a shop's keys"))
    revoking = command(inside, "revoke", revoke, "end a key at once")
    shop_option(revoking)
    revoking.add_argument("key", help="its id, as listed")


def add_key(given: argparse.Namespace) -> None:
    try:
        with transaction(engine()) as session:
            shop = shops.by_name(session, given.shop)
            key, secret = api_keys.add(session, shop.shop_id, given.name, given.scope or api_keys.SCOPES)
    except api_keys.RefusedError as error:
        raise WrongUseError(str(error)) from error
    print(f"{key.key_id}\t{secret}")


def list_keys(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop = shops.by_name(session, given.shop)
        for one in api_keys.all_of(session, shop.shop_id):
            used = one.last_used_at.isoformat() if one.last_used_at else "never"
            state = "revoked" if one.revoked_at else "good"
            print(f"{one.key_id}\t{one.name}\t{','.join(one.scopes or ())}\t{used}\t{state}")


def revoke(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        shop = shops.by_name(session, given.shop)
        if not api_keys.revoke(session, shop.shop_id, given.key):
            raise FailedError("there is no such key, or it was revoked before")
    print(f"{given.key}\trevoked")
