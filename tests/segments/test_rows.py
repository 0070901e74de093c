"""A query as rows to fill in: whatever is made of it, it stays the same query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.segments.language import check, parse
from plugin.segments.language.fields import FIELDS, FUNCTIONS
from plugin.segments.language.rows import Group, Row, Words, rows_of, subjects, text_of
from plugin.segments.language.vocabulary import Vocabulary
from tests.segments.vocabularies import EVERYTHING


def rows_within(item):
    """Every row of a group, those inside MATCHES among them."""
    match item:
        case Group(_, items):
            return [row for one in items for row in rows_within(one)]
        case Row(parameters=inside):
            return [item, *inside]
        case _:
            return []


@given(
    st.recursive(
        st.just(Row(FIELDS["number_of_orders"], "=", ("1",))),
        lambda inner: st.builds(
            Group,
            st.sampled_from(["AND", "OR"]),
            st.lists(inner | st.just(Words("")), max_size=3).map(tuple),
            st.booleans(),
        ),
        max_leaves=6,
    ).filter(lambda item: isinstance(item, Group))
)
def test_rows_in_any_order_of_groups_are_a_query_and_empty_groups_are_nothing(group):
    text = text_of(group)
    assert not text or check(text).ok
    assert rows_within(group) == [] or text


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("number_of_orders >= 3", Group("AND", (Row(FIELDS["number_of_orders"], ">=", ("3",)),))),
        (
            "NOT (customer_tags CONTAINS 'it\\'s' OR rfm_group IN ('NEW'))",
            Group(
                "OR",
                (Row(FIELDS["customer_tags"], "CONTAINS", ("it's",)), Row(FIELDS["rfm_group"], "IN", ("NEW",))),
                negated=True,
            ),
        ),
        (
            "orders_placed NOT MATCHES (date > -30d, app_id = 7)",
            Group(
                "AND",
                (
                    Row(
                        FUNCTIONS["orders_placed"],
                        "NOT MATCHES",
                        parameters=(
                            Row(FUNCTIONS["orders_placed"].parameters["date"], ">", ("-30d",)),
                            Row(FUNCTIONS["orders_placed"].parameters["app_id"], "=", ("7",)),
                        ),
                    ),
                ),
            ),
        ),
    ],
)
def test_conditions_become_rows(query, rows):
    assert rows_of(parse(query)) == rows


def test_what_is_too_deep_or_too_long_for_rows_stands_in_words():
    deep = "number_of_orders = 1"
    for number in range(2, 10):
        deep = f"number_of_orders = {number} {'AND' if number % 2 else 'OR'} ({deep})"
    long = f"rfm_group IN ({', '.join(['NEW'.join(2 * chr(39))] * 31)})"
    for query in (deep, long):
        tree = parse(query)
        shown = repr(rows_of(tree))
        assert "Words(" in shown
        assert parse(text_of(rows_of(tree))) == tree


def test_words_with_a_comment_or_an_or_stay_by_themselves():
    one = Row(FIELDS["number_of_orders"], "=", ("1",))
    text = text_of(Group("AND", (one, Words("amount_spent > 5 OR amount_spent < 2 -- why"), one)))
    assert check(text).canonical == (
        "number_of_orders = 1 AND (amount_spent > 5 OR amount_spent < 2) AND number_of_orders = 1"
    )


def test_a_row_that_is_not_filled_in_is_an_error_at_its_place():
    [error] = check(text_of(Group("AND", (Row(FIELDS["number_of_orders"], ">=", ("",)),)))).errors
    assert error.message == "A value is missing here"


def test_rows_can_ask_whatever_a_shop_has_and_nothing_that_it_lacks():
    known = subjects(Vocabulary(own=EVERYTHING.own, segments=(("1", "VIP"),), supplied=frozenset()))
    assert {"number_of_orders", "orders_placed", "attributes.shoe-size", "segment"} <= known.keys()
    assert "anniversary('metafields.facts.birth_date')" in known
    assert not {"companies", "nps_score", "days_since_last_order", "birth_date"} & known.keys()
    assert known["segment"].values == ("VIP",)
