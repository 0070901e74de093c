"""The builder: rows as a form, changed by its buttons, and the text of the same segment beside it."""

from __future__ import annotations

import pytest
from hypothesis import given
from werkzeug.datastructures import MultiDict

from plugin.segments.language import LONGEST, canonical, check, parse
from plugin.segments.language.fields import FIELDS, FUNCTIONS
from plugin.segments.language.printing import laid_out
from plugin.segments.language.rows import Group, Row, Words, operators, places, rows_of, subjects, text_of
from plugin.segments.language.vocabulary import Vocabulary
from plugin.web.editor import filled_in
from tests.segments.strategies import queries
from tests.segments.test_language_properties import KEPT_AS_WRITTEN, nesting
from tests.segments.test_rows import rows_within
from tests.segments.vocabularies import EVERYTHING

NAMED = subjects(Vocabulary(segments=(("1", "mine regulars"),)))
KNOWN = {**FIELDS, **FUNCTIONS, **NAMED, **subjects(EVERYTHING)}


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: the database is asked for nothing but values, which `insight` is tested for."""
    with sqlite_databases() as address:
        yield address


def sent(group, **more):
    return MultiDict([*filled_in.fields(group), *more.items()])


def answered(visitor, form):
    return visitor.client.post(
        "/segments/check", data=MultiDict([*form.items(multi=True), ("csrf_token", visitor.token)])
    )


def built(visitor, *steps):
    """The text that clicks on the builder's buttons lead to, each on what the one before has drawn."""
    query, group = "", Group("AND", ())
    for action, at, name in steps:
        answer = answered(visitor, sent(group, do=action, at=at, name=name)).json
        query = answer["query"]
        group = filled_in.changed(group, action, at, name, KNOWN)
        assert 'name="b.kind" value="group"' in answer["builder"]
    return query


@given(queries(fields=(*KEPT_AS_WRITTEN, *EVERYTHING.own), functions=tuple(FUNCTIONS.values())))
def test_a_query_that_went_through_the_builder_is_the_same_query(tree):
    """From text to rows, to a form and back, and to text again, which is also the same on several lines."""
    if len(canonical(tree)) > LONGEST - 500 or nesting(tree) > 20:
        return
    group = rows_of(tree)
    assert filled_in.read(sent(group), KNOWN) == group
    assert parse(text_of(group), EVERYTHING) == tree
    assert parse(laid_out(tree), EVERYTHING) == tree
    for row in rows_within(group):
        assert row.operator in operators(row.subject)
        assert places(row.operator) in (None, len(row.values))


def test_conditions_are_added_with_values_to_begin_with(visitor):
    steps = [("add", "b", name) for name in ("number_of_orders", "last_order_date", "rfm_group", "amount_spent")]
    assert built(visitor, *steps) == (
        "number_of_orders >= 1\nAND last_order_date >= -30d\nAND rfm_group = 'PROSPECTS'\nAND amount_spent >= 100"
    )


def test_groups_and_details_are_added_and_removed(visitor):
    steps = [
        ("add", "b", "number_of_orders"),
        ("group", "b", ""),
        ("add", "b-1", "orders_placed"),
        ("add", "b-1-0", "date"),
        ("add", "b-1-0", "count"),
        ("add", "b-1", "segment"),
    ]
    joined = "number_of_orders >= 1 AND (orders_placed MATCHES ({}) OR IN SEGMENT 'mine regulars')"
    assert built(visitor, *steps).replace("\n", " ") == joined.format("date >= -30d, count >= 1")
    assert built(visitor, *steps, ("remove", "b-1-0-0", "")).replace("\n", " ") == joined.format("count >= 1")
    assert built(visitor, *steps, ("remove", "b-1", "")) == "number_of_orders >= 1"


def test_a_comparison_gets_as_many_values_as_it_takes(visitor):
    row = Row(FIELDS["number_of_orders"], "=", ("3",))
    form = sent(Group("AND", (row,)))
    for operator, text in (
        ("BETWEEN", "number_of_orders BETWEEN 3 AND 10"),
        ("IS NULL", "number_of_orders IS NULL"),
        ("<", "number_of_orders < 3"),
    ):
        form.setlist("b-0.operator", [operator])
        assert answered(visitor, form).json["query"] == text


@pytest.mark.parametrize(
    ("when", "count", "day", "text"),
    [
        ("-d", "30", "", "last_order_date >= -30d"),
        ("+m", "2", "", "last_order_date >= +2m"),
        ("today", "", "", "last_order_date >= today"),
        ("day", "", "2026-05-01", "last_order_date >= 2026-05-01"),
        ("90_days_ago", "", "", "last_order_date >= 90_days_ago"),
    ],
)
def test_a_date_is_counted_from_today_or_is_a_day(visitor, when, count, day, text):
    form = sent(Group("AND", (Row(FIELDS["last_order_date"], ">=", ("-7d",)),)))
    for name, value in (("when", when), ("count", count), ("day", day)):
        form.setlist(f"b-0.value-0.{name}", [value])
    assert answered(visitor, form).json["query"] == text


def test_what_is_typed_draws_the_builder_anew_and_what_cannot_be_read_does_not(visitor):
    answer = visitor.post("/segments/check", query="customer_tags CONTAINS 'vip' OR NOT amount_spent > 5").json
    assert 'value="vip"' in answer["builder"]
    assert '<option value="OR" selected>' in answer["builder"]
    assert '<option value="AND NOT" selected>' in answer["builder"]
    assert "“vip”" in answer["name"]
    assert visitor.post("/segments/check", query="customer_tags CONTAINS").json["builder"] is None


@pytest.mark.parametrize(
    ("query", "commented"),
    [
        ("number_of_orders > 1 -- regulars", True),
        ("customer_tags CONTAINS '-- no comment'", False),
        ("-- not yet", True),
    ],
)
def test_a_comment_is_said_to_go_before_it_does(visitor, query, commented):
    assert visitor.post("/segments/check", query=query).json["commented"] == commented
    page = visitor.post("/segments/new", query=query, name="Regulars").text
    assert ('id="comments" hidden' in page) != commented


def test_a_row_that_is_not_filled_in_is_an_error_and_stays(visitor):
    answer = answered(visitor, sent(Group("AND", (Row(FIELDS["number_of_orders"], ">=", ("",)),)))).json
    assert (answer["ok"], answer["query"]) == (False, "number_of_orders >=")
    assert answer["errors"][0]["message"] == "A value is missing here"
    assert 'name="b-0.subject" value="number_of_orders"' in answer["builder"]


def test_words_of_the_language_stand_beside_rows(visitor):
    group = Group("AND", (Row(FIELDS["number_of_orders"], "=", ("1",)), Words("amount_spent > 5 OR amount_spent < 2")))
    answer = answered(visitor, sent(group)).json
    assert answer["query"].replace("\n", " ") == "number_of_orders = 1 AND (amount_spent > 5 OR amount_spent < 2)"
    assert "amount_spent &gt; 5 OR amount_spent &lt; 2</textarea>" in answer["builder"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"b.kind": "row"},
        {"b.kind": "group", "b-0.kind": "row", "b-0.subject": "nobody", "b-0.operator": "="},
        {"b.kind": "group", "b-0.kind": "row", "b-0.subject": "companies", "b-0.operator": "IS NULL"},
        {"b.kind": "group", "b-0.kind": "row", "b-0.subject": "rfm_group", "b-0.operator": "CONTAINS"},
        {"b.kind": "group", "do": "remove", "at": "b-7"},
        {"b.kind": "group", "do": "remove", "at": "b-x"},
        {"b.kind": "group", "do": "add", "at": "b", "name": "nobody"},
        {"b.kind": "group", "do": "dance"},
    ],
)
def test_a_form_that_was_tampered_with_is_refused(visitor, wrong):
    assert visitor.post("/segments/check", **wrong).status_code == 400


def test_every_name_that_the_shop_has_is_offered_and_the_others_say_what_they_need(visitor):
    page = visitor.page("/segments/new")
    assert '<button type="button" data-name="number_of_orders"><strong>Number of orders</strong>' in page
    assert 'data-name="segment"' in page
    assert 'data-name="companies"' not in page
    assert "It needs a Shopify store that lets the app see it" in page


def test_every_name_makes_a_row_that_can_be_read():
    for subject in (*FIELDS.values(), *FUNCTIONS.values()):
        text = text_of(Group("AND", (filled_in.begun(subject),)))
        assert check(text, EVERYTHING).ok, text


def test_values_come_from_the_shops_own_data_and_from_no_other(site, visitor, mine, theirs):
    told = visitor.get("/segments/values?name=segment").json
    assert told == [{"label": "mine regulars", "value": "mine regulars", "written": "'mine regulars'"}]
    domains = visitor.get("/segments/values?name=customer_email_domain").json
    assert "theirs" not in str(domains)
    codes = visitor.get("/segments/values?name=orders_placed&parameter=country&like=uni").json
    assert {"value": "US", "label": "United States", "written": "'US'"} in codes
    assert visitor.get("/segments/values?name=nobody").status_code == 404
    assert visitor.get("/segments/values?name=orders_placed&parameter=nobody").status_code == 404
    assert visitor.get("/segments/values?name=last_order_date").json == []
