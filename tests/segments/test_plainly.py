"""Queries in plain words."""

import pytest
from flask import Flask
from flask_babel import Babel

from plugin.segments import plainly
from plugin.segments.language import parse
from plugin.segments.language.fields import FIELDS, FUNCTIONS
from plugin.segments.plainly import catalogue


@pytest.fixture(autouse=True)
def language():
    app = Flask("told")
    Babel(app)
    with app.app_context():
        yield


def sentence(query):
    return plainly.told(parse(query), plainly.Speech("en", "EUR")).sentence()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("number_of_orders >= 3", "Number of orders: at least 3"),
        ("amount_spent BETWEEN 50 AND 99.5", "Amount spent: from €50.00 to €99.50"),
        ("last_order_date < -90d", "Last order: more than 90 days ago"),
        ("last_order_date >= -1w", "Last order: in the last 1 week"),
        ("days_since_last_order > 30", "Last order: more than 30 days ago"),
        ("last_order_date = 2026-01-31", "Last order: on 31 Jan 2026"),
        ("expected_next_order_date <= +7d", "Expected next order: in 7 days at the latest"),
        ("anniversary('birth_date') BETWEEN today AND +7d", "Date of birth, each year: from today to in 7 days"),
        ("customer_countries CONTAINS 'DE'", "Country: includes Germany"),
        ("customer_tags NOT CONTAINS 'vip'", "Tags in the store: does not include “vip”"),
        ("sms_subscription_status IN ('NOT_SUBSCRIBED', 'PENDING')", "SMS consent: not subscribed or pending"),
        ("first_source IS NOT NULL", "Source of the first order: known"),
        ("IN SEGMENT 'VIP'", "Is in the segment “VIP”"),
        ("NOT IN SEGMENT 'VIP'", "Is not in the segment “VIP”"),
        ("refunds NOT MATCHES ()", "Never: Had a refund"),
        (
            "products_purchased MATCHES (tag = 'shoes', count >= 2)",
            "Bought a product, where (A tag of the product: “shoes” and Number of orders: at least 2)",
        ),
        (
            "number_of_orders = 1 AND (churn_risk > 0.5 OR NOT customer_cities IS NULL)",
            "Number of orders: 1 and (Churn risk: more than 0.5 or This is not true: (City: not known))",
        ),
    ],
)
def test_a_query_is_told_in_plain_words(query, words):
    assert sentence(query) == words


def test_dates_of_what_has_happened_lie_in_the_past():
    assert sentence("refunds MATCHES (date >= -90d)").endswith("Day of the refund: in the last 90 days)")


def test_every_name_of_the_table_is_called_something_of_its_own():
    called = [plainly.naming.title(row) for row in (*FIELDS.values(), *FUNCTIONS.values())]
    assert all(called)
    assert len({*called}) >= len(called) - len(["shopify_email and email tell the same"] * 6)
    assert not [one for one in catalogue.texts() if "_" in one or not one]
