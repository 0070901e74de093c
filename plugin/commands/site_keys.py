"""Commands about keys for the shop's own pages: add, list, revoke."""

from __future__ import annotations

import argparse

from plugin import shops, snippet
from plugin.commands.base import FailedError, Subparsers, WrongUseError, command, engine, group, shop_option
from plugin.db import reading, transaction


def add(commands: Subparsers) -> None:
    inside = group(commands, "site-keys", "keys with which the shop's own pages tell what is done there")
    adding = command(inside, "add", add_key, "make a key and print it with the secret of the shop's server, once")
    shop_option(adding)
    adding.add_argument("page", nargs="+", help="where pages of the shop are: https://shop.example.com")
    shop_option(command(inside, "list", list_keys, "list a shop's keys"))
    revoking = command(inside, "revoke", revoke, "end a key at once")
    shop_option(revoking)
    revoking.add_argument("key")


def add_key(given: argparse.Namespace) -> None:
    try:
        with transaction(engine()) as session:
            key, secret = snippet.add(session, shops.by_name(session, given.shop).shop_id, " ".join(given.page))
    except snippet.RefusedError as error:
        raise WrongUseError(str(error)) from error
    print(f"{key.site_key}\t{secret}")


def list_keys(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        for one in snippet.all_of(session, shops.by_name(session, given.shop).shop_id):
            print(f"{one.site_key}\t{' '.join(one.origins or ())}\t{'revoked' if one.revoked_at else 'good'}")


def revoke(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        if not snippet.revoke(session, shops.by_name(session, given.shop).shop_id, given.key):
            raise FailedError("there is no such key, or it was revoked before")
    print(f"{given.key}\trevoked")
