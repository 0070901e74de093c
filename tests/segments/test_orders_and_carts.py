"""What orders come to and how they came about, carts and refunds: asked by name, and kept up as time passes."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from connectors.records import Cart, Customer, LineItem, Order, Product, Refund
from plugin import clock, ingest, lanes, shops
from plugin.db import reading, transaction
from plugin.models.segments import CustomerStats, Membership, Segment
from plugin.segments.asking import ask
from plugin.segments.kept import keep
from plugin.segments.language import check
from plugin.segments.language.errors import SegmentErrors
from plugin.segments.language.vocabulary import Vocabulary
from plugin.worker import work_all

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TABLET = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"


def person(name):
    return Customer(name, NOW - 99 * DAY, created_at=NOW - 99 * DAY)


def order(order_id, buyer, placed_at, total_minor=1000, **more):
    return Order(order_id, placed_at, placed_at, total_minor, "GBP", customer=person(buyer), **more)


MUG = Product("5", NOW - 90 * DAY, category="Home > Mugs", category_id="hg-1", collections=("71",))
TOLD = [
    MUG,
    order(
        "1",
        "ann",
        NOW - 40 * DAY,
        1001,
        source_name="Web",
        landing_site="/?utm_source=News",
        user_agent=TABLET,
        discount_minor=100,
        lines=(LineItem("a", 3, 2, product_id="5", variant_id="55", title="Blue mug", amount_minor=1000),),
    ),
    order("2", "ann", NOW - 37 * DAY - HOUR, 1001, source_name="web", app_id="580111"),
    order("3", "ann", NOW - 30 * DAY, 1001, source_name="pos", location_id="7", financial_status="pending"),
    order("4", "bo", NOW - 2 * DAY, 5000, referring_site="https://www.blog.example.com/", discount_codes=("X",)),
    Refund("4", "r1", NOW - DAY, 1500, "GBP"),
    Refund("4", "r2", NOW - HOUR, 500, "GBP"),
    order("5", "cy", NOW - DAY, cancelled_at=NOW - HOUR, source_name="pos"),
    Refund("5", "r3", NOW - HOUR, 1000, "GBP"),
    Cart("c1", NOW - 5 * DAY, customer=person("ann"), total_minor=700, currency="GBP", products=("5", "6")),
    Cart("c2", NOW - 3 * DAY, customer=person("bo"), total_minor=900, currency="GBP", products=("5",)),
    Cart("c3", NOW - HOUR / 2, customer=person("cy"), total_minor=900, currency="JPY"),
    person("dee"),
]

ANSWERS = [
    ("average_order_value = 10.01", {"ann"}),
    ("average_order_value = 30", {"bo"}),
    ("average_order_value IS NULL", {"cy", "dee"}),
    ("largest_order BETWEEN 30 AND 30", {"bo"}),
    ("days_between_orders = 5", {"ann"}),
    ("days_between_orders IS NOT NULL", {"ann"}),
    ("days_since_last_order = 30", {"ann"}),
    ("days_since_last_order < 30", {"bo"}),
    ("days_since_last_order IS NULL", {"cy", "dee"}),
    ("first_source = 'news'", {"ann"}),
    ("last_source IN ('pos', 'blog.example.com')", {"ann", "bo"}),
    ("devices CONTAINS 'Tablet' AND browsers CONTAINS 'chrome' AND operating_systems CONTAINS 'ANDROID'", {"ann"}),
    ("sales_channels CONTAINS 'POS'", {"ann", "cy"}),
    ("sales_channels CONTAINS ''", set()),
    ("orders_placed MATCHES (channel = 'web', app_id = 580111)", {"ann"}),
    ("orders_placed MATCHES (discounted = true)", {"ann", "bo"}),
    ("orders_placed MATCHES (discounted != true, count >= 2)", {"ann"}),
    ("orders_placed MATCHES (location_id = 7, financial_status = 'pending')", {"ann"}),
    ("orders_placed MATCHES (device IN ('tablet', 'mobile'))", {"ann"}),
    ("products_purchased MATCHES (category = 'hg-1', collection_id = 71, variant_id = 55)", {"ann"}),
    ("products_purchased MATCHES (category = 'Home > Mugs', title = 'Blue mug', amount = 6.66)", {"ann"}),
    ("products_purchased MATCHES (category = 'home > mugs')", set()),
    ("carts MATCHES (status = 'abandoned', product_id = 6)", {"ann"}),
    ("carts MATCHES (status = 'ordered', amount = 9)", {"bo"}),
    ("carts MATCHES (status = 'open', amount >= 0)", set()),
    ("carts MATCHES (status != 'ordered', date >= -1d)", {"cy"}),
    ("carts IS NULL", {"dee"}),
    ("refunds MATCHES (count = 2, sum_amount = 20)", {"bo"}),
    ("refunds MATCHES (date = today, amount >= 10)", {"cy"}),
    ("refunds NOT MATCHES ()", {"ann", "dee"}),
]


@pytest.fixture
def now():
    with clock.freeze(NOW):
        yield


def new_shop(engine, platform="shopify"):
    with transaction(engine) as session:
        shop, _ = shops.add_shop(
            session, name="One", platform=platform, domain="one.example.com", zone="Europe/London", currency="GBP"
        )
    return shop


def tell(engine, shop, *records):
    with transaction(engine) as session:
        ingest.store(session, shops.shop(session, shop.shop_id), "store", records)


def work(engine):
    work_all(engine, lambda _, kind: kind == "recompute")


def members(engine):
    with reading(engine) as session:
        return set(session.exec(select(Membership.customer_id)).all())


def test_each_name_finds_whom_it_should(engine, now):
    shop = new_shop(engine)
    tell(engine, shop, *TOLD)
    with reading(engine) as session:
        for query, expected in ANSWERS:
            assert {one.customer_id for one in ask.members(session, shop, query)} == expected, query


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("days_since_last_order = 30", "last_order_date = -30d"),
        ("days_since_last_order != 0", "last_order_date != +0d"),
        ("days_since_last_order > 30", "last_order_date < -30d"),
        ("days_since_last_order <= 30", "last_order_date >= -30d"),
        ("days_since_last_order BETWEEN 7 AND 30", "last_order_date BETWEEN -30d AND -7d"),
        ("NOT days_since_last_order < -1", "NOT last_order_date > +1d"),
        ("days_since_last_order >= 9000000000", "last_order_date <= -365000d"),
        ("days_since_last_order IS NOT NULL", "last_order_date IS NOT NULL"),
    ],
)
def test_days_since_the_last_order_are_kept_as_its_date(written, kept):
    assert check(written).canonical == check(kept).canonical == kept


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ("days_since_last_order = -30d", 24),
        ("days_since_last_order BETWEEN 7 AND 3", 30),
        ("carts MATCHES (status = 'left')", 24),
        ("orders_placed MATCHES (device = 'Mobile')", 32),
    ],
)
def test_what_such_a_name_cannot_be_is_refused_at_its_place(query, at):
    [error] = check(query).errors
    assert error.start == at


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ("products_purchased MATCHES (collection_id = 3, count > 1)", 28),
        ("products_purchased(id: (1, 2), collection_id: 7) = true", 31),
    ],
)
def test_a_parameter_that_no_platform_of_the_shop_supplies_is_refused_at_its_place(query, at):
    [error] = check(query, Vocabulary(supplied=frozenset())).errors
    assert (error.code, error.start, error.end) == ("NOT_AVAILABLE", at, at + len("collection_id"))
    assert check(query).ok


def test_a_store_that_tells_no_carts_says_what_would(engine, now):
    shop = new_shop(engine, platform="elsewhere")
    with transaction(engine) as session, pytest.raises(SegmentErrors) as raised:
        keep.add(session, shop, "Left", "carts MATCHES (status = 'abandoned')")
    [error] = raised.value.errors
    assert (error.code, error.message) == (
        "NOT_AVAILABLE",
        "Nothing connected supplies carts yet: it needs a store that tells of carts",
    )


def test_a_cart_becomes_abandoned_by_time_alone_and_stops_by_an_order(engine, now):
    shop = new_shop(engine)
    with transaction(engine) as session:
        keep.add(session, shop, "Left", "carts MATCHES (status = 'abandoned', product_id = 5)")
    tell(engine, shop, Cart("c", NOW, customer=person("ann"), products=("5",)))
    for minutes, expected in ((1, set()), (59, set()), (60, {"ann"})):
        with clock.freeze(NOW + timedelta(minutes=minutes)):
            work(engine)
            assert members(engine) == expected, minutes
    with clock.freeze(NOW + 2 * HOUR):
        tell(engine, shop, order("9", "ann", NOW + 2 * HOUR))
    with clock.freeze(NOW + 3 * HOUR):
        work(engine)
        assert members(engine) == set()


def test_days_since_the_last_order_pass_at_the_shops_midnight(engine, now):
    shop = new_shop(engine)
    with transaction(engine) as session:
        keep.add(session, shop, "Gone quiet", "days_since_last_order >= 3")
        assert session.exec(select(Segment.query)).one() == "last_order_date <= -3d"
    tell(engine, shop, order("1", "ann", NOW - DAY))
    for at, expected in ((NOW + 1.4 * DAY, set()), (NOW + 1.6 * DAY, {"ann"})):
        with clock.freeze(at):
            work(engine)
            assert members(engine) == expected


def test_figures_that_no_segment_names_are_not_kept(engine, now):
    shop = new_shop(engine)
    tell(engine, shop, *TOLD)
    kept = (CustomerStats.average_order_minor, CustomerStats.first_source, CustomerStats.devices)

    def found():
        with transaction(engine) as session:
            lanes.poke(session, shop.shop_id, "recompute")
        work(engine)
        with reading(engine) as session:
            return session.exec(select(*kept).where(CustomerStats.customer_id == "ann")).one()

    with transaction(engine) as session:
        keep.add(session, shop, "Buyers", "number_of_orders >= 1")
    assert tuple(found()) == (None, None, None)
    with transaction(engine) as session:
        keep.add(session, shop, "Tablets", "devices CONTAINS 'tablet'")
    assert tuple(found()) == (None, None, ("tablet",))
