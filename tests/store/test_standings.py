"""Subscriptions, companies and store credit are read at night, move members, and are refused where nobody tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.records import CreditMove, CustomerRedaction, Merged, Standing, StoreCredit
from plugin import ingest
from plugin.db import transaction
from plugin.ingest.credit import State, states
from plugin.models.segments import Membership
from plugin.models.standing import Standing as StandingRow
from plugin.models.standing import StoreCredit as CreditRow
from plugin.privacy import redact_customer
from plugin.segments.asking.ask import members
from plugin.segments.kept import keep
from plugin.segments.language.errors import SegmentErrors

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def night(world):
    world.time.move(days=1)
    world.work("ratings")


def ids_of(world, query, at=None):
    with transaction(world.engine) as session:
        return {one.customer_id for one in members(session, world.shop(), query, at)}


def standing(subscriber="NEVER_SUBSCRIBED", companies=(), credit=()):
    return {"subscriber": subscriber, "companies": list(companies), "credit": list(credit)}


@pytest.fixture
def people(world):
    """Three customers: one who subscribes, one with store credit that expires in two days, one with neither."""
    granted = {
        "at": world.time().isoformat(),
        "amount_minor": 1500,
        "expires_at": (world.time() + 2 * DAY).isoformat(),
        "remaining_minor": 1500,
    }
    account = {"id": 77, "currency": "GBP", "moves": [granted]}
    gids = world.stand_in.add(
        {"email": f"p{number}@example.com", "standing": told}
        for number, told in enumerate((standing("ACTIVE", [70]), standing(credit=[account]), standing()))
    )
    return [gid.rpartition("/")[2] for gid in gids]


def test_what_was_read_at_night_is_asked_for_by_segments(world, people):
    night(world)
    assert ids_of(world, "product_subscription_status = 'SUBSCRIBED'") == {people[0]}
    assert ids_of(world, "companies CONTAINS 70") == ids_of(world, "companies IS NOT NULL") == {people[0]}
    assert ids_of(world, "product_subscription_status = 'NEVER_SUBSCRIBED'") == set(people[1:])
    assert ids_of(world, "store_credit_accounts MATCHES (balance >= 15, currency = 'GBP')") == {people[1]}
    assert ids_of(world, "store_credit_accounts MATCHES (next_expiry_date BETWEEN today AND +7d)") == {people[1]}
    assert ids_of(world, "store_credit_accounts IS NULL") == {people[0], people[2]}


def test_a_change_keeps_what_was_so_before(world, people):
    night(world)
    before = world.time()
    known = world.stand_in.state.get("customer", people[0])
    world.stand_in.state.set("customer", people[0], known | {"standing": standing("PAUSED")})
    night(world)
    night(world)
    assert ids_of(world, "product_subscription_status = 'PAUSED' AND companies IS NULL") == {people[0]}
    assert ids_of(world, "product_subscription_status = 'SUBSCRIBED'", before) == {people[0]}
    assert len(world.rows(StandingRow)) == 4


def test_credit_that_expires_moves_members_by_time_alone(world, people):
    night(world)
    with transaction(world.engine) as session:
        keep.add(session, world.shop(), "Credit", "store_credit_accounts MATCHES (balance > 0)")
    world.time.move(minutes=1)
    world.work("recompute")
    assert world.rows(Membership, "customer_id") == [(people[1],)]
    world.time.move(days=1)
    world.work("recompute")
    assert world.rows(Membership) == []


def test_before_the_first_night_they_are_not_available_and_it_is_said_why(world, people):
    for query in ("companies IS NOT NULL", "store_credit_accounts IS NOT NULL"):
        with pytest.raises(SegmentErrors) as refused:
            ids_of(world, query)
        [error] = refused.value.errors
        assert error.code == "NOT_AVAILABLE"
        assert "lets the app see it" in error.message


def test_who_is_merged_brings_their_credit_and_leaves_their_standing(world, people):
    night(world)
    told = [Merged(people[2], one, world.time()) for one in people[:2]]
    with transaction(world.engine) as session:
        ingest.store(session, world.shop(), world.connection_id, told)
    assert world.rows(StandingRow) == []
    assert {row.customer_id for row in world.rows(CreditRow)} == {people[2]}


def test_of_somebody_forgotten_nothing_is_kept(world, people):
    night(world)
    for one in people:
        with transaction(world.engine) as session:
            redact_customer(session, world.shop(), CustomerRedaction(one, None))
    assert (world.rows(StandingRow), world.rows(CreditRow)) == ([], [])
    night(world)
    assert (world.rows(StandingRow), world.rows(CreditRow)) == ([], [])


def test_the_newest_record_of_an_account_counts_in_whatever_order_it_comes(world, people):
    at = world.time()
    newer = StoreCredit("5", people[2], at, "GBP", 300, (CreditMove(at, 300, 300, True, None, 300),))
    older = StoreCredit("5", people[2], at - DAY, "GBP", 0)
    subscribed = [Standing(people[2], at, "SUBSCRIBED"), Standing(people[2], at - DAY, "PAUSED")]
    for records in ([newer, *subscribed], [older]):
        with transaction(world.engine) as session:
            ingest.store(session, world.shop(), world.connection_id, records)
    assert world.rows(CreditRow, "balance_minor", "changed_at") == [(300, at)]
    assert [row.value for row in sorted(world.rows(StandingRow), key=lambda row: row.told_at)] == [
        "PAUSED",
        "SUBSCRIBED",
    ]


def granted(day, minor, balance, until, left):
    ends = until and START + until * DAY
    return CreditMove(START + day * DAY, minor, balance, True, ends, left)


def test_an_account_stands_as_what_expires_soonest_is_spent_first_and_then_expires():
    moves = (
        granted(0, 500, 500, 30, 200),
        granted(1, 1000, 1500, None, 1000),
        CreditMove(START + 2 * DAY, -400, 1100),
        granted(3, 100, 1200, 10, 0),
        CreditMove(START + 4 * DAY, 100, 1300),  # an order was cancelled: what paid for it is given back
        CreditMove(START + 5 * DAY, -100, 1200),
    )
    told = StoreCredit("5", "7", START + 6 * DAY, "GBP", 1200, moves)
    days = [(one.changed_at - START).days for one in states(told)]
    balances = [one.balance_minor for one in states(told)]
    expiries = [one.next_expiry_at and (one.next_expiry_at - START).days for one in states(told)]
    assert days == [0, 1, 2, 3, 4, 5, 30]
    assert balances == [500, 1500, 1100, 1200, 1300, 1200, 1000]
    assert expiries == [30, 30, 30, 10, 10, 30, None]
    assert [one.last_credit_at for one in states(told)][-2:] == [START + 3 * DAY] * 2


def test_an_account_without_transactions_stands_as_it_was_told():
    assert states(StoreCredit("5", "7", START, "GBP", 1200)) == [State(START, 1200)]
