"""Ages and anniversaries: who comes in and goes out by the passing of days alone, and how that is known in advance."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, select

from plugin import clock
from plugin.attributes.definitions import define
from plugin.db import reading, table, transaction
from plugin.models.segments import Membership
from plugin.segments.kept import keep
from plugin.segments.language import check, vocabulary
from plugin.segments.language.errors import Code, SegmentErrors
from plugin.segments.membership import passing
from plugin.segments.why.explain import explain
from plugin.worker import work_all
from tests.attributes.conftest import NOW, account, value

DAY = timedelta(days=1)
BORN = {"old": "1960-12-01", "child": "2008-12-05", "leap": "2004-02-29", "newyear": "1990-01-03"}


@pytest.fixture
def born(keeper):
    """A shop that knows when four customers were born, by Shopify's field for it."""
    with transaction(keeper.engine) as session:
        define(session, keeper.shop, "facts.birth_date", "date", label="Born")
    keeper.store(*(account(who) for who in BORN))
    keeper.take(*(value("facts.birth_date", day, who) for who, day in BORN.items()))
    return keeper


def members(keeper, segment_id, at):
    with clock.freeze(at):
        work_all(keeper.engine, lambda _, kind: kind == "recompute")
    with reading(keeper.engine) as session:
        kept = table(Membership)
        return set(session.scalars(select(kept.c.customer_id).where(kept.c.segment_id == segment_id)))


def segment(keeper, query):
    with transaction(keeper.engine) as session:
        return keep.add(session, keeper.shop, query, query).segment_id


def test_people_come_in_and_go_out_on_the_days_that_say_so(born):
    soon = segment(born, "anniversary('birth_date') BETWEEN today AND +7d")
    grown = segment(born, "age >= 18")
    older = segment(born, "metafields.facts.birth_date < -18y")
    assert members(born, soon, NOW) == {"old", "child"}
    assert members(born, grown, NOW) == {"old", "leap", "newyear"}
    assert members(born, soon, datetime(2026, 12, 2, 0, 30, tzinfo=UTC)) == {"child"}
    birthday = datetime(2026, 12, 5, tzinfo=UTC)
    assert members(born, grown, birthday - DAY / 24) == {"old", "leap", "newyear"}
    assert members(born, grown, birthday) == set(BORN)
    assert members(born, older, birthday) == {"old", "leap", "newyear"}
    assert members(born, older, birthday + DAY) == set(BORN)
    assert members(born, soon, datetime(2026, 12, 30, 12, tzinfo=UTC)) == {"newyear"}
    assert members(born, soon, datetime(2028, 2, 21, 12, tzinfo=UTC)) == {"leap"}
    assert members(born, soon, datetime(2028, 2, 29, 12, tzinfo=UTC)) == {"leap"}, "it counts as the day before"
    assert members(born, soon, datetime(2028, 3, 1, 12, tzinfo=UTC)) == set()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # whose plans follow the indexes alone
def test_whom_a_new_day_may_move_is_found_by_index(born):
    query = "anniversary('birth_date') BETWEEN today AND +7d OR age BETWEEN 18 AND 30 OR birth_date > -18y"
    with reading(born.engine) as session:
        tree = check(query, vocabulary.of(session, born.shop)).tree
    plans: list[str] = []

    def explained(connection, cursor, statement, parameters, context, many):
        raw = connection.connection.driver_connection
        plans.extend(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    event.listen(born.engine, "before_cursor_execute", explained)
    with transaction(born.engine) as session:
        passing.mark_crossed(session, born.shop, tree, NOW, NOW + 3 * DAY)
    found = [line for line in plans if "attribute_values" in line]
    assert len(found) > 4
    assert all("INDEX ix_attribute_values_" in line and line.count("?") == 4 for line in found), found


@pytest.mark.parametrize(
    ("query", "who", "change", "verdict"),
    [
        ("age >= 18", "child", date(2026, 12, 5), True),
        ("age < 23", "leap", date(2027, 2, 28), False),
        ("anniversary('birth_date') = +7d", "newyear", date(2026, 12, 27), True),
        ("anniversary('birth_date') BETWEEN -1d AND today", "leap", date(2027, 2, 28), True),
        ("birth_date <= -18y", "child", date(2026, 12, 5), True),
        ("birth_date = 1990-01-03", "newyear", None, True),
    ],
)
def test_it_is_known_in_advance_when_somebody_comes_in_or_goes_out(born, query, who, change, verdict):
    with reading(born.engine) as session:
        found = explain(session, born.shop, query, who)
    assert (found.next and found.next.at.date()) == change
    assert verdict == (found.next.verdict if found.next else found.whole.verdict)


def test_a_name_that_nothing_feeds_is_not_available_and_says_what_would(keeper):
    with reading(keeper.engine) as session:
        words = vocabulary.of(session, keeper.shop)
    for query in ("age >= 18", "anniversary('birth_date') = today", "attributes.size = 4", "interests CONTAINS 'x'"):
        assert [error.code for error in check(query, words).errors] == [Code.NOT_AVAILABLE], query
    [error] = check("gender = 'f'", words).errors
    assert "the attribute gender, as a metafield, from a survey, a CSV file or the API" in error.message
    with pytest.raises(SegmentErrors):
        segment(keeper, "age >= 18")


def test_names_have_the_types_of_their_definitions(born):
    born.take(value("size", 4), value("likes", ["tea"]), value("member", True), value("custom.gender", "f"))
    with reading(born.engine) as session:
        words = vocabulary.of(session, born.shop)
    for query, code in (
        ("attributes.size >= 4 AND attributes.likes CONTAINS 'tea' AND attributes.member = true", None),
        ("customer.metafields.facts.birth_date < -18y AND attributes.facts.birth_date IS NOT NULL", None),
        ("gender = 'f' AND metafields.custom.gender STARTS WITH 'f'", None),
        ("attributes.size CONTAINS '4'", Code.OPERATOR_NOT_SUPPORTED),
        ("attributes.size = 4.5", Code.WRONG_TYPE),
        ("attributes.member > true", Code.OPERATOR_NOT_SUPPORTED),
        ("anniversary('attributes.size') = today", Code.WRONG_TYPE),
        ("metafields.size.x = 4", Code.NOT_AVAILABLE),
    ):
        assert [error.code for error in check(query, words).errors] == ([code] if code else []), query
