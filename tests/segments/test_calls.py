"""Parentheses behind a name: the older way of asking, anniversaries, and places."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from plugin.segments.asking.moments import Moment, month_days
from plugin.segments.language import canonical, check, parse
from plugin.segments.language.fields import FUNCTIONS
from plugin.segments.language.tree import AbsoluteDate, Anniversary, Compare, Coordinates, Matches, Number, RelativeDate
from tests.segments.test_language import marked
from tests.segments.vocabularies import BIRTH_DATE, EVERYTHING

TODAY, IN_30_DAYS = RelativeDate(0, "d", "today"), RelativeDate(30, "d", "+30d")

# One question in the older way and in today's.
OLDER = [
    ("products_purchased(id: 1234) = true", "products_purchased MATCHES (id = 1234)"),
    ("products_purchased (id: 1234) = FALSE", "products_purchased NOT MATCHES (id = 1234)"),
    ("products_purchased(id: 1234) != true", "products_purchased NOT MATCHES (id = 1234)"),
    ("products_purchased(id: (1, '2', 3)) = true", "products_purchased MATCHES (id IN (1, 2, 3))"),
    ("products_purchased(id: (1)) = true", "products_purchased MATCHES (id IN (1))"),
    ("products_purchased(tag: 'a', date: -30d) = false", "products_purchased NOT MATCHES (tag = 'a', date = -30d)"),
    ("products_purchased() = false", "products_purchased NOT MATCHES ()"),
    (
        "shopify_email.opened(activity_id: 7, count: 2) = true OR number_of_orders = 1",
        "shopify_email.opened MATCHES (activity_id = 7, count = 2) OR number_of_orders = 1",
    ),
    (
        "NOT (storefront_event.product_viewed(id: (1, 2)) = true)",
        "NOT storefront.product_viewed MATCHES (id IN (1, 2))",
    ),
    (
        "customer_within_distance(coordinates: (45.5, -73.6), distance_mi: 6.2) = true",
        "customer_within_distance MATCHES (coordinates = (45.5, -73.6), distance_mi = 6.2)",
    ),
    (
        "anniversary(date: 'metafields.facts.birth_date') BETWEEN today AND +30d",
        "anniversary('metafields.facts.birth_date') BETWEEN today AND +30d",
    ),
    (
        "anniversary ('customer.metafields.facts.birth_date') != 2020-02-29",
        "anniversary('metafields.facts.birth_date') != 2020-02-29",
    ),
    (
        "anniversary('metafields.facts.birth_date') between today and TODAY",
        "anniversary('metafields.facts.birth_date') = today",
    ),
    ("customer.metafields.facts.likes = 'tea'", "metafields.facts.likes = 'tea'"),
]


@pytest.mark.parametrize(("older", "today"), OLDER)
def test_the_older_way_of_asking_is_read_as_the_same_tree_and_printed_in_todays(older, today):
    tree = parse(older, EVERYTHING)
    assert tree == parse(today, EVERYTHING)
    assert canonical(tree) == today
    assert parse(today, EVERYTHING) == tree


def test_an_anniversary_names_a_date_of_the_merchants_and_its_days():
    assert parse("anniversary('metafields.facts.birth_date') BETWEEN today AND +30d", EVERYTHING) == Anniversary(
        BIRTH_DATE, TODAY, IN_30_DAYS
    )
    assert parse("anniversary('metafields.facts.birth_date') != today", EVERYTHING) == Anniversary(
        BIRTH_DATE, TODAY, TODAY, negated=True
    )


def test_a_place_is_two_exact_numbers():
    near = FUNCTIONS["customer_within_distance"]
    place = Compare(near.parameters["coordinates"], "=", Coordinates(Decimal("45.50"), Decimal("-73.6")))
    distance = Compare(near.parameters["distance_km"], "=", Number(Decimal(10)))
    text = "customer_within_distance MATCHES (coordinates = (45.50, -73.6), distance_km = 10)"
    assert parse(text, EVERYTHING) == Matches(near, (place, distance))


WRONG = [
    ("SYNTAX_ERROR", "products_purchased(id: 1234) «AND» number_of_orders = 1", None),
    ("SYNTAX_ERROR", "products_purchased(id: 1234) = «1»", None),
    ("SYNTAX_ERROR", "products_purchased(id: 1, tag «=» 'a') = true", ":"),
    ("SYNTAX_ERROR", "products_purchased«(»)", "MATCHES ("),
    ("UNKNOWN_PARAMETER", "products_purchased(«ids»: 1234) = true", "id"),
    ("DUPLICATE_PARAMETER", "products_purchased(id: 1, «id»: 2) = true", None),
    ("WRONG_TYPE", "products_purchased(id: (1, «2.5»)) = true", None),
    ("OPERATOR_NOT_SUPPORTED", "products_purchased(count«:» (1, 2)) = true", None),
    ("UNKNOWN_NAME", "«product_purchased»(id: 1) = true", "products_purchased"),
    ("SYNTAX_ERROR", "«number_of_orders(id: 1)» = 7", None),
    ("WRONG_TYPE", "customer_within_distance(coordinates: «45.5», distance_mi: 6.2) = true", None),
    ("INVALID_VALUE", "customer_within_distance(coordinates: «(95.5, -73.6)», distance_mi: 6.2) = true", None),
    ("INVALID_VALUE", "customer_within_distance MATCHES (coordinates = «(5.5, -180.1)», distance_mi = 6.2)", None),
    ("SYNTAX_ERROR", "anniversary(«)» = today", None),
    ("SYNTAX_ERROR", "anniversary(«metafields.facts.birth_date») = today", "'metafields.facts.birth_date'"),
    ("SYNTAX_ERROR", "anniversary('metafields.facts.birth_date', «'metafields.facts.likes'») = today", None),
    ("WRONG_TYPE", "anniversary(«7») = today", None),
    ("UNKNOWN_PARAMETER", "anniversary(«day»: 'metafields.facts.birth_date') = today", "date"),
    ("UNKNOWN_NAME", "anniversary(«'metafield.facts.birth_date'») = today", "'metafields.facts.birth_date'"),
    ("NOT_AVAILABLE", "anniversary(«'metafields.facts.wedding'») = today", None),
    ("WRONG_TYPE", "anniversary(«'metafields.facts.likes'») = today", None),
    ("WRONG_TYPE", "anniversary(«'last_order_date'») = today", None),
    ("OPERATOR_NOT_SUPPORTED", "anniversary('metafields.facts.birth_date') «>» today", None),
    ("OPERATOR_NOT_SUPPORTED", "anniversary('metafields.facts.birth_date') «IS NOT NULL»", None),
    ("WRONG_TYPE", "anniversary('metafields.facts.birth_date') = «2020-05-30T04:00:00»", "2020-05-30"),
    ("WRONG_TYPE", "anniversary('metafields.facts.birth_date') = «530»", None),
    ("INVALID_RANGE", "anniversary('metafields.facts.birth_date') BETWEEN «+7d AND today»", "today AND +7d"),
    ("INVALID_RANGE", "anniversary('metafields.facts.birth_date') BETWEEN «today AND +365d»", None),
    ("INVALID_RANGE", "anniversary('metafields.facts.birth_date') BETWEEN «-6m AND +6m»", None),
    ("INVALID_RANGE", "anniversary('metafields.facts.birth_date') BETWEEN «2019-03-01 AND 2020-03-01»", None),
]


@pytest.mark.parametrize(("code", "text", "suggestion"), WRONG)
def test_a_fault_is_told_with_its_code_place_and_suggestion(code, text, suggestion):
    plain, [place] = marked(text)
    [error] = check(plain, EVERYTHING).errors
    assert (error.code, (error.start, error.end), error.suggestion) == (code, place, suggestion)
    assert error.message


NEARLY_A_YEAR = ["today AND +364d", "-6m AND +5m", "2019-03-01 AND 2020-02-29", "2024-01-01 AND 2024-12-31"]


@pytest.mark.parametrize("ends", NEARLY_A_YEAR)
def test_an_anniversary_may_lie_within_nearly_a_year(ends):
    assert check(f"anniversary('metafields.facts.birth_date') BETWEEN {ends}", EVERYTHING).ok


@pytest.mark.parametrize(
    ("low", "high", "spans"),
    [
        (date(2023, 2, 27), date(2023, 3, 1), [(227, 301)]),
        (date(2024, 2, 29), date(2024, 2, 29), [(228, 228)]),
        (date(2023, 12, 20), date(2024, 1, 19), [(1220, 1231), (101, 119)]),
        (date(2024, 2, 29), date(2025, 2, 27), [(228, 1231), (101, 227)]),
        (date(2024, 1, 1), date(2024, 12, 31), [(101, 1231)]),
        (date(2001, 5, 5), date(2024, 1, 1), [(101, 1231)]),
        (date(2024, 5, 5), date(2024, 5, 4), []),
    ],
)
def test_the_days_of_an_anniversary_are_those_of_every_year(low, high, spans):
    node = Anniversary(BIRTH_DATE, AbsoluteDate(low), AbsoluteDate(high))
    assert month_days(node, Moment(datetime(2023, 5, 5, tzinfo=UTC), "UTC")) == spans


def test_the_days_of_a_relative_anniversary_move_with_the_shops_day():
    node = Anniversary(BIRTH_DATE, TODAY, IN_30_DAYS)
    assert month_days(node, Moment(datetime(2023, 12, 20, 3, tzinfo=UTC), "America/New_York")) == [
        (1219, 1231),
        (101, 118),
    ]
