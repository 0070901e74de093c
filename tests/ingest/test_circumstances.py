"""How orders came about, what lies in carts and where products belong: each kept by whatever record tells it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from connectors.records import Cart, Customer, LineItem, Order, Product
from plugin import clock, ingest, shops
from plugin.db import reading, transaction
from plugin.models import commerce
from plugin.models.segments import Stale, Wake

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PHONE = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
ANN, BO = (Customer(name, NOW - DAY, created_at=NOW - 9 * DAY) for name in ("ann", "bo"))


@pytest.fixture(autouse=True)
def now():
    with clock.freeze(NOW):
        yield


@pytest.fixture
def new_shop(engine):
    """Return what makes a shop and stores batches of records in it."""
    made = []

    def make(*batches):
        made.append(None)
        name = f"shop{len(made)}"
        with transaction(engine) as session:
            shop, _ = shops.add_shop(
                session,
                name=name,
                platform="shopify",
                domain=f"{name}.example.com",
                zone="Europe/London",
                currency="GBP",
            )
        for batch in batches:
            with transaction(engine) as session:
                ingest.store(session, shops.shop(session, shop.shop_id), "store", batch)
        return shop.shop_id

    return make


def rows(engine, model, shop_id):
    with reading(engine) as session:
        return session.exec(select(model).where(model.shop_id == shop_id)).all()


def any_order(told):
    """Yield what was told from each of its beginnings on, forwards and backwards."""
    for turned in (told, told[::-1]):
        yield from ([*turned[at:], *turned[:at]] for at in range(len(told)))


def order(updated_at=NOW - HOUR, **more):
    return Order("1", NOW - DAY, updated_at, 1000, "GBP", customer=ANN, **more)


def test_what_one_record_tells_of_how_an_order_came_about_stays_whatever_others_leave_out(engine, new_shop):
    told = [
        order(NOW - 3 * HOUR, user_agent=PHONE, location_id="7", source_name="Web"),
        order(NOW - 2 * HOUR, landing_site="/?utm_source=%20Spring%20", user_agent=None, app_id="9"),
        order(NOW - HOUR, referring_site="https://www.Blog.example.com/a"),
    ]
    for arrival in any_order(told):
        for batches in ([arrival], [[one] for one in arrival]):
            [row] = rows(engine, commerce.Order, new_shop(*batches))
            assert (row.device, row.browser, row.operating_system) == ("mobile", "chrome", "android")
            assert (row.campaign, row.referrer) == ("spring", "blog.example.com")
            assert (row.source_name, row.channel, row.location_id, row.app_id) == ("Web", "web", "7", "9")
            assert row.updated_at == NOW - HOUR


@pytest.mark.parametrize(
    ("landing_site", "referring_site", "campaign", "referrer"),
    [
        ("/?gclid=1&utm_source=&utm_source=News", "https://shop1.example.com/cart", "news", None),
        (
            "https://shop1.example.com/a?utm_medium=x",
            "http://WWW.search.example.com:80/?q=1",
            None,
            "search.example.com",
        ),
        ("//[", "https://[bad", None, None),
        (None, "android-app://com.example.mail/", None, "com.example.mail"),
        ("", "not an address", None, None),
    ],
)
def test_sources_are_read_from_the_pages_that_an_order_names(
    engine, new_shop, landing_site, referring_site, campaign, referrer
):
    [row] = rows(engine, commerce.Order, new_shop([order(landing_site=landing_site, referring_site=referring_site)]))
    assert (row.campaign, row.referrer) == (campaign, referrer)


def test_lines_keep_category_and_collections_as_first_known_though_webhooks_tell_no_collections(engine, new_shop):
    webhook = Product("5", NOW - 3 * DAY, category="Home > Mugs", category_id="hg-1")
    history = Product("5", NOW - 2 * DAY, category="Home > Cups", category_id="hg-2", collections=("c1", "c2"))
    moved = Product("5", NOW - HOUR, category="Home", category_id="hg", collections=())
    bought = order(lines=(LineItem("l", 1, product_id="5", amount_minor=1000),))
    for arrival in any_order([webhook, history, moved, bought]):
        shop_id = new_shop(*([one] for one in arrival))
        [line] = rows(engine, commerce.LineItem, shop_id)
        assert (line.product_category, line.product_category_id) == ("Home > Cups", "hg-2")
        assert line.product_collections == ("c1", "c2")
    [line] = rows(engine, commerce.LineItem, new_shop([webhook, moved, bought]))
    assert (line.product_category, line.product_collections) == ("Home > Mugs", ())


def test_carts_keep_what_lies_in_them_and_their_worth_in_the_shops_money(engine, new_shop):
    told = [
        Cart("c", NOW - 3 * HOUR, products=("1", "2")),
        Cart("c", NOW - 2 * HOUR, customer=ANN, total_minor=500, currency="GBP", products=("2", "3")),
        Cart("c", NOW - HOUR),
        Cart("d", NOW - HOUR, customer=ANN, total_minor=500, currency="JPY", products=()),
    ]
    for arrival in any_order(told):
        shop_id = new_shop(*([one] for one in arrival))
        known = {
            one.cart_id: (one.product_ids, one.amount_minor, one.total_minor)
            for one in rows(engine, commerce.Cart, shop_id)
        }
        assert known == {"c": (("2", "3"), 500, 500), "d": ((), None, 500)}


def test_a_cart_that_changes_hands_concerns_both_and_wakes_its_owner_at_each_of_its_moments(engine, new_shop):
    shop_id = new_shop([Cart("c", NOW - HOUR, customer=ANN)])
    with transaction(engine) as session:
        session.exec(Stale.__table__.delete())
        later = Cart("c", NOW - HOUR / 2, customer=BO, completed_at=NOW + HOUR)
        ingest.store(session, shops.shop(session, shop_id), "store", [later, order(cart_ids=("c",))])
    assert {one.customer_id for one in rows(engine, Stale, shop_id)} == {"ann", "bo"}
    assert {(one.customer_id, one.wake_at) for one in rows(engine, Wake, shop_id)} == {
        ("bo", NOW + HOUR / 2),
        ("bo", NOW + HOUR),
    }
