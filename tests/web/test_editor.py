"""Writing a segment: what is said of a query, with JavaScript and without."""

from datetime import timedelta

import pytest

from plugin.models.segments import Segment
from plugin.segments import language
from plugin.segments.asking import counting
from plugin.web import editor
from plugin.web.counts import at_once
from plugin.web.editor import parts


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


WRONG = "number_of_order >= 3 AND customer_tags CONTAINS vip"


def test_a_new_segment_is_kept_in_its_canonical_words(site, visitor):
    answer = visitor.post("/segments/new", action="save", name=" Often ", query="number_of_orders>=3", tag="")
    [kept] = [one for one in site.rows(Segment) if one.name == "Often"]
    assert answer.headers["Location"] == f"/segments/{kept.segment_id}"
    assert (kept.query, kept.tag) == ("number_of_orders >= 3", "seg:often")


def test_a_query_may_be_written_on_several_lines(site, visitor):
    visitor.post(
        "/segments/new", action="save", name="Often", query="number_of_orders >= 3 -- often\r\nAND amount_spent > 5"
    )
    assert [one.query for one in site.rows(Segment) if one.name == "Often"] == [
        "number_of_orders >= 3 AND amount_spent > 5"
    ]


@pytest.mark.parametrize("name", ["", "x" * 101, "Mine Regulars"], ids=["none", "long", "taken"])
def test_a_name_that_cannot_be_had_is_refused_and_all_that_was_typed_stays(site, visitor, name):
    answer = visitor.post("/segments/new", action="save", name=name, query="number_of_orders > 3", tag="seg:kept")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    for typed in (name, "number_of_orders &gt; 3", "seg:kept"):
        assert typed in answer.text
    assert len(site.rows(Segment)) == 1


def test_a_tag_without_our_prefix_is_refused(site, visitor):
    answer = visitor.post("/segments/new", action="save", name="a", query="number_of_orders > 3", tag="vip")
    assert answer.status_code == 422
    assert len(site.rows(Segment)) == 1


def test_errors_are_listed_with_the_text_underlined_at_their_place(site, visitor):
    answer = visitor.post("/segments/new", action="save", name="a", query=WRONG)
    assert answer.status_code == 422
    assert "<mark>number_of_order</mark> &gt;= 3 AND customer_tags CONTAINS <mark>vip</mark>" in answer.text
    assert 'name="apply" value="0:15:number_of_orders"' in answer.text
    assert len(site.rows(Segment)) == 1


def test_a_suggestion_is_one_button_away_without_javascript(visitor):
    answer = visitor.post("/segments/new", apply="0:15:number_of_orders", name="My name", query=WRONG, tag="seg:mine")
    assert answer.status_code == 200
    assert "number_of_orders &gt;= 3 AND customer_tags CONTAINS vip</textarea>" in answer.text
    assert 'value="My name"' in answer.text
    assert 'value="seg:mine"' in answer.text


@pytest.mark.parametrize("apply", ["", "x", "1", "1:x:y", "-1:2:y", "99999:99999:!", "9" * 5000 + ":1:!"])
def test_a_button_that_was_tampered_with_does_no_harm(visitor, apply):
    assert visitor.post("/segments/new", apply=apply, query=WRONG).status_code == 200


def test_check_and_count_works_without_javascript_and_keeps_nothing(site, visitor):
    answer = visitor.post("/segments/new", action="check", name="a", query="number_of_orders = 0")
    assert "Customers who meet it now: 2" in answer.text
    assert len(site.rows(Segment)) == 1


def test_while_typing_errors_come_with_places_and_suggestions(visitor):
    answer = visitor.post("/segments/check", query=WRONG).json
    assert answer["ok"] is False
    [first, second] = answer["errors"]
    assert (first["code"], first["start"], first["end"]) == ("UNKNOWN_NAME", 0, 15)
    assert first["suggestion"] == "number_of_orders"
    assert WRONG[second["start"] : second["end"]] == "vip"


def test_while_typing_members_are_counted_only_when_asked_for(visitor):
    query = "number_of_orders = 0"
    assert visitor.post("/segments/check", query=query).json["count"] is None
    answer = visitor.post("/segments/check", query=query, count="1").json
    assert visitor.get("/segments/check", query_string={"query": query, "count": "1"}).json == answer
    assert [hint["code"] for hint in answer.pop("hints")] == ["WITHOUT_CONSENT"]
    said = {"ok": True, "text": query, "reasons": []}
    assert answer == {"ok": True, "canonical": query, "errors": [], "shopify": said, "count": 2, "clauses": None} | {
        "rest": None,
        "then": None,
    }


def test_while_typing_hints_tell_what_the_query_alone_can_tell(visitor):
    query = "rfm_recency > 3 AND rfm_recency < 2"
    answer = visitor.post("/segments/check", query=query).json
    assert [hint["code"] for hint in answer["hints"]] == ["ALWAYS_EMPTY", "CONTRADICTION"]
    assert answer["hints"][1]["places"] == [{"start": 0, "end": 15}, {"start": 20, "end": 35}]
    assert [reason["code"] for reason in answer["shopify"]["reasons"]] == ["NAME_NOT_IN_SHOPIFY"] * 2
    assert visitor.post("/segments/check", query=WRONG).json["hints"] == []


def test_hints_and_shopifys_words_stand_on_the_page_and_stop_nothing(site, visitor):
    answer = visitor.post("/segments/new", action="check", name="a", query="number_of_orders < 0")
    assert "nobody can meet this" in answer.text
    assert '<pre class="query">number_of_orders &lt; 0</pre>' in answer.text
    answer = visitor.post("/segments/new", action="check", name="a", query="rfm_recency > 3")
    assert "<li>Shopify&#39;s segments have no rfm_recency</li>" in answer.text
    assert visitor.post("/segments/new", action="save", name="None", query="number_of_orders < 0").status_code == 302
    assert "None" in [one.name for one in site.rows(Segment)]


def test_each_clause_is_counted_alone_and_with_those_above(visitor):
    query = "number_of_orders = 0 AND (amount_spent > 5 OR NOT amount_spent > 5)"
    answer = visitor.post("/segments/check", query=query, clauses="1").json
    assert answer["count"] is None
    told = [tuple(line[name] for name in ("depth", "joint", "text", "alone", "so_far")) for line in answer["clauses"]]
    assert told == [
        (0, "and", "number_of_orders = 0", 2, 2),
        (0, "and", "amount_spent > 5 OR NOT amount_spent > 5", 2, 2),
        (1, "or", "amount_spent > 5", 0, 0),
        (1, "or", "NOT amount_spent > 5", 2, 2),
        (2, None, "amount_spent > 5", 0, 0),
    ]
    page = visitor.post("/segments/new", action="check", name="a", query=query).text
    assert page.count('class="who depth-') == 5
    assert "Customers who meet it now: 2" in page
    assert visitor.post("/segments/check", query="number_of_orders = 0", clauses="1").json["clauses"] is None


def test_a_count_that_takes_long_comes_in_parts_that_add_up(visitor, monkeypatch):
    monkeypatch.setattr(counting, "SPAN", 1)
    monkeypatch.setattr(editor, "SECONDS", 0)
    asked = {"query": "orders_placed MATCHES (count = 0) AND number_of_orders < 3", "count": "1", "clauses": "1"}
    first = visitor.post("/segments/check", **asked).json
    assert (first["count"], first["rest"]) == (1, {"after": "1", "seen": 1, "of": 2})
    second = visitor.post("/segments/check", **asked, after="1").json
    assert (second["count"], second["rest"]["after"]) == (1, "2")
    last = visitor.post("/segments/check", **asked, after="2").json
    assert (last["count"], last["rest"]) == (0, None)
    assert [line["so_far"] for line in second["clauses"]] == [1, 1]
    monkeypatch.setattr(editor, "SECONDS_OF_FORM", 0)
    page = visitor.post("/segments/new", action="check", **asked).text
    assert "Customers who meet it now: 1 That is of the first 1 customers" in page


def test_everything_is_counted_as_of_the_end_of_the_day_in_the_box(visitor, time):
    time.move(timedelta(days=2))
    asked = {"query": "number_of_orders = 0 AND customer_added_date > -1d", "count": "1", "clauses": "1"}

    def counted(on):
        answer = visitor.post("/segments/check", **asked, on=on).json
        return answer["count"], [line["alone"] for line in answer["clauses"]], answer["then"]

    assert counted("") == (0, [2, 0], None)
    assert counted("2026-11-22") == (2, [2, 2], {"day": "22 Nov 2026", "as_today": False})
    assert counted("2026-11-21") == (0, [0, 0], {"day": "21 Nov 2026", "as_today": False})
    assert counted("2027-01-01") == counted("soon") == counted("")
    page = visitor.post("/segments/new", action="check", query="NOT customer_cities CONTAINS 'x'", on="2026-11-22").text
    assert 'name="on" type="date" max="2026-11-24" value="2026-11-22"' in page
    assert "Customers who met it then: 2" in page
    assert 'notice warning">As of the end of 22 Nov 2026, by what is known of that day. It asks for something' in page


def test_counting_never_takes_more_than_its_share(visitor):
    with at_once, at_once:
        assert visitor.post("/segments/check", query="number_of_orders = 0", count="1").json["count"] is None
    assert visitor.post("/segments/check", query="number_of_orders = 0", count="1").json["count"] == 2


def test_an_edit_keeps_what_was_not_changed(site, visitor, mine):
    path = f"/segments/{mine.ids['segment_id']}/edit"
    assert "customer_tags CONTAINS &#39;mine friends&#39;</textarea>" in visitor.page(path)
    answer = visitor.post(path, action="save", name="mine regulars", query="number_of_orders >= 4", tag="")
    assert answer.status_code == 302
    [kept] = site.rows(Segment)
    assert (kept.name, kept.query, kept.tag, kept.whole) == (
        "mine regulars",
        "number_of_orders >= 4",
        "seg:mine-regulars",
        "due",
    )


def test_a_faulty_edit_changes_nothing(site, visitor, mine):
    before = site.rows(Segment)
    path = f"/segments/{mine.ids['segment_id']}/edit"
    assert visitor.post(path, action="save", name="mine regulars", query=WRONG, tag="").status_code == 422
    assert visitor.post(path, action="check", name="other", query="number_of_orders > 3").status_code == 200
    assert site.rows(Segment) == before


@pytest.mark.parametrize("query", ["", "number_of_orders >=", "'", "((((", "🏷 = 🏷", WRONG, "number_of_orders >= 3"])
def test_the_parts_of_a_query_are_the_query(query):
    errors = language.check(query).errors
    cut = parts(query, errors)
    assert "".join(part.text for part in cut).rstrip() == query.rstrip()
    assert any(part.wrong for part in cut) == bool(errors)


def test_the_editor_offers_the_names_of_the_table(visitor):
    page = visitor.page("/segments/new")
    assert 'data-names="/docs/segments.json"' in page
    told = visitor.get("/docs/segments.json").json
    assert (told["joining"], told["beginning"]) == (["AND", "OR"], ["NOT", "IN SEGMENT"])
    assert "'mine regulars'" in told["segments"]
    assert "theirs" not in " ".join(told["segments"])
    offered = {one["name"]: one for one in told["names"]}
    assert offered["rfm_group"]["values"][0] == "PROSPECTS"
    assert "date" in {one["name"] for one in offered["orders_placed"]["parameters"]}


def test_the_language_is_documented_for_everybody(site):
    page = site.app.test_client().get("/docs/segments").text
    for told in (
        "number_of_orders",
        "orders_placed",
        "churn_risk",
        "STARTS WITH",
        "IN SEGMENT &#39;VIP&#39;",
        "NOT (",
        "Shopify has it too.",
    ):
        assert told in page
