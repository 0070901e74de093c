"""Who follows a segment knows who is in it: through runs, merges, redactions, and a new beginning."""

from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import event, select

from connectors.records import CustomerRedaction, Merged
from plugin import api_keys, lanes, privacy
from plugin.db import reading, table, transaction
from plugin.models.segments import Handover, MembershipChange
from plugin.segments.kept import keep
from plugin.segments.membership import feed, handovers, recompute, runs

FORGOTTEN = handovers.FORGOTTEN


class Follower:
    """Reads a segment's changes a few at a time, whenever it is asked to; `seen` is who it takes for a member."""

    def __init__(self, small, name, limit=2):
        self.small, self.name, self.limit = small, name, limit
        self.told, self.begun = [], 0
        self.begin()

    def begin(self):
        with reading(self.small.engine) as session:
            self.place = feed.Place(runs.latest(session, self.small.shop_id))
        self.seen = self.small.members(self.name)
        self.begun += 1

    def catch_up(self):
        more = True
        while more:
            with reading(self.small.engine) as session:
                found = feed.since(session, self.small.shop_id, self.small.ids[self.name], self.place, self.limit)
            assert [one.place for one in found.changes] == sorted(one.place for one in found.changes)
            assert all(self.place < one.place <= found.place for one in found.changes)
            for one in found.changes:
                self.hear(one)
            self.place, more = found.place, found.more

    def read(self):
        """As tools are told to: anew where not all is kept any more."""
        try:
            self.catch_up()
        except feed.GoneError:
            self.begin()

    def hear(self, one):
        was = one.customer_id in self.seen
        assert was != one.entered or one.cause == FORGOTTEN, (one, self.told)
        (self.seen.add if one.entered else self.seen.discard)(one.customer_id)
        self.told.append((one.customer_id, one.entered, one.cause))


@pytest.fixture
def followed(small):
    """A segment that is left again as time passes, of a shop with a key by which it can be followed."""
    with small.change() as (session, shop):
        api_keys.add(session, shop.shop_id, "a tool", ["segments:read"])
    small.segment("recent", "last_order_date > -3d")
    return small


def forget(small, customer):
    with small.change() as (session, shop):
        privacy.redact_customer(session, shop, CustomerRedaction(customer, f"{customer}@example.com", ()))


@pytest.mark.parametrize("seed", range(2))
def test_whoever_follows_knows_the_members_however_seldom_they_read(followed, seed):
    chance, small = Random(seed), followed
    people = [f"c{number}" for number in range(12)]
    followers = {rarely: Follower(small, "recent", chance.choice((1, 3, 100))) for rarely in (1, 4, 30)}
    for step in range(30):
        small.now += timedelta(hours=chance.choice((1, 9, 30)))
        for one in chance.sample(people, chance.randrange(min(4, len(people)))):
            small.order(one)
        if len(people) > 3 and chance.random() < 0.3:
            gone = people.pop(chance.randrange(len(people)))
            if chance.random() < 0.7:
                small.hear(Merged(gone_id=gone, kept_id=chance.choice(people), merged_at=small.now))
            else:
                forget(small, gone)
        if chance.random() < 0.8:
            small.run()
        for rarely, one in followers.items():
            if step % rarely == 0:
                one.read()
    small.run()
    for one in followers.values():
        one.read()
        assert one.seen == small.members("recent")
    assert followers[1].told
    assert followers[1].begun == 1


def test_a_run_at_work_is_neither_seen_before_its_end_nor_passed_over(followed):
    small = followed
    one = Follower(small, "recent")
    small.order("ann")
    with small.change() as (session, _):
        lanes.poke(session, small.shop_id, "recompute")
    claim = lanes.claim(small.engine, small.shop_id, "recompute")
    with transaction(small.engine) as session:
        lanes.hold(session, claim)
        recompute.chunk(session, small.shop_id, runs.number(claim.fence, 0))
        one.catch_up()
        assert one.told == []
    one.catch_up()
    one.catch_up()
    assert one.told == [("ann", True, "added")]
    with transaction(small.engine) as session:
        lanes.release(session, claim, None)
    one.catch_up()
    assert len(one.told) == 1


def test_runs_that_end_while_a_place_is_read_are_not_passed_over(followed):
    small = followed
    small.order("bo")
    small.order("cy")
    small.run()
    one, steps = Follower(small, "recent", limit=100), []

    def two_runs(_connection, _cursor, statement, *_):
        if "FROM handovers" in statement and not steps:
            steps.append("now")
            small.order("ann")
            small.run()
            small.hear(Merged(gone_id="cy", kept_id="bo", merged_at=small.now))
            small.run()

    event.listen(small.engine, "before_cursor_execute", two_runs)
    one.catch_up()
    one.catch_up()
    assert steps
    assert one.told == [("ann", True, "order"), ("cy", False, "merged")]


def test_a_merge_is_told_as_one_who_leaves_and_one_who_enters(followed):
    small = followed
    small.segment("everybody", "number_of_orders >= 0")
    small.order("ann")
    small.order("bo")
    small.run()
    for name in ("recent", "everybody"):
        assert small.members(name) == {"ann", "bo"}
    small.now += timedelta(days=2)
    small.order("cy")
    small.run()
    late, soon = Follower(small, "recent"), Follower(small, "everybody")
    small.hear(Merged(gone_id="cy", kept_id="ann", merged_at=small.now))
    small.run()
    soon.catch_up()
    assert soon.told == [("cy", False, "merged")]
    small.at(days=4)
    late.catch_up()
    assert late.told == [("cy", False, "merged"), ("bo", False, "time")]
    assert late.seen == small.members("recent") == {"ann"}


def test_somebody_forgotten_is_said_to_have_left_for_days_and_then_is_nowhere(followed):
    small = followed
    small.order("ann")
    small.order("bo")
    small.run()
    soon, late = Follower(small, "recent"), Follower(small, "recent")
    forget(small, "ann")
    small.run()
    soon.catch_up()
    assert soon.told == [("ann", False, FORGOTTEN)]
    small.now += timedelta(days=11)
    with small.change() as (session, _):
        handovers.purge(session, small.shop_id, small.now)
    small.run()
    with reading(small.engine) as session:
        assert not [row for row in session.execute(select(table(Handover))) if "ann" in row]
        assert not [row for row in session.execute(select(table(MembershipChange))) if "ann" in row]
    soon.catch_up()
    assert soon.seen == small.members("recent") == set()
    with pytest.raises(feed.GoneError):
        late.catch_up()


def test_of_somebody_forgotten_who_left_long_ago_nothing_is_said_any_more(followed):
    small = followed
    small.order("ann")
    small.run()
    old = Follower(small, "recent")
    small.at(days=5)
    recent = Follower(small, "recent")
    small.now += timedelta(days=20)
    forget(small, "ann")
    small.run()
    recent.catch_up()
    assert recent.told == []
    with pytest.raises(feed.GoneError):
        old.catch_up()


def test_where_nobody_follows_nothing_is_kept_of_somebody_forgotten(small):
    small.segment("recent", "last_order_date > -3d")
    small.order("ann")
    small.run()
    forget(small, "ann")
    with reading(small.engine) as session:
        assert session.execute(select(table(Handover))).all() == []


def test_a_segment_that_begins_anew_under_its_old_tag_is_read_anew(followed):
    small = followed
    small.order("ann")
    small.run()
    one = Follower(small, "recent")
    with small.change() as (session, shop):
        tag = keep.known(session, shop.shop_id, small.ids["recent"]).tag
        keep.remove(session, shop, small.ids["recent"])
        assert keep.add(session, shop, "recent", "last_order_date < 2020-01-01", tag).segment_id == small.ids["recent"]
    small.run()
    with pytest.raises(feed.GoneError):
        one.catch_up()
