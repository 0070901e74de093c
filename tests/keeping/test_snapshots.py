"""A frozen copy of a segment's members stays what it was, but for those who merge or must be forgotten."""

import csv

import pytest
from sqlalchemy import select, update

from plugin.db import reading, table, transaction
from plugin.ingest.joining import merge
from plugin.models.commerce import Customer
from plugin.models.keeping import Snapshot, SnapshotMember
from plugin.privacy.erasure import erase
from plugin.privacy.persons import Person
from plugin.segments.kept import keep, snapshots
from plugin.segments.kept.definition import RefusedError


def take(kept, segment, name=" Spring\tsale "):
    with transaction(kept.engine) as session:
        return snapshots.take(session, segment, name, by="command:test")


def rows(kept, snapshot):
    return list(csv.reader("".join(snapshots.as_csv(kept.engine, snapshot)).splitlines()))


def test_a_snapshot_is_who_was_in_a_segment_then_with_what_it_asked(kept):
    kept.buy(anna=3, bert=2, carl=0)
    segment = kept.add("Friends", "number_of_orders >= 2")
    kept.work("recompute")
    copy = take(kept, segment)
    assert (copy.name, copy.size, copy.query, copy.version) == ("Spring sale", 2, "number_of_orders >= 2", 1)
    kept.edit(segment, query="number_of_orders = 0")
    kept.work("recompute")
    with transaction(kept.engine) as session:
        session.execute(update(Customer).where(table(Customer).c.customer_id == "bert").values(first_name="=1+1"))
    assert rows(kept, copy) == [
        ["customer_id", "email", "first_name", "last_name"],
        ["anna", "anna@example.com", "Anna", ""],
        ["bert", "bert@example.com", "'=1+1", ""],
    ]
    kept.do(keep.remove, segment.segment_id)
    with reading(kept.engine) as session:
        [still] = snapshots.all_of(session, kept.shop_id, segment.segment_id)
        assert (still.segment_name, still.size) == ("Friends", 2)
    with transaction(kept.engine) as session:
        snapshots.drop(session, still)
        assert [session.execute(select(one)).all() for one in (Snapshot, SnapshotMember)] == [[], []]


def test_whoever_merges_or_is_forgotten_does_so_in_snapshots_too(kept):
    kept.buy(anna=3, bert=2, carl=2)
    segment = kept.add("Friends", "number_of_orders >= 2")
    kept.work("recompute")
    copy = take(kept, segment)
    with transaction(kept.engine) as session:
        merge(session, kept.shop_id, "anna", "bert")
        erase(session, kept.shop_id, Person(frozenset({"carl"}), frozenset({"carl@example.com"}), frozenset()))
    assert [row[0] for row in rows(kept, copy)[1:]] == ["bert"]
    with pytest.raises(RefusedError):
        take(kept, segment, " ")
