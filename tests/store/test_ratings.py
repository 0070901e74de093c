"""Shopify's own scores are read through every night, go on after a crash, and move members like any other change."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from connectors.records import Customer, CustomerRedaction, Merged, Rating, TagsChanged
from plugin import ingest, lanes
from plugin.db import table, transaction
from plugin.insight import ratings
from plugin.models.commerce import Customer as CustomerRow
from plugin.models.lanes import Lane
from plugin.models.segments import CustomerStats, Membership, Stale
from plugin.models.shops import Shop
from plugin.models.site import RatingRun
from plugin.models.tagging import Budget
from plugin.privacy import redact_customer
from plugin.segments.asking.ask import count
from plugin.segments.kept import keep
from tests.store.world import World

PEOPLE = 230  # three pages


@pytest.fixture
def people(world):
    """Customers in the store, each known here; their ids are beyond what a float can hold."""
    gids = world.stand_in.add(
        {"email": f"p{n}@example.com", "orders": n % 9, "spent_minor": n * 1000} for n in range(PEOPLE)
    )
    ids = [gid.rpartition("/")[2] for gid in gids]
    told = [Customer(one, world.time(), world.time(), email=f"p{n}@example.com") for n, one in enumerate(ids)]
    with transaction(world.engine) as session:
        ingest.store(session, world.shop(), world.connection_id, told)
    world.time.move(minutes=1)
    world.work("recompute")
    return ids


def night(world):
    world.time.move(days=1)
    world.work("ratings")


def groups(world):
    return {row.customer_id: (row.platform_rfm_group, row.spend_tier) for row in world.rows(CustomerRow)}


def expected(world):
    return {
        one["id"].rpartition("/")[2]: (one["statistics"]["rfmGroup"], one["statistics"]["predictedSpendTier"])
        for one in world.stand_in.roots["customers"](None, "ID", reverse=False, first=250)["nodes"]
    }


def test_every_customer_is_rated_at_night(world, people):
    night(world)
    assert groups(world) == expected(world)
    assert {group for group, _ in groups(world).values()} > {"PROSPECTS", "NEW", "CHAMPIONS"}
    [run] = world.rows(RatingRun)
    assert (run.rated, run.cursor, run.ended_at) == (PEOPLE, None, world.time())
    assert world.lane("ratings").due_at > world.time()


def test_segments_ask_for_them(world, people):
    with transaction(world.engine) as session:
        keep.add(session, world.shop(), "Theirs", "shopify_rfm_group = 'CHAMPIONS' AND predicted_spend_tier = 'HIGH'")
    night(world)
    world.time.move(minutes=1)
    world.work("recompute")
    members = {row.customer_id for row in world.rows(Membership)}
    assert members == {one for one, rated in expected(world).items() if rated == ("CHAMPIONS", "HIGH")}
    assert members
    with transaction(world.engine) as session:
        assert count(session, world.shop(), "shopify_rfm_group = 'CHAMPIONS'") >= len(members)
        before = world.time().replace(hour=0)
        assert count(session, world.shop(), "shopify_rfm_group IS NOT NULL", before.replace(day=22)) == 0


def test_only_those_whose_rating_changed_are_evaluated_again(world, people):
    night(world)
    world.time.move(minutes=1)
    world.work("recompute")
    state = world.stand_in.state
    changed = state.get("customer", people[8])
    state.set("customer", people[8], changed | {"orders": 0})
    night(world)
    assert [row.customer_id for row in world.rows(Stale)] == [people[8]]


def test_a_crash_goes_on_with_the_page_it_was_at(world, people):
    world.time.move(days=1)
    answered = world.stand_in.roots["customers"]
    asked = []

    def taken_over(info, sortKey, **given):  # noqa: N803
        asked.append(given.get("after"))
        if len(asked) == 2:  # what we are told now we may keep no more: somebody else is at work
            with transaction(world.engine) as session:
                session.execute(update(Lane).values(fence=table(Lane).c.fence + 1))
        return answered(info, sortKey, **given)

    world.stand_in.roots["customers"] = taken_over
    claim = lanes.claim(world.engine, world.shop_id, f"ratings:{world.connection_id}")
    lanes.attempt(world.engine, claim, ingest.rate)
    assert len(asked) == 2
    assert [row.rated for row in world.rows(RatingRun)] == [100]
    world.time.move(minutes=2)
    world.work("ratings")
    assert asked[2] == asked[1]
    assert (asked.count(None), len(asked)) == (1, 4)
    assert groups(world) == expected(world)


def test_a_page_is_paid_from_the_budget_that_tags_are_written_from(world, people):
    night(world)
    [(endpoint, left)] = world.rows(Budget, "endpoint", "left")
    assert endpoint == "graphql"
    assert left["level"] < 2000


def test_where_nothing_is_left_it_waits_and_goes_on(world, people):
    world.time.move(days=1)
    world.stand_in.bucket.take(1950)
    world.work("ratings")
    assert world.lane("ratings").due_at > world.time()
    for _ in range(20):
        world.time.move(seconds=5)
        world.work("ratings")
    assert groups(world) == expected(world)


def test_no_page_is_asked_for_with_a_token_that_is_about_to_end(world, people):
    world.time.move(days=1)
    world.token_ends(minutes=6)
    answered, asked = world.stand_in.roots["customers"], []

    def slowly(info, sortKey, **given):  # noqa: N803
        asked.append(given.get("after"))
        world.time.move(minutes=5, seconds=30)
        return answered(info, sortKey, **given)

    world.stand_in.roots["customers"] = slowly
    claim = lanes.claim(world.engine, world.shop_id, f"ratings:{world.connection_id}")
    lanes.attempt(world.engine, claim, ingest.rate)
    assert len(asked) == 1
    assert world.lane("ratings").due_at == world.time()


def test_before_the_history_is_in_nothing_is_asked(world):
    with transaction(world.engine) as session:
        session.execute(update(Shop).values(history_at=None))
    world.stand_in.add([{"email": "somebody@example.com"}])
    night(world)
    assert (world.requests, world.rows(CustomerRow)) == (0, [])


def test_who_became_part_of_somebody_else_is_not_rated(world, people):
    kept, gone = people[:2]
    told = [Merged(kept, gone, world.time()), Rating(gone, world.time(), "LOYAL")]
    with transaction(world.engine) as session:
        ingest.store(session, world.shop(), world.connection_id, told)
    assert gone not in groups(world)
    assert groups(world)[kept] == (None, None)


def test_of_somebody_forgotten_nothing_is_kept(world, people):
    with transaction(world.engine) as session:
        redact_customer(session, world.shop(), CustomerRedaction(people[0], None))
    night(world)
    assert people[0] not in groups(world)


def test_an_older_rating_does_not_undo_a_newer(world, people):
    for at, group in ((2, "LOYAL"), (1, "NEW")):
        rated = Rating(people[0], world.time().replace(hour=at), group)
        with transaction(world.engine) as session:
            ingest.store(session, world.shop(), world.connection_id, [rated])
    assert groups(world)[people[0]] == ("LOYAL", None)


def test_a_rating_tells_that_somebody_was_there_in_whatever_order_it_comes(world):
    looked = world.time()
    rated = looked - timedelta(minutes=5)
    tagged = TagsChanged("8200000000000000001", looked, ("vip",))
    for records in ([tagged, Rating("8200000000000000001", rated, "NEW")], [tagged]):
        with transaction(world.engine) as session:
            ingest.store(session, world.shop(), world.connection_id, records)
    [row] = [one for one in world.rows(CustomerRow) if one.customer_id == "8200000000000000001"]
    assert row.seen_at == rated


def test_it_is_said_where_ours_differs(world, people):
    assert differing(world) is None
    night(world)
    world.time.move(minutes=1)
    world.work("recompute")
    ours = {row.customer_id: "PROSPECTS" for row in world.rows(CustomerStats)}  # nobody has an order here
    theirs = {one: group for one, (group, _) in groups(world).items()}
    assert differing(world) == (sum(ours[one] != theirs[one] for one in ours), PEOPLE)


def differing(world: World):
    with transaction(world.engine) as session:
        return ratings.differing(session, world.shop())
