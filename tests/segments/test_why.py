"""What a merchant is told of one customer and one segment, in words and for programs."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from connectors.records import Address, Cart, Customer, LineItem, Order
from plugin import clock, dates, ingest, shops
from plugin.__main__ import main
from plugin.commands import why
from plugin.db import reading, transaction
from plugin.insight import customers
from plugin.insight.telling import Voice
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.segments.kept import keep
from plugin.segments.why.explain import explain
from plugin.segments.why.seen import UnknownCustomerError
from tests.segments import test_scores
from tests.segments.test_recompute import run

NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)  # noon in New York
ADDED = datetime(2026, 8, 1, 12, tzinfo=UTC)
LAST = datetime(2026, 9, 13, 14, 5, tzinfo=UTC)

QUERY = (
    "(number_of_orders >= 2 OR amount_spent > 500) AND last_order_date > -90d"
    " AND NOT orders_placed MATCHES (date >= -1m) AND customer_countries CONTAINS 'US'"
)


def order(number, placed_at, minor):
    anna = Customer("1", ADDED, ADDED, email="anna@example.com", addresses=[Address("US"), Address("CA")])
    mug = LineItem("1", 2, title="Mug", sku="A-1", amount_minor=minor)
    return Order(
        f"o{number}",
        placed_at,
        placed_at,
        minor,
        "USD",
        name=f"#100{number}",
        customer=anna,
        email=anna.email,
        lines=[mug],
    )


@pytest.fixture
def kept(engine):
    """A shop in New York, of whose customers one has ordered twice, and a segment that she is in."""
    with clock.freeze(NOW):
        with transaction(engine) as session:
            shop, _ = shops.add_shop(
                session,
                name="One",
                platform="shopify",
                domain="one.myshopify.com",
                zone="America/New_York",
                currency="USD",
            )
            keep.add(session, shop, "Regulars", QUERY)
        run(engine)
        with transaction(engine) as session:
            told = [order(1, ADDED + timedelta(days=1), 2000), order(2, LAST, 1450)]
            cart = Cart("k1", NOW - timedelta(minutes=10), customer=told[0].customer, email="anna@example.com")
            ingest.store(session, session.scalars(select(Shop)).one(), "store", [*told, cart])
        run(engine)
        yield engine


def ask(engine, query=None, at=None):
    """What is found of the only customer, and how it is told."""
    with reading(engine) as session:
        shop = session.scalars(select(Shop)).one()
        found = explain(session, shop, query or session.scalars(select(Segment)).one(), "1", at)
        return found, Voice(shop)


def clauses(part):
    return [part] if part.clause else [leaf for one in part.parts for leaf in clauses(one)]


def test_each_clause_is_told_with_what_it_saw_and_whether_it_decides(kept):
    found, voice = ask(kept)
    told = [(one.text, one.verdict, one.decides, voice.saw(one)) for one in clauses(found.whole)]
    assert told == [
        ("number_of_orders >= 2", True, True, "2"),
        ("amount_spent > 500", False, False, "$34.50"),
        ("last_order_date > -90d", True, True, "13 Sep 2026, 10:05"),
        ("orders_placed MATCHES (date >= -1m)", False, True, "0 found"),
        ("customer_countries CONTAINS 'US'", True, True, "ca, us"),
    ]
    assert [one.kind for one in (found.whole, *found.whole.parts)] == ["and", "or", "clause", "not", "clause"]


def test_rows_that_a_function_chose_are_counted_summed_up_and_the_latest_named(kept):
    found, voice = ask(kept, "orders_placed MATCHES (date >= 2026-01-01, sum_amount > 30, count < 9)")
    assert voice.saw(found.whole) == "2 found; Amount in all: $34.50; #1002 (13 Sep 2026); #1001 (2 Aug 2026)"
    found, voice = ask(kept, "products_purchased MATCHES (sku = 'A-1', sum_quantity > 1)")
    assert voice.saw(found.whole) == "2 found; Units in all: 4; Mug (13 Sep 2026); Mug (2 Aug 2026)"


def test_since_when_and_why_comes_from_the_history(kept):
    found, _ = ask(kept)
    assert (found.standing.member, found.standing.since, found.standing.cause) == (True, NOW, "order")
    found, _ = ask(kept, at=NOW - timedelta(days=1))
    assert (found.standing.member, found.standing.since) == (False, None)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            "last_order_date > -90d",
            "Leaves on 12 Dec 2026 if nothing happens: 90 days after the latest order that counts (13 Sep 2026).",
        ),
        (
            "NOT last_order_date > -3m",
            "Enters on 13 Dec 2026 if nothing happens: 3 months after the latest order that counts (13 Sep 2026).",
        ),
        (
            "orders_placed NOT MATCHES (date >= -90d, count >= 1) OR customer_tags CONTAINS 'vip'",
            "Enters on 13 Dec 2026 if nothing happens: 91 days after the order #1002 (13 Sep 2026).",
        ),
        (
            "abandoned_checkout_date IS NOT NULL",
            "Enters on 22 Nov 2026, 12:50 if nothing happens: abandoned_checkout_date IS NOT NULL holds from then on.",
        ),
        (
            "abandoned_checkout_date < -6d",
            (
                "Enters on 29 Nov 2026 if nothing happens:"
                " 7 days after the latest abandoned checkout or cart (22 Nov 2026)."
            ),
        ),
        ("amount_spent > 30", "If nothing happens, this stays so until 22 Nov 2029 at least."),
        ("first_order_date < -9y", "If nothing happens, this stays so until 22 Nov 2029 at least."),
    ],
)
def test_when_it_ends_is_told_with_its_reason(kept, query, said):
    found, voice = ask(kept, query)
    assert voice.next(found) == said


def test_from_a_moment_in_the_past_only_what_was_known_then_is_foreseen(kept):
    before = dates.day_start(date(2026, 9, 1), "America/New_York")
    found, voice = ask(kept, "last_order_date >= -30d", before)
    assert voice.saw(found.whole) == "2 Aug 2026, 08:00"
    assert found.next.at == dates.day_start(date(2026, 9, 2), "America/New_York")


def test_scores_are_foreseen_to_be_worked_out_anew_at_midnight(engine):
    told = [test_scores.order(number, number, NOW - timedelta(days=number), 1000) for number in range(60)]
    with clock.freeze(NOW):
        test_scores.open_shop(engine)
        test_scores.score_now(engine)
        test_scores.hear(engine, told)
        test_scores.score_now(engine)
        test_scores.hear(engine, [])
        test_scores.hear(engine, [test_scores.order(60, 60, NOW - timedelta(days=100), 1000)])
        with reading(engine) as session:
            shop, last = session.scalars(select(Shop)).one(), "c60"
            [segment] = [one for one in keep.all_of(session, shop.shop_id) if one.query == "rfm_group = 'DORMANT'"]
            found = explain(session, shop, segment, last)
    assert (found.decision.verdict, found.whole.saw) == (False, "NEW")
    assert (found.next.at, found.next.verdict) == (datetime(2026, 11, 23, 5, tzinfo=UTC), True)
    with clock.freeze(found.next.at):
        test_scores.hear(engine, [])  # the scores of the new day
        test_scores.hear(engine, [])  # and those whom they move
        assert last in test_scores.memberships(engine)[segment.query]


def test_the_command_tells_the_same_in_lines_and_for_programs(kept):
    found, voice = ask(kept)
    assert list(why.lines(found, "Regulars", voice)) == [
        "1\tin\tRegulars",
        "member since 22 Nov 2026, 12:00: an order",
        "yes*\tAND",
        "  yes*\tOR",
        "    yes*\tnumber_of_orders >= 2\t2",
        "    no\tamount_spent > 500\t$34.50",
        "  yes*\tlast_order_date > -90d\t13 Sep 2026, 10:05",
        "  yes*\tNOT",
        "    no*\torders_placed MATCHES (date >= -1m)\t0 found",
        "  yes*\tcustomer_countries CONTAINS 'US'\tca, us",
        voice.next(found),
    ]
    answer = json.loads(json.dumps(why.described(found, voice)))
    assert (answer["verdict"], answer["member"], answer["cause"], len(answer["whole"]["parts"])) == (
        *(True, True, "order"),
        4,
    )
    assert answer["next"]["at"] == "2026-12-12T00:00:00-05:00"
    assert answer["next"]["reasons"][0]["value"] == "2026-09-13T10:05:00-04:00"
    assert main(["segments", "why", "--shop", "One", "--customer", "1"]) == 2


def test_a_customer_is_found_by_id_or_address_and_told_apart_from_nobody(kept):
    with reading(kept) as session:
        shop_id = session.scalars(select(Shop)).one().shop_id
        assert [customers.named(session, shop_id, typed).customer_id for typed in ("1", " Anna@Example.com")] == [
            "1",
            "1",
        ]
        assert customers.named(session, shop_id, "nobody@example.com") is None
    with pytest.raises(UnknownCustomerError):
        ask(kept, "number_of_orders = 0", ADDED - timedelta(days=1))
