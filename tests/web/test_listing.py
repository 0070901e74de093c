"""The list of segments in any order, kept to some of them; and members found and given out."""

import csv
import io
import re

import pytest

from plugin import clock, shops
from plugin.db import transaction
from plugin.insight import exporting
from plugin.models.commerce import Customer
from plugin.segments.kept import keep
from tests.web.test_segments import shown


@pytest.fixture
def database_url(sqlite_databases):
    with sqlite_databases() as address:
        yield address


@pytest.fixture
def path(mine):
    return f"/segments/{mine.ids['segment_id']}"


@pytest.fixture
def three(site, mine):
    with transaction(site.engine) as session:
        shop = shops.shop(session, mine.shop_id)
        keep.add(session, shop, "Zebra", "number_of_orders > 3", objective="A stripe")
        keep.add(session, shop, "Aardvark", "number_of_orders > 4", enabled=False)


def names(page):
    return re.findall(r'<td role="cell" class="who"><a href="[^"]+">([^<]+)</a>', page)


def test_the_list_is_put_in_the_order_of_a_column_and_turned_round(visitor, three):
    page = visitor.page("/segments")
    assert names(page) == ["Aardvark", "mine regulars", "Zebra"]
    assert 'aria-sort="ascending"><a href="/segments?by=name&amp;order=down">' in page
    assert names(visitor.page("/segments?by=name&order=down")) == ["Zebra", "mine regulars", "Aardvark"]
    assert names(visitor.page("/segments?by=size")) == ["mine regulars", "Aardvark", "Zebra"]
    assert names(visitor.page("/segments?by=nothing")) == ["Aardvark", "mine regulars", "Zebra"]


def test_the_list_is_kept_to_words_and_to_a_state(visitor, three):
    assert names(visitor.page("/segments?q=STRIPE")) == ["Zebra"]
    assert names(visitor.page("/segments?state=off")) == ["Aardvark"]
    assert "No segment is like that." in shown(visitor.page("/segments?q=stripe&state=off"))


def test_only_the_rows_are_sent_to_whoever_asks_for_the_part(visitor, three):
    part = visitor.get("/segments?q=zebra", headers={"HX-Request-Type": "partial"}).text
    assert names(part) == ["Zebra"]
    assert "<html" not in part


def test_a_member_is_found_and_nobody_else(site, visitor, mine, path):
    with transaction(site.engine) as session:
        session.add(
            Customer(shop_id=mine.shop_id, customer_id="no member", email="anna.other@example.com", seen_at=clock.now())
        )
    text = shown(visitor.post(f"{path}/members", who="anna@mine").text)
    assert "anna@mine.example.com" in text
    assert "bert@mine" not in text
    assert "No member is called that" in shown(visitor.post(f"{path}/members", who="no member").text)


def test_all_members_are_given_out_and_no_cell_is_a_formula(site, visitor, mine, path, monkeypatch):
    monkeypatch.setattr(exporting, "PART", 7)
    site.people(mine, *(f"{number:03}@mine.example.com" for number in range(30)))
    with transaction(site.engine) as session:
        session.get(Customer, (mine.shop_id, str(mine.first))).first_name = "=1+1"
    answer = visitor.get(f"{path}/members.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert sorted(row["email"] for row in rows) == [f"{number:03}@mine.example.com" for number in range(30)]
    [odd] = [row for row in rows if row["first_name"]]
    assert (odd["first_name"], odd["currency"], odd["because_of"]) == ("'=1+1", "GBP", "order")
    assert "attachment" in answer.headers["Content-Disposition"]


def test_parts_of_the_question_are_counted_after_the_page(site, visitor, mine, path):
    with transaction(site.engine) as session:
        shop = shops.shop(session, mine.shop_id)
        query = "number_of_orders = 0 AND customer_tags CONTAINS 'x'"
        segment = keep.add(session, shop, "Both", query)
    text = shown(visitor.page(f"/segments/{segment.segment_id}/clauses"))
    assert "Number of orders: 0 2 2" in text
    assert "and Tags in the store: includes “x” 0 0" in text


def test_another_tag_and_purpose_are_kept_by_the_settings(site, visitor, mine, path):
    form = {"called": "Regulars", "tag": "seg:other", "objective": "Keep them", "review_count": "", "version": "1"}
    assert "Your changes are kept." in shown(visitor.said(visitor.post(f"{path}/settings", **form)))
    page = visitor.page(path)
    assert "Keep them" in page
    assert "seg:other" in page
    assert visitor.post(f"{path}/settings", **form, owner="Rosa").status_code == 409
