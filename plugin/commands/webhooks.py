"""Commands about outgoing webhooks: addresses, their secrets and segments, and what is sent there, again or never."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

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
from plugin.models.webhooks import WebhookEndpoint
from plugin.outgoing import endpoints, messages, subjects, watching
from plugin.segments.kept import keep

SEGMENTS = "its name or id; default: all; can be repeated"


def add(commands: Subparsers) -> None:
    inside = group(commands, "webhooks", "addresses of tools that are told who enters and leaves segments")
    adding = command(inside, "add", add_endpoint, "have an address told, and print its secret, once")
    shop_option(adding)
    adding.add_argument("url", help="beginning with https://")
    adding.add_argument("--segment", action="append", default=[], help=SEGMENTS)
    adding.add_argument("--addresses", action="store_true", help="send customers' e-mail addresses beside their ids")
    shop_option(command(inside, "list", list_endpoints, "list the addresses, with how they fare"))
    for name, run, summary in (
        ("deliveries", list_deliveries, "list what an address was sent lately"),
        ("ping", ping, "send a test"),
        ("rotate", rotate, "make a new secret and print it, once; the old one signs beside it for a day"),
        ("on", switch_on, "let an address that was switched off go on where it was"),
        ("choose", choose, "have an address told of other segments: of those that end it is told so"),
        ("release", release, "tell an address what the guard has held of a segment"),
        ("drop", drop, "tell an address never what the guard has held of a segment"),
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
        if name == "choose":
            made.add_argument("--segment", action="append", default=[], help=SEGMENTS)
        if name in ("release", "drop"):
            made.add_argument("segment", help="its name or id")
        if name == "skip":
            made.add_argument("delivery", help="its id, as listed by deliveries")


def add_endpoint(given: argparse.Namespace) -> None:
    try:
        url = endpoints.demand_callable(given.url)
        with transaction(engine()) as session:
            shop_id = shops.by_name(session, given.shop).shop_id
            chosen = segments(session, shop_id, given.segment)
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


def choose(given: argparse.Namespace) -> None:
    with transaction(engine()) as session:
        shop_id = known(session, given)
        chosen = segments(session, shop_id, given.segment)
        subjects.choose(session, shop_id, given.endpoint, chosen)
    print(f"{given.endpoint}\t{'all segments' if not chosen else ', '.join(given.segment)}")


def release(given: argparse.Namespace) -> None:
    print(f"{end_hold(given, watching.release)} webhooks are sent")


def drop(given: argparse.Namespace) -> None:
    print(f"{end_hold(given, watching.drop)} webhooks are dropped")


def end_hold(given: argparse.Namespace, end: Callable[[Session, WebhookEndpoint, str], int]) -> int:
    with transaction(engine()) as session:
        shop_id = known(session, given)
        [segment_id] = segments(session, shop_id, [given.segment])
        try:
            return end(session, endpoints.known(session, shop_id, given.endpoint, alone=True), segment_id)
        except LookupError:
            raise FailedError("the guard holds nothing of this segment there") from None


def segments(session: Session, shop_id: str, names: Sequence[str]) -> list[str]:
    """Return the ids of segments by their names."""
    named = [keep.by_name(session, shop_id, name) for name in names]
    if None in named:
        raise WrongUseError("there is no such segment")
    return [one.segment_id for one in named if one]


def known(session: Session, given: argparse.Namespace) -> str:
    """Return the shop's id, if it has the endpoint that is named."""
    shop_id = shops.by_name(session, given.shop).shop_id
    try:
        endpoints.known(session, shop_id, given.endpoint)
    except LookupError:
        raise FailedError("there is no such endpoint") from None
    return shop_id
