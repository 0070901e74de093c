"""A year of a real shop's orders: the app and the plain evaluator find the same customers by every name it can feed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from plugin import clock, shops
from plugin.db import reading, table, transaction
from plugin.imports import import_orders
from plugin.models.commerce import Customer
from plugin.segments.asking import ask
from tests import oracle
from tests.worlds import world_of_export

AT = datetime(2011, 12, 10, 12, tzinfo=UTC)
ZONE, CURRENCY = "Europe/London", "GBP"
customers = table(Customer)

# What an order export tells of: each name with a condition that some meet, where any do.
QUERIES = (
    "number_of_orders BETWEEN 3 AND 7",
    "amount_spent > 1000.50",
    "historic_value <= 250",
    "first_order_date >= -60d",
    "last_order_date BETWEEN -6m AND -90d",
    "customer_added_date < 2011-03-27",
    "customer_countries CONTAINS 'fr' OR customer_countries CONTAINS 'DE'",
    "customer_countries NOT CONTAINS 'GB' AND amount_spent >= 300",
    "customer_email_domain = 'example.com'",
    "email_subscription_status = 'NOT_SUBSCRIBED'",
    "sms_subscription_status IS NULL",
    "abandoned_checkout_date IS NULL",
    "average_order_value >= 499.99",
    "largest_order < 200",
    "days_between_orders BETWEEN 14.5 AND 60",
    "favourite_vendor = 'Online Retail'",
    "favourite_category IS NULL",
    "discount_habit = 'FULL_PRICE'",
    "discount_share = 0",
    "first_source = 'direct'",
    "last_source IS NOT NULL",
    "sales_channels CONTAINS 'web'",
    "devices IS NULL",
    "rfm_group = 'CHAMPIONS'",
    "rfm_group IN ('AT_RISK', 'ALMOST_LOST', 'NEEDS_ATTENTION')",
    "rfm_recency = 5 AND rfm_frequency <= 2",
    "rfm_monetary >= 4",
    "spend_percentile >= 90",
    "products_purchased MATCHES (sku = '85123A', date >= -180d, sum_quantity >= 12)",
    "products_purchased MATCHES (sku IN ('22423', '85099B'), count >= 3)",
    "products_purchased MATCHES (title = 'WHITE HANGING HEART T-LIGHT HOLDER', quantity > 6)",
    "products_purchased MATCHES (vendor = 'Online Retail', sum_amount < 100)",
    "products_purchased MATCHES (amount >= 250.25, date < -3m)",
    "products_purchased NOT MATCHES (date > -3m)",
    "products_purchased IS NULL",
    "orders_placed MATCHES (date >= -90d, count >= 3, sum_amount >= 500)",
    "orders_placed MATCHES (amount BETWEEN 100 AND 150, channel = 'web')",
    "orders_placed MATCHES (country = 'FR', date < 2011-06-01)",
    "orders_placed MATCHES (financial_status IN ('partially_refunded', 'refunded'), count >= 2)",
    "orders_placed MATCHES (discounted = true) OR orders_placed MATCHES (discount_code = 'A')",
    "refunds IS NOT NULL",
    "NOT (number_of_orders >= 2 OR amount_spent > 400)",
)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_by_every_name_that_an_order_export_feeds_the_same_customers_are_found(engine, shared):
    export = shared / "data" / "orders_export_full.csv.gz"
    snapshot = oracle.Snapshot(world_of_export(export, ZONE, CURRENCY), AT, always=True)
    with clock.freeze(AT):
        with transaction(engine) as session:
            shop, _ = shops.add_shop(
                session, name="One", platform="shopify", domain="one.example.com", zone=ZONE, currency=CURRENCY
            )
            shop_id = shop.shop_id
        import_orders(engine, shop_id, export)
        with reading(engine) as session:
            shop = shops.shop(session, shop_id)
            contacts = dict(session.execute(select(customers.c.customer_id, customers.c.contact)).all())
            found = {
                query: {contacts[one.customer_id] for one in ask.members(session, shop, query)} for query in QUERIES
            }
    differ = {query: found[query] ^ oracle.meeting(snapshot, query) for query in QUERIES}
    assert len(contacts) == 4339
    assert not {query: sorted(who)[:3] for query, who in differ.items() if who}
