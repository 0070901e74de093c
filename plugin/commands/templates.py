"""Commands about templates: listed, kept as segments, learned anew, frozen; and about those that are proposed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from sqlmodel import Session

from plugin import shops
from plugin.commands.base import FailedError, Subparsers, WrongUseError, by, command, engine, shop_option
from plugin.db import reading, transaction
from plugin.models.shops import Shop
from plugin.segments.kept import keep, learning, proposals, thresholds
from plugin.segments.kept.definition import RefusedError
from plugin.segments.kept.templates import PROPOSED, TEMPLATES
from plugin.segments.language.errors import SegmentErrors


def add(inside: Subparsers) -> None:
    shop_option(command(inside, "templates", list_templates, "list templates with this shop's thresholds"))
    using = command(inside, "use", use, "keep a template as a segment, in rehearsal")
    shop_option(using)
    using.add_argument("template", choices=sorted(TEMPLATES), metavar="TEMPLATE", help="see `segments templates`")
    shop_option(command(inside, "proposed", list_proposed, "list what is proposed to begin with: drafts and discarded"))
    discarding = command(inside, "discard", discard, "propose these templates no longer")
    shop_option(discarding)
    discarding.add_argument(
        "templates", nargs="+", choices=PROPOSED, metavar="TEMPLATE", help="see `segments proposed`"
    )
    discarding.add_argument("--undo", action="store_true", help="propose them again")
    learning_ = command(inside, "learn", learn, "learn a segment's thresholds anew")
    freezing = command(inside, "freeze", freeze, "let a segment's thresholds stay as they are")
    freezing.add_argument("--off", action="store_true", help="learn them each month again")
    for made in (learning_, freezing):
        shop_option(made)
        made.add_argument("name", help="the segment's name or id")


def list_templates(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop = shops.by_name(session, given.shop)
        names = dict.fromkeys(name for one in TEMPLATES.values() for name in one.thresholds)
        learned = thresholds.learn(session, shop, tuple(names))
    for one in TEMPLATES.values():
        try:
            query = learning.written(one, {name: learned[name] for name in one.thresholds})
        except RefusedError as error:
            query = f"-- {error}"
        print(one.key, one.name, query, sep="\t")


def list_proposed(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop_id = shops.by_name(session, given.shop).shop_id
        for state, found in (("draft", proposals.drafts), ("discarded", proposals.discarded)):
            for one in found(session, shop_id):
                print(state, one.key, one.name, sep="\t")


def discard(given: argparse.Namespace) -> None:
    named = [TEMPLATES[key] for key in given.templates]
    with changing(given) as (session, shop):
        if given.undo:
            proposals.propose_again(session, shop.shop_id, named)
        else:
            proposals.discard(session, shop.shop_id, named, by=by())


def use(given: argparse.Namespace) -> None:
    with changing(given) as (session, shop):
        segment = learning.add(session, shop, TEMPLATES[given.template], by=by())
    print(segment.segment_id, segment.name, segment.query, sep="\t")


def learn(given: argparse.Namespace) -> None:
    with changing(given) as (session, shop):
        segment_id = named(session, shop, given.name)
        changed = learning.refresh(session, shop, segment_id, by=by())
        query = keep.known(session, shop.shop_id, segment_id).query
    print("changed" if changed else "the same", query, sep="\t")


def freeze(given: argparse.Namespace) -> None:
    with changing(given) as (session, shop):
        segment = keep.known(session, shop.shop_id, named(session, shop, given.name))
        learning.freeze(session, shop.shop_id, segment.segment_id, frozen=not given.off)
        query = segment.query
    print("learned each month" if given.off else "frozen", query, sep="\t")


def named(session: Session, shop: Shop, name: str) -> str:
    found = keep.by_name(session, shop.shop_id, name)
    if found is None:
        raise FailedError(f"there is no segment {name}")
    return found.segment_id


@contextmanager
def changing(given: argparse.Namespace) -> Iterator[tuple[Session, Shop]]:
    try:
        with transaction(engine()) as session:
            yield session, shops.by_name(session, given.shop)
    except SegmentErrors as error:
        raise WrongUseError(str(error)) from error
    except RefusedError as error:
        raise FailedError(str(error)) from error
