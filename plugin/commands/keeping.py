"""Commands about what is kept of segments: edit, versions, restore, remove, reviews."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlmodel import Session

from plugin import shops
from plugin.commands.base import FailedError, Subparsers, WrongUseError, by, command, engine, shop_option
from plugin.db import reading, transaction
from plugin.insight.removal import removal
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.segments.kept import keep, reviews, versions
from plugin.segments.kept.definition import FIELDS, RefusedError
from plugin.segments.kept.expectations import BrokenTestsError, Tried
from plugin.segments.language import shown, vocabulary
from plugin.segments.language.errors import SegmentErrors

TEXTS = {
    "name": "another name",
    "query": "another query",
    "tag": "another tag: the old one is taken off",
    "objective": "what the segment is for",
    "owner": "who looks after it",
    "owner-email": "where a review that is due is mailed to",
    "offer": "what its members are offered",
    "say": "what every team says to them",
    "review": 'how often it is looked at: "every 3 months", "never"',
}
SWITCHES = {"rewards": "members gain by it: nothing forgeable may let them in", "enabled": "switched on, in rehearsal"}


def add(inside: Subparsers) -> None:
    editing = command(inside, "edit", edit, "change a segment; what is not named stays")
    segment_argument(editing)
    settings_options(editing)
    despite_option(editing)
    listing = command(inside, "versions", list_versions, "every edit of a segment: version, when, who, what changed")
    segment_argument(listing)
    restoring = command(inside, "restore", restore, "make a segment what it was in one of its versions")
    segment_argument(restoring)
    restoring.add_argument("version", type=int)
    despite_option(restoring)
    removing = command(inside, "remove", remove, "delete a segment, and take its tags off; say first what goes with it")
    segment_argument(removing)
    removing.add_argument("--dry-run", action="store_true", help="only say what would go")
    shop_option(command(inside, "reviews", list_reviews, "list the reviews that are due, each with its owner"))
    reviewing = command(inside, "review", review, "say that a segment was looked at")
    segment_argument(reviewing)
    reviewing.add_argument("--note", help="what was found")


def segment_argument(made: argparse.ArgumentParser) -> None:
    made.add_argument("segment", help="the segment's name or id")
    shop_option(made)


def despite_option(made: argparse.ArgumentParser) -> None:
    made.add_argument("--despite-tests", action="store_true", help="also if tests of the segment fail then")


def settings_options(made: argparse.ArgumentParser) -> None:
    for name, summary in TEXTS.items():
        made.add_argument(f"--{name}", help=summary)
    for name, summary in SWITCHES.items():
        made.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=summary)


@contextmanager
def refusing() -> Iterator[None]:
    """Say on the command line why a segment cannot be kept like this."""
    try:
        yield
    except SegmentErrors as errors:
        raise WrongUseError(str(errors)) from errors
    except BrokenTestsError as error:
        for one in error.broken:
            print(verdict(one), file=sys.stderr)
        raise FailedError(f"{error} --despite-tests keeps it all the same") from error
    except RefusedError as error:
        raise FailedError(str(error)) from error


def verdict(one: Tried) -> str:
    """Return what came of a test as a line: by id alone, since output ends up in logs."""
    must, found = ("in" if one.inside else "out"), ("in" if one.found else "out")
    return f"{'passes' if one.passed else 'FAILS'}\t{one.customer_id}\tmust be {must}\tis {found}"


def named(session: Session, given: argparse.Namespace) -> tuple[Shop, Segment]:
    """Return the shop and the segment that are named."""
    shop = shops.by_name(session, given.shop)
    segment = keep.by_name(session, shop.shop_id, given.segment)
    if segment is None:
        raise FailedError(f"there is no segment called {given.segment!r}")
    return shop, segment


def edit(given: argparse.Namespace) -> None:
    changes: dict[str, Any] = {name: value for name in FIELDS if (value := getattr(given, name)) is not None}
    with refusing(), transaction(engine()) as session:
        shop, segment = named(session, given)
        kept = keep.edit(session, shop, segment.segment_id, by=by(), despite_tests=given.despite_tests, **changes)
    print(f"{kept.segment_id}\t{kept.name}\tversion {kept.version}")


def list_versions(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop, segment = named(session, given)
        words = vocabulary.of(session, shop)
        for one in versions.edits(session, shop.shop_id, segment.segment_id):
            what = f"restored {one.restored}" if one.restored else one.edit
            changed = "; ".join(
                f"{name}: {told(name, was, words)!r} -> {told(name, now, words)!r}"
                for name, (was, now) in one.changed.items()
            )
            print(f"{one.version}\t{one.edited_at.isoformat()}\t{one.editor}\t{what}\t{changed}")


def told(name: str, value: Any, words: vocabulary.Vocabulary) -> Any:
    """Return a field's value as people are told it: in a query, other segments by their present names."""
    return shown(value, words) if name == "query" else value


def restore(given: argparse.Namespace) -> None:
    with refusing(), transaction(engine()) as session:
        shop, segment = named(session, given)
        how = {"by": by(), "despite_tests": given.despite_tests}
        kept = keep.restore(session, shop, segment.segment_id, given.version, **how)
    print(f"{kept.segment_id}\t{kept.name}\tversion {kept.version}")


def remove(given: argparse.Namespace) -> None:
    with refusing(), transaction(engine()) as session:
        shop, segment = named(session, given)
        found = removal(session, shop, segment)
        print(f"{found.members} members\t{found.pins} pins\t{found.tests} tests\t{found.snapshots} snapshots stay")
        for one in found.carried:
            print(f"{one.label} {one.account}\t{one.contacts} contacts untagged")
        for dependent in found.dependents:
            print(f"{dependent.segment_id}\t{dependent.name}\trefers to it")
        if not given.dry_run:
            keep.remove(session, shop, segment.segment_id, by=by())


def list_reviews(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        shop = shops.by_name(session, given.shop)
        segments = keep.all_of(session, shop.shop_id)
        due = reviews.due(session, shop, segments)
        for one in segments:
            if found := due.get(one.segment_id):
                told = "mailed" if found.mailed_at else found.error or "not mailed"
                print(f"{one.segment_id}\t{one.name}\t{found.due_on}\t{one.owner or ''}\t{told}")


def review(given: argparse.Namespace) -> None:
    with refusing(), transaction(engine()) as session:
        shop, segment = named(session, given)
        following = reviews.done(session, shop, segment, by=by(), note=given.note)
    print(f"due again on {following}")
