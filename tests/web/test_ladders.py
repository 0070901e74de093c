"""Ladders on the site: made, put in order, changed and removed, and told on the pages of their segments."""

import re

import pytest

from plugin import clock, shops
from plugin.db import table, transaction, upsert
from plugin.models.segments import Segment
from plugin.models.structures import Ladder, LadderLevel
from plugin.models.tagging import Destination, LedgerEntry
from plugin.segments.kept import keep
from tests.web.test_segments import shown


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


@pytest.fixture
def levels(site, mine):
    """Three segments of the visitor's shop, by name."""
    found = {"regulars": mine.ids["segment_id"]}
    with transaction(site.engine) as session:
        shop = shops.shop(session, mine.shop_id)
        for name, query in (("Silver", "number_of_orders >= 0"), ("Gold", "number_of_orders >= 5")):
            found[name] = keep.add(session, shop, name, query).segment_id
    return found


def kept(visitor, path, *ids, tags=(), seen=(), **more):
    rows = {"level": list(ids), "tag": [*tags] or [""] * len(ids), "shown": [*seen] or [""] * len(ids)}
    found = re.search(r'name="since" value="([^"]+)"', visitor.get(path).text)
    since = {"since": found[1]} if found else {}
    return visitor.post(path, **{"action": "save", "name": "Loyalty"} | since | rows | more)


def order(site):
    return [one.segment_id for one in sorted(site.rows(LadderLevel), key=lambda one: one.place)]


def test_a_ladder_is_made_listed_and_told_on_its_segments_pages(site, visitor, levels):
    answer = kept(visitor, "/ladders/new", levels["regulars"], "", levels["Silver"], grace="30", stay="90")
    text = shown(visitor.said(answer))
    assert "Loyalty is kept" in text
    assert "lost 30 days after it was last met. It is kept for 90 days at least." in text
    assert text.index("2. Silver") < text.index("1. mine regulars 2 seg:mine-regulars")
    assert "Its ladder Loyalty : level 2 of 2" in shown(visitor.page(f"/segments/{levels['Silver']}"))
    page = shown(visitor.page(f"/segments/{levels['Silver']}/settings"))
    assert "The ladder Loyalty level 2 of 2 A level is lost 30 days after" in page
    assert "Its ladder" not in visitor.page(f"/segments/{levels['Gold']}")


def test_levels_change_places_and_more_are_offered_before_anything_is_kept(site, visitor, levels):
    low, high = levels["Silver"], levels["Gold"]
    page = kept(visitor, "/ladders/new", low, high, tags=("seg:a", "seg:b"), seen=(low, high), action="higher:0").text
    assert re.findall(r'value="(\w+)" selected', page) == [high, low]
    assert re.findall(r'name="tag" value="([^"]*)"', page) == ["seg:b", "seg:a"]
    page = kept(visitor, "/ladders/new", low, high, tags=("seg:a", "seg:b"), seen=(low, low), action="more").text
    assert re.findall(r'name="tag" value="([^"]*)"', page) == ["seg:a", "seg:gold", ""]  # the typed one was Silver's
    assert site.rows(Ladder) == []


def test_a_ladder_is_edited_with_the_tags_of_its_levels(site, visitor, levels):
    low, high = levels["Silver"], levels["Gold"]
    kept(visitor, "/ladders/new", low, high)
    [ladder] = site.rows(Ladder)
    place = f"/ladders/{ladder.ladder_id}"
    assert 'value="seg:gold"' in visitor.page(place)
    kept(visitor, place, high, low, tags=("seg:top", "seg:gold"), seen=(high, high), grace="7")
    assert order(site) == [high, low]
    tags = {one.name: one.tag for one in site.rows(Segment)}
    assert (tags["Gold"], tags["Silver"]) == ("seg:top", "seg:silver")  # whose tag was typed for Gold before
    assert [one.grace_days for one in site.rows(Ladder)] == [7]
    answer = kept(visitor, place, low)
    assert (answer.status_code, "has 2 to 20 levels" in answer.text, order(site)) == (422, True, [high, low])
    answer = kept(visitor, place, low, high, tags=("", "vip"), seen=("", high))
    assert (answer.status_code, order(site)) == (422, [high, low])  # a tag that is refused keeps nothing of it
    for no_number in ("soon", "9" * 5000):  # Python reads no number of so many digits
        assert kept(visitor, place, low, high, grace=no_number).status_code == 422
    assert kept(visitor, place, low, high, action="higher:" + "9" * 5000).status_code == 200
    late = kept(visitor, place, low, high, since="2026-11-22T11:59:00+00:00")
    assert ("Somebody else has changed this ladder" in late.text, order(site)) == (True, [high, low])


def test_removing_says_first_how_many_each_segment_then_has(site, visitor, levels):
    kept(visitor, "/ladders/new", levels["regulars"], levels["Silver"])
    [ladder] = site.rows(Ladder)
    assert "mine regulars 2 0 Silver 0 2" in shown(visitor.page(f"/ladders/{ladder.ladder_id}/remove"))
    assert visitor.post(f"/ladders/{ladder.ladder_id}/remove").status_code == 422
    assert "Loyalty is removed" in visitor.said(visitor.post(f"/ladders/{ladder.ladder_id}/remove", name="loyalty"))
    assert (site.rows(Ladder), site.rows(LadderLevel), len(site.rows(Segment))) == ([], [], 3)


def test_a_ladder_that_has_lost_its_levels_is_told_and_stays_out_of_the_file(site, visitor, levels):
    kept(visitor, "/ladders/new", levels["Gold"], levels["Silver"])
    assert "ladders:" in visitor.get("/segments/file/segments.yaml").text
    visitor.post(f"/segments/{levels['Gold']}/remove", name="Gold")
    assert "ladders:" not in visitor.get("/segments/file/segments.yaml").text
    visitor.post(f"/segments/{levels['Silver']}/remove", name="Silver")
    assert "All of its segments are deleted." in visitor.page("/ladders")


def test_what_a_ladder_would_write_is_seen_before_it_is_kept(site, visitor, mine, levels):
    place = {"shop_id": mine.shop_id, "connection_id": mine.ids["connection_id"]}
    tag = {"folded": "seg:mine-regulars", "tag": "seg:mine-regulars", "state": "confirmed", "changed_at": clock.now()}
    with transaction(site.engine) as session:
        way = place | {"segment_id": levels["regulars"], "state": "live", "released_at": clock.now()}
        upsert(session, table(Destination), [way])
        upsert(session, table(LedgerEntry), [place | tag | {"contact": "anna@mine.example.com"}])
    ids = (levels["regulars"], levels["Silver"])  # everybody meets the higher one
    page = kept(visitor, "/ladders/new", *ids).text
    assert "What saving this would write Klaviyo" in shown(page)
    assert re.search(r'<td[^>]*>mine regulars</td>.*data-label="To take off">1<', page, re.DOTALL)
    assert site.rows(Ladder) == []
    agreed = re.search('name="agreed" value="([^"]+)"', page)[1]
    tags = re.findall(r'name="tag" value="([^"]*)"', page)
    kept(visitor, "/ladders/new", *ids, tags=tags[:2], seen=ids, agreed=agreed)
    assert order(site) == [*ids]
    assert {row.due_cause for row in site.rows(Segment) if row.segment_id == ids[0]} == {"agreed"}
