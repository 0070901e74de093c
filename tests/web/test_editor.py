"""Writing a segment: what is said of a query, with JavaScript and without."""

import re
from datetime import timedelta

import pytest

from plugin.models.keeping import SegmentOrigin
from plugin.models.segments import Segment
from plugin.segments import language
from plugin.segments.asking import counting
from plugin.web.editor import form as editor
from plugin.web.editor import verdict
from plugin.web.editor.verdict import parts
from plugin.web.segments.counts import at_once
from tests.web.test_segments import shown


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


FIGURE = re.compile(r'data-label="(?:Alone|With those above)">([\d,]+)<')
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


def said_of(visitor, query, **more):
    """Every answer to a query, as the page asks one after the other."""
    answers = [visitor.post("/segments/check", query=query, **more).json]
    while following := answers[-1]["next"]:
        answers.append(visitor.post("/segments/check", query=query, **(following | more)).json)
    return answers


def figures(answer):
    """The counts in the table of a query's parts: of each alone, and with those above."""
    found = [int(one) for one in FIGURE.findall(answer["verdict"])]
    return list(zip(found[::2], found[1::2], strict=True))


def test_while_typing_a_query_is_read_first_and_counted_then(visitor):
    query = "number_of_orders = 0"
    first, *_, last = said_of(visitor, query)
    assert (first["ok"], first["query"], first["errors"], first["count"]) == (True, query, [], None)
    assert "This can be read. Counting …" in first["verdict"]
    assert "WITHOUT" not in first["verdict"]
    assert visitor.get("/segments/check", query_string={"query": query}).json == first
    assert (last["count"], last["next"]) == (2, None)
    text = shown(last["verdict"])
    assert "Customers who meet it now: 2" in text
    assert "nothing asks for consent" in text
    assert "Some of them anna@mine.example.com bert@mine.example.com" in text
    assert "To tag all of them would take: " in text
    assert "In Shopify's words number_of_orders = 0" in text.replace("&#39;", "'")


def test_while_typing_hints_tell_what_the_query_alone_can_tell(visitor):
    text = shown(visitor.post("/segments/check", query="rfm_recency > 3 AND rfm_recency < 2").json["verdict"])
    assert "nobody can meet this" in text
    assert "exclude each other" in text
    assert text.count("segments have no rfm_recency") == 2
    assert "nobody can meet" not in visitor.post("/segments/check", query=WRONG).json["verdict"]


def test_a_hint_brings_its_mend_along(visitor):
    *_, last = said_of(visitor, "number_of_orders = 0 OR amount_spent > 5")
    mend = "(number_of_orders = 0 OR amount_spent &gt; 5) AND email_subscription_status = &#39;SUBSCRIBED&#39;"
    assert f'data-start="0" data-end="40" data-text="{mend}"' in last["verdict"]


def test_hints_and_shopifys_words_stand_on_the_page_and_stop_nothing(site, visitor):
    answer = visitor.post("/segments/new", action="check", name="a", query="number_of_orders < 0")
    assert "nobody can meet this" in answer.text
    assert "number_of_orders &lt; 0</pre>" in answer.text
    answer = visitor.post("/segments/new", action="check", name="a", query="rfm_recency > 3")
    assert "<li>Shopify&#39;s segments have no rfm_recency</li>" in answer.text
    assert visitor.post("/segments/new", action="save", name="None", query="number_of_orders < 0").status_code == 302
    assert "None" in [one.name for one in site.rows(Segment)]


def test_each_clause_is_counted_alone_and_with_those_above(visitor):
    query = "number_of_orders = 0 AND (amount_spent > 5 OR NOT amount_spent > 5)"
    parts_of_it = [(2, 2), (2, 2), (0, 0), (2, 2), (0, 0)]
    answers = said_of(visitor, query)
    assert [figures(one) for one in answers if figures(one)] == [parts_of_it, parts_of_it]
    assert re.findall(r"who depth-(\d)", answers[-1]["verdict"]) == ["0", "0", "1", "1", "2"]
    page = visitor.post("/segments/new", action="check", name="a", query=query).text
    assert figures({"verdict": page}) == parts_of_it
    assert "Customers who meet it now: 2" in page
    assert not any(map(figures, said_of(visitor, "number_of_orders = 0")))


def test_a_count_that_takes_long_comes_in_parts_that_add_up(visitor, monkeypatch):
    monkeypatch.setattr(counting, "SPAN", 1)
    monkeypatch.setattr(verdict, "SECONDS", 0)
    query = "orders_placed MATCHES (count = 0) AND number_of_orders < 3"
    answers = said_of(visitor, query)
    counts = [one["count"] for one in answers]
    assert counts[1:4] == [1, 2, 2]
    assert "1 so far, of 1 customers looked at. There are about 2." in answers[1]["verdict"]
    assert '<progress value="1" max="2"' in answers[1]["verdict"]
    shares = [figures(one) for one in answers if figures(one)]
    assert [one[0] for one in shares] == [(1, 1), (2, 2), (2, 2), (2, 2)]
    monkeypatch.setattr(editor, "SECONDS_OF_FORM", 0)
    page = visitor.post("/segments/new", action="check", query=query).text
    assert "1 so far, of 1 customers looked at. There are about 2. Counting all takes longer." in page


def test_everything_is_counted_as_of_the_end_of_the_day_in_the_box(visitor, time):
    time.move(timedelta(days=2))
    query = "number_of_orders = 0 AND customer_added_date > -1d"

    def counted(on):
        answers = said_of(visitor, query, on=on)
        table = figures(answers[-1])
        told = re.search("As of the end of ([^,]*),", answers[-1]["verdict"])
        return answers[-1]["count"], [alone for alone, _ in table], told and told[1]

    assert counted("") == (0, [2, 0], None)
    assert counted("2026-11-22") == (2, [2, 2], "22 Nov 2026")
    assert counted("2026-11-21") == (0, [0, 0], "21 Nov 2026")
    assert counted("2027-01-01") == counted("soon") == counted("")
    page = visitor.post("/segments/new", action="check", query="NOT customer_cities CONTAINS 'x'", on="2026-11-22").text
    assert 'name="on" type="date" max="2026-11-24" value="2026-11-22"' in page
    assert "Customers who met it then: 2" in page
    assert 'notice warning">As of the end of 22 Nov 2026, by what is known of that day. It asks for something' in page


def test_counting_never_takes_more_than_its_share(visitor):
    with at_once, at_once:
        answer = visitor.post("/segments/check", query="number_of_orders = 0", step="count").json
        assert (answer["next"]["step"], answer["next"]["wait"]) == ("count", True)
        assert "Others are counting" in visitor.post("/segments/backtest", query="number_of_orders = 0").text
    assert visitor.post("/segments/check", query="number_of_orders = 0", step="count").json["count"] == 2


def test_a_query_that_is_being_written_is_tried_on_the_last_90_days(visitor, time):
    time.move(timedelta(days=100))
    told = shown(visitor.post("/segments/backtest", query="number_of_orders = 0").text)
    assert "Customers 2 0 Ordered 0 (0%) 0 Spent £0.00 £0.00" in told
    assert visitor.post("/segments/backtest", query="number_of").status_code == 422
    page = visitor.post("/segments/new", action="backtest", query="number_of_orders = 0").text
    assert "Would have been in it" in page


def test_a_template_fills_the_form_in_and_is_noted_if_its_query_was_left_as_it_is(site, visitor):
    page = visitor.page("/segments/new?template=vip")
    assert 'name="name" value="VIP"' in page
    assert "amount_spent &gt;= 500</textarea>" in page
    for name, query in (("VIP", "amount_spent >= 500"), ("Mine", "amount_spent >= 501")):
        visitor.post("/segments/new", action="save", name=name, query=query, template="vip")
    [noted] = site.rows(SegmentOrigin)
    assert {one.segment_id: one.name for one in site.rows(Segment)}[noted.segment_id] == "VIP"
    assert visitor.get("/segments/new?template=type_loyalists").status_code == 200


def test_the_tag_is_proposed_from_the_name(visitor):
    assert visitor.get("/segments/tag?name=At risk!").json == {"tag": "seg:at-risk"}


def test_a_long_query_is_laid_out_on_lines_and_kept_on_one(site, visitor, mine):
    long = "number_of_orders > 3 AND amount_spent > 5 AND customer_tags CONTAINS 'friend'"
    visitor.post("/segments/new", action="save", name="Long", query=long)
    [kept] = [one for one in site.rows(Segment) if one.name == "Long"]
    laid = "number_of_orders &gt; 3\nAND amount_spent &gt; 5\nAND customer_tags CONTAINS &#39;friend&#39;</textarea>"
    assert laid in visitor.page(f"/segments/{kept.segment_id}/edit")
    assert kept.query == long


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
    assert {"text": "VIP", "href": "/segments/new?template=vip"}.items() <= told["templates"][17].items()
    offered = {one["name"]: one for one in told["names"]}
    assert offered["customer_tags"]["chosen"]
    assert not offered["rfm_group"]["chosen"]
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
