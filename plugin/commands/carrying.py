"""Commands that carry segments elsewhere, freeze them and try them: export, import, snapshot, snapshots, test."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from plugin import shops
from plugin.commands.base import FailedError, Subparsers, WrongUseError, by, command, engine, shop_option
from plugin.commands.keeping import despite_option, named, refusing, segment_argument, verdict
from plugin.db import reading, transaction
from plugin.segments.files import filed, portable
from plugin.segments.kept import expectations, snapshots


def add(inside: Subparsers) -> None:
    writing = command(inside, "export", export, "write the definitions of all segments into one YAML file")
    writing.add_argument("file", help="- for standard output")
    shop_option(writing)
    taking = command(inside, "import", take_in, "take such a file in: all of it, or nothing")
    taking.add_argument("file", help="- for standard input")
    shop_option(taking)
    taking.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    taking.add_argument("--prune", action="store_true", help="remove segments that are not in the file")
    despite_option(taking)
    freezing = command(inside, "snapshot", freeze, "keep a frozen copy of a segment's members")
    segment_argument(freezing)
    freezing.add_argument("name", help="what the copy is called")
    listing = command(inside, "snapshots", list_snapshots, "list the frozen copies; give one out, or delete it")
    shop_option(listing)
    listing.add_argument("--csv", metavar="ID", help="write this one's members as CSV to standard output")
    listing.add_argument("--delete", metavar="ID", help="delete this one")
    testing = command(inside, "test", test, "try a segment's tests; exit 1 if one fails")
    segment_argument(testing)
    for option, summary in (("in", "must be in it"), ("out", "must not be in it"), ("drop", "is no test any more")):
        what = f"this customer, by id or e-mail address, {summary}"
        testing.add_argument(f"--{option}", metavar="WHO", action="append", default=[], dest=f"{option}_", help=what)


def export(given: argparse.Namespace) -> None:
    with reading(engine()) as session:
        text = portable.export(session, shops.by_name(session, given.shop))
    if given.file == "-":
        sys.stdout.write(text)
    else:
        Path(given.file).write_text(text, encoding="utf-8")
        print(f"written to {given.file}")


def take_in(given: argparse.Namespace) -> int:
    try:
        text = sys.stdin.read() if given.file == "-" else Path(given.file).read_text(encoding="utf-8")
        with reading(engine()) as session:
            shop_id = shops.by_name(session, given.shop).shop_id
        how = {"prune": given.prune, "despite_tests": given.despite_tests, "dry_run": given.dry_run}
        outcome = portable.take_in(engine(), shop_id, text, by=by(), **how)
    except (filed.FileError, UnicodeDecodeError) as error:
        raise WrongUseError(f"the file cannot be taken in: {error}") from error
    for line in told(outcome):
        print(line)
    if outcome.faults or (outcome.broken and not given.despite_tests):
        raise FailedError("nothing was changed")
    print("nothing was changed: this was a dry run" if given.dry_run else "done")
    return 0


def told(outcome: filed.Outcome) -> Iterator[str]:
    """Yield what an import does, a line each."""
    yield from (f"add\t{name}" for name in outcome.added)
    for name, changed in outcome.changed:
        yield f"change\t{name}\t" + "; ".join(f"{field}: {was!r} -> {now!r}" for field, (was, now) in changed.items())
    yield from (f"change\tladder {name}" for name in outcome.ladders)
    yield from (f"remove\t{name}" for name in outcome.removed)
    yield from (f"not in the file, left as it is\t{name}" for name in outcome.left)
    yield f"unchanged\t{outcome.unchanged}"
    yield from (f"test\t{name}\t{verdict(one)}" for name, one in outcome.broken)
    yield from (f"fault\t{fault}" for fault in outcome.faults)


def freeze(given: argparse.Namespace) -> None:
    with refusing(), transaction(engine()) as session:
        _, segment = named(session, given)
        made = snapshots.take(session, segment, given.name, by=by())
    print(f"{made.snapshot_id}\t{made.name}\t{made.size}")


def list_snapshots(given: argparse.Namespace) -> None:
    database = engine()
    with transaction(database) as session:
        shop_id = shops.by_name(session, given.shop).shop_id
        chosen = given.csv or given.delete
        one = snapshots.get(session, shop_id, chosen) if chosen else None
        if chosen and one is None:
            raise FailedError(f"there is no snapshot {chosen!r}")
        if one and given.delete:
            print(f"{one.snapshot_id}\t{one.name}\tdeleted")
            snapshots.drop(session, one)
        found = [] if chosen else snapshots.all_of(session, shop_id)
    if one and given.csv:
        sys.stdout.writelines(snapshots.as_csv(database, one))
    for copy in found:
        print(f"{copy.snapshot_id}\t{copy.name}\t{copy.segment_name}\t{copy.taken_at.isoformat()}\t{copy.size}")


def test(given: argparse.Namespace) -> int:
    with refusing(), transaction(engine()) as session:
        shop, segment = named(session, given)
        for who in given.drop_:
            customer_id = expectations.customer(session, shop, who)
            there = expectations.drop(session, segment, customer_id)
            print(f"{'dropped' if there else 'no test'}\t{customer_id}")
        for inside, called in ((True, given.in_), (False, given.out_)):
            for who in called:
                asked = expectations.expect(session, shop, segment, who, inside=inside, by=by())
                if asked.opposite:
                    print(f"replaced\t{asked.customer_id}\thad to be {'out' if inside else 'in'}")
        found = expectations.tried(session, shop, segment.segment_id, segment.query)
    for one in found:
        print(verdict(one))
    return 0 if all(one.passed for one in found) else 1
