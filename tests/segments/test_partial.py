"""While a store shows only the orders of its last weeks, nothing is asked that needs all of them."""

from datetime import UTC, datetime

import pytest

from plugin import shops
from plugin.db import transaction
from plugin.models.shops import Shop
from plugin.segments.kept import keep
from plugin.segments.kept.allowed import check
from plugin.segments.language.errors import Code, SegmentErrors
from plugin.segments.language.vocabulary import WHOLE_TABLE

SINCE = datetime(2026, 9, 23, tzinfo=UTC)
PART = Shop(name="Acme", history_since_at=SINCE)

ALL = (
    "«number_of_orders >= 3»",
    "last_order_date >= -30d AND «amount_spent > 100»",
    "NOT («first_order_date < -1y» OR customer_countries CONTAINS 'DE')",
    "«rfm_group = 'LOYAL'» OR «rfm_monetary >= 4»",
    "«products_purchased MATCHES (tag = 'running', count >= 2)»",
    "«orders_placed IS NULL»",
)
PART_WILL_DO = (
    "last_order_date >= -30d",
    "orders_placed MATCHES (date >= -30d, count >= 2)",
    "products_purchased NOT MATCHES (date > -1m, tag = 'running')",
    "storefront.product_viewed MATCHES (count >= 2) AND customer_tags CONTAINS 'vip'",
    "shopify_rfm_group = 'LOYAL'",
)


@pytest.mark.parametrize("marked", ALL)
def test_what_needs_every_order_is_not_available_and_it_is_said_how_they_come(marked):
    query = marked.replace("«", "").replace("»", "")
    found = check(query, PART, WHOLE_TABLE, for_rewards=False)
    assert not found.ok
    assert {one.code for one in found.errors} == {Code.NOT_AVAILABLE}
    assert all("import-orders" in one.message and "2026-09-23" in one.message for one in found.errors)
    places = [query[one.start : one.end] for one in found.errors]
    assert places == [part.partition("»")[0] for part in marked.split("«")[1:]]


@pytest.mark.parametrize("query", PART_WILL_DO)
def test_what_the_last_weeks_tell_is_available(query):
    assert check(query, PART, WHOLE_TABLE, for_rewards=False).ok


@pytest.mark.parametrize(
    "shop",
    [
        Shop(name="Acme", history_since_at=SINCE, history_at=SINCE),  # the merchant says that there are no older ones
        Shop(name="Acme", history_at=SINCE),
        Shop(name="Acme"),
    ],
)
def test_once_the_rest_is_in_everything_is(shop):
    assert check("number_of_orders >= 3", shop, WHOLE_TABLE, for_rewards=False).ok


def test_a_segment_from_before_can_still_be_renamed(engine):
    with transaction(engine) as session:
        shop, _ = shops.add_shop(
            session, name="Acme", platform="shopify", domain="acme.example.com", zone="UTC", currency="EUR"
        )
        segment = keep.add(session, shop, "Regulars", "number_of_orders >= 3")
        shop.history_since_at = SINCE
        session.flush()
        given = {"query": segment.query, "tag": segment.tag}
        assert keep.edit(session, shop, segment.segment_id, name="Friends", **given).name == "Friends"
        with pytest.raises(SegmentErrors):
            keep.edit(session, shop, segment.segment_id, **(given | {"name": "Friends", "query": "amount_spent > 5"}))
