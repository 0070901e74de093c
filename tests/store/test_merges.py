"""Customers whom the merchant merges are one from then on: orders, addresses, tags, and whatever is told late."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from connectors.records import Consent, Customer, CustomerRedaction, Deleted, Merged, Order, TagsChanged
from plugin import clock, ingest, privacy
from plugin.db import table, transaction, upsert
from plugin.models.commerce import ConsentChange, CustomerAlias, EmailAddress
from plugin.models.commerce import Customer as CustomerRow
from plugin.models.commerce import Order as OrderRow
from plugin.models.segments import Stale
from plugin.models.tagging import LedgerEntry, Push
from plugin.segments.kept import keep

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEPT, GONE, FIRST = "9007199254740993", "9007199254740994", "9007199254740995"


def account(customer_id, at=AT, email=None, **more):
    return Customer(customer_id, at, AT - timedelta(days=30), email=email or f"{customer_id}@example.com", **more)


def order(order_id, customer_id, at=AT):
    return Order(order_id, at, at, 1000, "GBP", customer=account(customer_id), email=f"{customer_id}@example.com")


TOLD = (
    account(KEPT),
    account(GONE, phone="+441134960000"),
    order("1", KEPT),
    order("2", GONE),
    Merged(KEPT, GONE, AT + HOUR),
)
LATE = (
    account(GONE, AT + 2 * HOUR, "newer@example.com", first_name="Somebody else"),
    Consent("email", "SUBSCRIBED", AT + 2 * HOUR, GONE),
    Deleted("customer", GONE, AT + 2 * HOUR),
)


def store(world, *told):
    with transaction(world.engine) as session:
        ingest.store(session, world.shop(), world.connection_id, told)


def orders_of(world):
    return dict(world.rows(OrderRow, "order_id", "customer_id"))


def snapshot(world):
    models = (CustomerRow, CustomerAlias, EmailAddress, OrderRow, ConsentChange)
    found = {model.__tablename__: sorted(map(repr, world.rows(model))) for model in models}
    with transaction(world.engine) as session:
        for model in models:
            session.execute(table(model).delete())
    return found


def test_orders_and_addresses_are_those_of_the_one_who_was_kept(world):
    store(world, *TOLD)
    assert orders_of(world) == {"1": KEPT, "2": KEPT}
    assert [row.customer_id for row in world.rows(CustomerRow)] == [KEPT]
    assert {row.customer_id for row in world.rows(EmailAddress)} == {KEPT}
    assert KEPT in {row.customer_id for row in world.rows(Stale)}


def test_what_is_told_late_of_the_other_changes_nothing_of_who_was_kept(world):
    store(world, *TOLD)
    [before] = world.rows(CustomerRow)
    store(world, *LATE)
    [row] = world.rows(CustomerRow)
    assert row == before
    assert row.deleted_at is None
    assert [row.customer_id for row in world.rows(ConsentChange)] == [KEPT]


def test_any_order_and_repetition_end_in_the_same_rows(world):
    told = (TOLD[1], TOLD[3], TOLD[4], *LATE)
    store(world, *TOLD, *LATE)
    expected = snapshot(world)
    for number, each in enumerate(permutations(told)):
        if number % 97:
            continue
        store(world, TOLD[0])
        for one in each:
            store(world, one)
        store(world, *each[:3], TOLD[2])
        assert snapshot(world) == expected, each


@pytest.mark.parametrize("merges", list(permutations([Merged(KEPT, GONE, AT), Merged(GONE, FIRST, AT - HOUR)])))
def test_chains_end_at_the_last(world, merges):
    store(world, account(KEPT), order("1", FIRST, AT - 2 * HOUR), *(account(one) for one in (GONE, FIRST)))
    for merge in merges:
        store(world, merge)
    assert dict(world.rows(CustomerAlias, "alias_id", "customer_id")) == {GONE: KEPT, FIRST: KEPT}
    assert orders_of(world) == {"1": KEPT}


def test_a_merge_back_moves_nothing(world):
    store(world, *TOLD)
    store(world, Merged(GONE, KEPT, AT + 3 * HOUR))
    assert orders_of(world) == {"1": KEPT, "2": KEPT}
    assert [row.customer_id for row in world.rows(CustomerRow)] == [KEPT]


@pytest.fixture
def tagged(world):
    """Both carry tags of ours; the merge brings those of the other to the one who is kept."""
    with transaction(world.engine) as session:
        keep.add(session, world.shop(), "VIP", "number_of_orders >= 1")
        keep.add(session, world.shop(), "New", "number_of_orders = 1")
        rows = [(GONE, "seg:vip", "confirmed"), (GONE, "seg:new", "removed"), (KEPT, "seg:new", "confirmed")]
        key = {"shop_id": world.shop_id, "connection_id": world.connection_id}
        upsert(
            session,
            table(LedgerEntry),
            [
                key | {"contact": contact, "folded": tag, "tag": tag, "state": state, "changed_at": AT - HOUR}
                for contact, tag, state in rows
            ],
        )
    return world


def ledger(world):
    return {(row.contact, row.folded): row.state for row in world.rows(LedgerEntry)}


def test_our_tags_are_still_known_as_ours(tagged):
    store(tagged, *TOLD[:4])
    store(tagged, TOLD[4])
    assert ledger(tagged) == {(KEPT, "seg:vip"): "confirmed", (KEPT, "seg:new"): "confirmed"}
    assert {row.contact for row in tagged.rows(Push)} == {KEPT}


def test_also_where_the_tag_is_told_before_the_merge(tagged):
    with clock.freeze(AT + HOUR):
        store(tagged, account(KEPT), TagsChanged(KEPT, AT + HOUR, added=("seg:vip",)))
        assert ledger(tagged)[KEPT, "seg:vip"] == "foreign"
        store(tagged, *TOLD)
    assert ledger(tagged)[KEPT, "seg:vip"] == "confirmed"


def test_a_tag_that_the_merchant_gave_long_before_stays_theirs(tagged):
    store(tagged, account(KEPT), TagsChanged(KEPT, AT - HOUR, added=("seg:vip",)))
    store(tagged, *TOLD)
    assert ledger(tagged)[KEPT, "seg:vip"] == "foreign"


def test_somebody_forgotten_is_not_brought_back_by_a_merge(world):
    store(world, *TOLD[:4])
    with clock.freeze(AT + 2 * HOUR), transaction(world.engine) as session:
        privacy.redact_customer(session, world.shop(), CustomerRedaction(GONE, f"{GONE}@example.com"))
        privacy.redact_customer(session, world.shop(), CustomerRedaction(KEPT, f"{KEPT}@example.com"))
    store(world, Merged(KEPT, GONE, AT + HOUR))
    store(world, Merged(KEPT, GONE, AT + 3 * HOUR))
    assert world.rows(CustomerRow) == world.rows(CustomerAlias) == []


def test_forgetting_who_was_kept_forgets_the_other_too(world):
    store(world, *TOLD)
    with clock.freeze(AT + 2 * HOUR), transaction(world.engine) as session:
        privacy.redact_customer(session, world.shop(), CustomerRedaction(KEPT, None))
    assert world.rows(CustomerRow) == world.rows(CustomerAlias) == world.rows(EmailAddress) == []
    assert orders_of(world) == {"1": None, "2": None}
