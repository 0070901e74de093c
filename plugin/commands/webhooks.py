"""Commands about outgoing webhooks: add, list, deliveries, ping, replay, skip, rotate, on, remove."""

from __future__ import annotations

import argparse

from sqlmodel import Session

from plugin import shops
from plugin.commands.base import (
    FailedError,
    Subparsers,
    WrongUseError,
    command,
    engine,
    group,
    moment_of,
    shop_option,
)
from plugin.db import reading, transaction
from plugin.outgoing import endpoints, messages
from plugin.segments.kept import keep


def add(commands: Subparsers) -> None:
    inside = group(commands, "webhooks", "addresses of tools that are told who enters and leaves segments")
    adding = command(inside, "add", add_endpoint, "have an address told, and print its secret, once")
    shop_option(adding)
    adding.add_argument("url", help="beginning with https://")
    adding.add_argument("--segment", action="append", default=[], help="its name or id; default: all; can be repeated")
    adding.add_argument("--addresses", action="store_true", help="send customers' e-mail addresses beside their ids")
    shop_option(command(inside, "list", list_endpoints, "list the addresses, with how they fare"))
    for name, run, summary in (
        ("deliveries", list_deliveries, "list what an address was sent lately"),
        ("ping", ping, "send a test"),
        ("rotate", rotate, "make a new secret and print it, once; the old one signs beside it for a day"),
        ("on", switch_on, "let an address that was switched off go on where it was"),
        ("remove", remove, "tell an address no more"),
        ("replay", replay, "send deliveries again: one, or all that were refused or given up"),
        ("skip", skip, "send a delivery never, be it waiting or set aside: those behind it go on"),
    ):
        made = command(inside, name, run, summary)
        shop_option(made)
        made.add_argument("endpoint", help="its id, as listed")
        if name == "replay":
            made.add_argument(
                "delivery", nargs="?", help="one delivery's id; default: all that were refused or given up"
            )
            made.add_argument("--since", dest="at", help="only those made since: 2011-12-10T12:00, in the shop's zone")
        if name == "skip":
            made.add_argument("delivery", help="its id, as listed by deliveries")


def add_endpoint(given: argparse.Namespace) -> None:
    try:
        url = endpoints.demand_callable(given.url)
        with transaction(engine()) as session:
            shop_id = shops.by_name(session, given.shop).shop_id
            named = [keep.by_name(session, shop_id, name) for name in given.segment]
            if None in named:
                raise WrongUseError("there is no such segment")
            chosen = [one.segment_id for one in named if one]
            endpoint, secret = endpoints.add(session, shop_id, url, chosen, addresses=given.addresses)
    except endpoints.RefusedError as error:
        raise WrongUseError(str(error)) from error
    print(f"{endpoint.endpoint_id}\t{secret}")


def list_endpoints(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop_id = shops.by_name(session, given.shop).shop_id
        counted = messages.counted(session, shop_id)
        for one in endpoints.all_of(session, shop_id):
            numbers = " ".join(f"{state}={counted.get((one.endpoint_id, state), 0)}" for state in messages.STATES)
            print(f"{one.endpoint_id}\t{one.url}\t{one.state}\t{numbers}\t{one.reason or ''}")


def list_deliveries(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop_id = shops.by_name(session, given.shop).shop_id
        for one in messages.of(session, shop_id, given.endpoint):
            made, what = one.made_at.isoformat(), one.name or ""
            print(f"{one.delivery_id}\t{made}\t{one.kind}\t{what}\t{one.size}\t{one.state}\t{one.error or ''}")


def ping(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        print(f"{messages.ping(session, known(session, given), given.endpoint)}\twaiting")


def rotate(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        secret = endpoints.rotate(session, known(session, given), given.endpoint)
    print(f"{given.endpoint}\t{secret}")


def switch_on(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        endpoints.switch_on(session, known(session, given), given.endpoint)
    print(f"{given.endpoint}\tactive")


def remove(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        endpoints.remove(session, known(session, given), given.endpoint)
    print(f"{given.endpoint}\tremoved")


def replay(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        shop_id = known(session, given)
        since = moment_of(given.at, shops.shop(session, shop_id))
        count = messages.replay(session, shop_id, given.endpoint, given.delivery, since)
    if given.delivery and not count:
        raise FailedError("there is no such delivery that was sent")
    print(f"{count} sent again")


def skip(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        if not messages.skip(session, known(session, given), given.endpoint, given.delivery):
            raise FailedError("there is no such delivery that waits or was set aside")
    print(f"{given.delivery}\tskipped")


def known(session: Session, given: argparse.Namespace) -> str:
    """Return the shop's id, if it has the endpoint that is named."""
    shop_id = shops.by_name(session, given.shop).shop_id
    try:
        endpoints.known(session, shop_id, given.endpoint)
    except LookupError:
        raise FailedError("there is no such endpoint") from None
    return shop_id
