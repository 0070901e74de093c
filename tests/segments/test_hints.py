"""Hints: what is worth knowing of a query, proved from the query alone and never wrong of any shop."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from plugin.segments import hints
from plugin.segments.asking.moments import Moment
from plugin.segments.hints import Hint, Other
from plugin.segments.language import canonical, parse
from plugin.segments.language.tree import Node
from plugin.segments.language.vocabulary import Vocabulary
from tests import oracle
from tests.histories import RELATIVE_DAYS, histories
from tests.segments.strategies import AVAILABLE_FIELDS, AVAILABLE_FUNCTIONS, pool, queries, relative
from tests.segments.test_language import marked
from tests.segments.vocabularies import EVERYTHING

QUERIES = 10
AT = Moment(datetime(2024, 5, 15, 12, tzinfo=UTC), "America/New_York")

EMPTY = [
    "number_of_orders < 0",
    "number_of_orders IS NULL",
    "number_of_orders > 3 AND number_of_orders < 4",
    "number_of_orders >= 3 AND NOT number_of_orders > 2",
    "amount_spent > 5 AND amount_spent <= 5.00",
    "rfm_recency > 5",
    "last_order_date > today",
    "last_order_date >= 2024-05-16",
    "last_order_date > -7d AND last_order_date < -1m",
    "last_order_date BETWEEN 2024-05-20 AND today",
    "last_order_date = 2024-05-01 AND last_order_date < 2024-05-01T00:00:00",
    "last_order_date IS NULL AND last_order_date != today",
    "rfm_group = 'NEW' AND rfm_group IN ('LOYAL', 'DORMANT')",
    "predicted_spend_tier NOT IN ('HIGH', 'MEDIUM', 'LOW')",
    "customer_email_domain STARTS WITH 'ab' AND customer_email_domain = 'aa.example.com'",
    "customer_email_domain STARTS WITH 'a' AND customer_email_domain NOT STARTS WITH ''",
    "customer_tags CONTAINS 'VIP' AND customer_tags NOT CONTAINS 'vip'",
    "customer_tags IS NULL AND customer_tags CONTAINS 'vip'",
    "orders_placed MATCHES (count < 0)",
    "orders_placed IS NULL AND orders_placed MATCHES (date > -30d)",
    "orders_placed MATCHES (date > -30d, count >= 3) AND orders_placed NOT MATCHES (count >= 2)",
    "orders_placed MATCHES (count = 0) AND orders_placed MATCHES (amount > 5, sum_amount > 5)",
    "products_purchased NOT MATCHES () AND products_purchased MATCHES (tag = 'a', sum_quantity > 0)",
    "(number_of_orders = 1 OR number_of_orders = 2) AND (number_of_orders = 3 OR number_of_orders > 4)",
    "anniversary('metafields.facts.birth_date') = today AND metafields.facts.birth_date IS NULL",
    "anniversary('metafields.facts.birth_date') = today AND anniversary('metafields.facts.birth_date') != today",
]
EVERYBODY = [
    "number_of_orders >= 0",
    "amount_spent IS NOT NULL",
    "customer_added_date <= today",
    "number_of_orders > 2 OR NOT number_of_orders > 2",
    "number_of_orders <= 3 OR number_of_orders >= 4",
    "customer_tags CONTAINS 'a' OR customer_tags NOT CONTAINS 'A'",
    "last_order_date <= today OR last_order_date IS NULL",
    "predicted_spend_tier IN ('HIGH', 'MEDIUM', 'LOW') OR predicted_spend_tier IS NULL",
    "orders_placed MATCHES (date > -7d, count < 2) OR orders_placed MATCHES (date > -7d, count > 1)",
    "NOT (products_purchased MATCHES (id = 1) AND products_purchased IS NULL)",
]
NEITHER = [
    "number_of_orders > 3 AND number_of_orders < 5",
    "amount_spent > 3 AND amount_spent < 4",
    "number_of_orders = 1 OR last_order_date > today",
    "last_order_date <= today",
    "last_order_date = 2024-05-01 AND last_order_date >= 2024-05-01T13:00:00",
    "rfm_group != 'NEW' AND rfm_group != 'LOYAL'",
    "customer_tags NOT CONTAINS 'a' AND customer_tags IS NULL",
    "orders_placed MATCHES (count < 3)",
    "orders_placed MATCHES (date > -30d, count = 1) AND orders_placed MATCHES (count = 2)",
    "orders_placed IS NULL AND orders_placed MATCHES (date > -30d, count = 0)",
    "orders_placed NOT MATCHES (count > 1, sum_amount > 5) AND orders_placed MATCHES (count > 1)",
    "products_purchased NOT MATCHES (id = 1) AND products_purchased MATCHES (id = 2)",
    "anniversary('metafields.facts.birth_date') = today AND anniversary('metafields.facts.birth_date') != +1d",
]


def codes(text):
    return [one.code for one in hints.of_tree(parse(text, EVERYTHING), AT)]


@pytest.mark.parametrize("text", EMPTY)
def test_what_nobody_can_meet_is_hinted(text):
    assert codes(text)[0] == Hint.ALWAYS_EMPTY


@pytest.mark.parametrize("text", EVERYBODY)
def test_what_everybody_meets_is_hinted(text):
    assert codes(text) == [Hint.CONTAINS_EVERYBODY]


@pytest.mark.parametrize("text", NEITHER)
def test_what_some_may_meet_and_some_may_not_is_not_hinted(text):
    assert codes(text) == []


PAIRS = [
    "«number_of_orders > 3» AND customer_tags CONTAINS 'a' AND «number_of_orders <= 2»",
    "amount_spent > 7 OR («rfm_group = 'NEW'» AND «rfm_group = 'LOYAL'»)",
    "NOT («number_of_orders > 3» OR «number_of_orders < 6»)",
    "«number_of_orders = 1» AND («number_of_orders = 2 OR number_of_orders > 7»)",
    "«last_order_date > -7d» AND «NOT last_order_date IS NOT NULL» AND amount_spent > 5",
]


@pytest.mark.parametrize("text", PAIRS)
def test_two_conditions_that_exclude_each_other_are_named_with_their_places(text):
    text, places = marked(text)
    [found] = [one for one in hints.of_tree(parse(text), AT) if one.code == Hint.CONTRADICTION]
    assert list(found.places) == places


def test_balances_are_compared_in_one_currency():
    text, places = marked("store_credit_accounts MATCHES («balance > 5», next_expiry_date < +30d)")
    [found] = hints.of_tree(parse(text, EVERYTHING), AT)
    assert (found.code, list(found.places)) == (Hint.MONEY_ACROSS_CURRENCIES, places)
    assert codes("store_credit_accounts MATCHES (balance > 5, currency = 'USD')") == []


OTHERS = [
    Other("1", "Regulars", parse("number_of_orders >= 3 AND last_order_date > -90d")),
    Other("2", "Buyers", parse("number_of_orders > 0")),
    Other("3", "Tagged", parse("customer_tags CONTAINS 'vip' OR amount_spent > 100")),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("number_of_orders >= 3 AND last_order_date > -30d", [("SUBSET", "Regulars"), ("SUBSET", "Buyers")]),
        (
            "last_order_date > -90d AND number_of_orders > 2 AND rfm_group = 'NEW'",
            [("SUBSET", "Regulars"), ("SUBSET", "Buyers")],
        ),
        ("NOT number_of_orders = 0", [("SAME", "Buyers")]),
        ("customer_tags CONTAINS 'VIP'", [("SUBSET", "Tagged")]),
        ("last_order_date > -90d", []),
        ("number_of_orders < 0", []),
    ],
)
def test_the_segments_that_a_query_lies_within_are_named(text, found):
    said = [(one.code.split("_")[0], one.message) for one in hints.within(parse(text), OTHERS, AT)]
    assert [code for code, _ in said] == [code for code, _ in found]
    assert all(name in message for (_, message), (_, name) in zip(said, found, strict=True))


def test_a_reference_to_another_segment_is_a_condition_like_others():
    words = Vocabulary(segments=(("1", "Regulars"), ("2", "Buyers")))
    [found] = hints.within(parse("IN SEGMENT 'Regulars' AND number_of_orders > 5", words), OTHERS, AT)
    assert (found.code, "Buyers" in found.message) == (Hint.SUBSET_OF_SEGMENT, True)
    both = parse("IN SEGMENT 'Regulars' AND NOT IN SEGMENT 'regulars'", words)
    assert [one.code for one in hints.of_tree(both, AT)] == [Hint.ALWAYS_EMPTY, Hint.CONTRADICTION]
    assert hints.of_tree(parse("IN SEGMENT 'Regulars' AND NOT IN SEGMENT 'Buyers'", words), AT) == []


@pytest.mark.parametrize("text", ["IN SEGMENT 'Regulars'", "IN SEGMENT 'regulars' AND amount_spent > 5"])
def test_that_members_of_a_segment_are_in_it_is_not_said(text):
    words = Vocabulary(segments=(("1", "Regulars"), ("2", "Buyers")))
    assert list(hints.within(parse(text, words), OTHERS, AT)) == []


@pytest.mark.parametrize(
    ("text", "suggestions"),
    [
        (
            "number_of_orders > 1 AND «customer_countries CONTAINS 'united kingdom'»",
            ["customer_countries CONTAINS 'GB'"],
        ),
        ("NOT «customer_countries NOT CONTAINS 'UK'»", ["customer_countries NOT CONTAINS 'GB'"]),
        (
            "«customer_countries CONTAINS 'USA'» OR customer_countries CONTAINS 'us'",
            ["customer_countries CONTAINS 'US'"],
        ),
        ("«customer_countries CONTAINS 'Österreich'»", ["customer_countries CONTAINS 'AT'"]),
        ("«customer_regions CONTAINS 'New York'»", ["customer_regions CONTAINS 'US-NY'"]),
        ("orders_placed MATCHES (count > 1, «country IN ('DE', 'France')»)", ["country IN ('DE', 'FR')"]),
        ("customer_regions CONTAINS 'ca-on' OR customer_countries CONTAINS 'Narnia' OR time_zone = 'Japan'", []),
    ],
)
def test_a_name_where_a_code_is_wanted_is_told_with_the_code(text, suggestions):
    text, places = marked(text)
    found = hints.of_tree(parse(text), AT)
    assert [(one.code, one.places, one.suggestion) for one in found] == [
        (Hint.NAME_FOR_CODE, (place,), suggestion) for place, suggestion in zip(places, suggestions, strict=True)
    ]


@pytest.mark.parametrize("joined", [" AND ", " OR "])
def test_long_queries_are_thought_about_for_a_short_time(joined):
    parts = [f"(number_of_orders = {n} OR amount_spent > {n} OR rfm_recency = {n % 5 + 1})" for n in range(33)]
    assert codes(joined.join(parts)) == []


def shop_and_queries(draw: st.DataObject, seed: int) -> tuple[oracle.Snapshot, Moment, list[Node]]:
    """Return a random shop as of a moment, and queries that ask for few values, so that many exclude each other."""
    history = histories(seed)
    step = draw.draw(st.integers(1, len(history.steps)))
    at = history.steps[step - 1].at
    few = {name: pool(*found[:4]) for name, found in history.values().items()}
    moving = st.sampled_from([relative(amount, unit) for amount, unit in RELATIVE_DAYS])
    asked = few | {name: few[name] | moving for name in few if name.endswith("date")}
    snapshot = oracle.Snapshot(history.world(step), at)
    rows = draw.draw(st.lists(st.sampled_from(AVAILABLE_FIELDS), min_size=2, max_size=3, unique=True))
    function = draw.draw(st.sampled_from(AVAILABLE_FUNCTIONS))
    some = queries(asked, rows, [function], max_leaves=5)
    return snapshot, Moment(at, history.settings.zone), [draw.draw(some) for _ in range(QUERIES)]


def hold(draw: st.DataObject, seed: int) -> None:
    """See that what is said of random queries is true of a random shop."""
    snapshot, moment, trees = shop_and_queries(draw, seed)
    members = {tree: oracle.meeting(snapshot, canonical(tree)) for tree in trees}
    for tree in trees:
        found = {one.code for one in hints.of_tree(tree, moment)}
        assert Hint.ALWAYS_EMPTY not in found or members[tree] == set()
        assert Hint.CONTAINS_EVERYBODY not in found or members[tree] == set(snapshot.people)
        for other in trees:
            for one in hints.within(tree, [Other("1", "S", other)], moment):
                assert members[tree] <= members[other]
                assert one.code == Hint.SUBSET_OF_SEGMENT or members[tree] == members[other]


SOUND = settings(
    phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None
)


@settings(SOUND, max_examples=20)
@given(draw=st.data(), seed=st.integers(0, 2**32))
def test_no_hint_is_wrong_of_any_shop(draw, seed):
    hold(draw, seed)


@pytest.mark.long
@pytest.mark.timeout(600)
@settings(SOUND, max_examples=100)
@given(draw=st.data(), seed=st.integers(0, 2**32))
def test_no_hint_is_wrong_of_many_shops(draw, seed):
    hold(draw, seed)
