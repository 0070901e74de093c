"""The page of safety: what is held with its numbers, and the limits of the shop, also by commands."""

import re

import pytest
from sqlalchemy import update

from plugin import clock
from plugin.__main__ import main
from plugin.config import settings
from plugin.db import table, transaction, upsert
from plugin.models.segments import Segment
from plugin.models.shops import Shop
from plugin.models.tagging import Destination, Drift, Hold, LedgerEntry, ReadBack
from tests.web.test_segments import shown


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


@pytest.fixture
def held(site, mine, time):
    """The visitor's segment, held on Klaviyo: Anna is new in it and has the tag already."""
    way = {"shop_id": mine.shop_id, "segment_id": mine.ids["segment_id"], "connection_id": mine.ids["connection_id"]}
    tag = {"folded": "seg:mine-regulars", "tag": "seg:mine-regulars", "state": "confirmed", "changed_at": clock.now()}
    with transaction(site.engine) as session:
        upsert(session, table(Destination), [way | {"state": "held", "released_at": clock.now()}])
        upsert(
            session,
            table(Hold),
            [way | {"held_at": clock.now(), "since_at": clock.now(), "added": 1234, "removed": 0, "size": 2}],
        )
        del way["segment_id"]
        upsert(session, table(LedgerEntry), [way | tag | {"contact": "cleo@mine.example.com"}])
    return mine.ids["segment_id"], mine.ids["connection_id"]


def test_what_is_held_is_shown_with_its_numbers_and_taken_back_or_released(site, visitor, held):
    segment_id, connection_id = held
    text = shown(visitor.page("/safety"))
    assert "To get the tag 1,234" in text
    assert "1 contacts lose the tag that was put on since, and 0 get it again" in text
    answer = visitor.said(visitor.post(f"/segments/{segment_id}/back/{connection_id}"))
    assert "brought back to how it was, and stays held" in answer
    assert "is being taken back" in shown(visitor.page("/safety"))
    assert [row.back_at for row in site.rows(Hold)] == [None]
    visitor.post(f"/segments/{segment_id}/release/{connection_id}")
    assert "Nothing is held." in shown(visitor.page("/safety"))
    assert visitor.post(f"/segments/{segment_id}/back/{connection_id}").status_code == 409


def test_the_limits_are_the_shops_own_and_nonsense_is_refused_with_its_reason(site, visitor, mine):
    given = {"percent": "35", "contacts": "500", "email": "ops@example.com"}
    assert "these are the limits" in visitor.said(visitor.post("/safety/limits", **given))
    for wrong, why in (
        ({"percent": "101"}, "from 0 to 100"),
        ({"contacts": ""}, "number of contacts"),
        ({"email": "nobody"}, "no e-mail"),
    ):
        answer = visitor.post("/safety/limits", **given | wrong)
        assert (answer.status_code, why in answer.text) == (422, True)
    shop = next(one for one in site.rows(Shop) if one.shop_id == mine.shop_id)
    assert (shop.guard_percent, shop.guard_contacts, shop.alert_email) == (35, 500, "ops@example.com")


def test_the_same_is_done_by_commands(site, mine, held, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", site.engine.url.render_as_string(hide_password=False))
    settings.cache_clear()

    def said(*words):
        assert main([*words, "--shop", mine.domain]) == 0
        return capsys.readouterr().out

    assert said("tags", "limits", "--percent", "30").startswith("30 % of the members and 100 contacts")
    assert "+1234 -0 of 2" in said("tags", "held")
    assert "1 lose the tag" in said("tags", "back", "mine regulars", "--on", "klaviyo", "--dry-run")
    assert [row.back_asked_at for row in site.rows(Hold)] == [None]
    said("tags", "back", "mine regulars", "--on", "klaviyo")
    assert [row.back_asked_at for row in site.rows(Hold)] == [clock.now()]
    assert "is live on klaviyo" in said("tags", "release", "mine regulars", "--on", "klaviyo")
    assert said("tags", "held") == ""
    assert main(["tags", "back", "mine regulars", "--on", "nowhere", "--shop", mine.domain]) == 2


def test_what_was_read_back_is_shown_and_repaired_on_demand(site, visitor, mine, held):
    _, connection_id = held
    way = {"shop_id": mine.shop_id, "connection_id": connection_id}
    run = {"whole": True, "begun_at": clock.now(), "ended_at": clock.now(), "seen": 7, "lost": 1, "back": 0, "gone": 0}
    lost = {"contact": "cleo@mine.example.com", "folded": "seg:mine-regulars", "tag": "seg:mine-regulars"}
    with transaction(site.engine) as session:
        upsert(session, table(ReadBack), [way | run])
        upsert(session, table(Drift), [way | lost | {"kind": "lost", "seen_at": clock.now()}])
    text = shown(visitor.page("/safety"))
    assert "1 tags were lost, 0 came back, 0 contacts are gone." in text
    assert "cleo@mine.example.com seg:mine-regulars : was put on by us, and is not there" in text
    assert "1 difference is being repaired" in visitor.said(visitor.post(f"/safety/repair/{connection_id}"))
    assert (site.rows(Drift), site.rows(LedgerEntry)) == ([], [])
    assert "are being read back" in visitor.said(visitor.post(f"/safety/read/{connection_id}"))
    assert [(row.whole, row.ended_at) for row in site.rows(ReadBack)] == [(True, None)]


def test_all_of_ours_comes_off_once_the_shops_name_is_typed(site, visitor, mine, held):
    _, connection_id = held
    path = f"/safety/leave/{connection_id}"
    assert "1 contact loses the tags that we put on: 1 tag" in shown(visitor.page(path))
    before = site.everything()
    answer = visitor.post(path, name="mine")
    assert (answer.status_code, "Nothing is taken off." in answer.text, site.everything()) == (422, True, before)
    assert "is being taken off" in visitor.said(visitor.post(path, name=" Mine  Shop"))
    assert not [row for row in site.rows(Destination) if row.connection_id == connection_id]
    assert "All that we wrote there is being taken off." in shown(visitor.page("/safety"))
    visitor.post(f"/safety/stay/{connection_id}")
    assert {row.state for row in site.rows(Destination) if row.connection_id == connection_id} == {"rehearsal"}


def test_an_edit_of_a_live_segment_is_rehearsed_before_it_is_kept(site, visitor, mine, held):
    segment_id, connection_id = held
    way = {"shop_id": mine.shop_id, "segment_id": segment_id, "connection_id": connection_id}
    with transaction(site.engine) as session:
        upsert(session, table(Destination), [way | {"state": "live", "released_at": clock.now()}])
        session.execute(update(table(LedgerEntry)).values(contact="anna@mine.example.com"))
    path = f"/segments/{segment_id}/edit"
    visitor.page(path)
    form = {"name": "mine regulars", "tag": "seg:mine-regulars", "version": "1", "action": "save"}
    query = "number_of_orders > 5\r\nAND number_of_orders < 9"
    page = visitor.post(path, query=query, **form).text
    assert "What saving this would write Klaviyo" in shown(page)
    assert re.search(r'data-label="To take off">1<', page)
    [kept] = [row for row in site.rows(Segment) if row.segment_id == segment_id]
    assert kept.version == 1
    said = visitor.said(
        visitor.post(path, query=query, agreed=re.search('name="agreed" value="([^"]+)"', page)[1], **form)
    )
    assert "Your changes are kept." in said
    [kept] = [row for row in site.rows(Segment) if row.segment_id == segment_id]
    assert (kept.version, kept.due_cause) == (2, "agreed")


def test_what_a_release_would_cost_is_told_beside_the_count(visitor, mine):
    answer = visitor.post("/segments/check", query="number_of_orders = 0", step="more", count="25001").json
    assert sorted(re.findall("<li>(.*? contacts\\. Look-ups.*?)</li>", answer["verdict"])) == [
        "Klaviyo: at most 25,001 contacts. Look-ups: 1. Calls: 3. Its limits make nothing wait.",
        "Shopify: at most 25,001 contacts. Look-ups: 101. Calls: 3. At its limits that takes 4 minutes or more.",
    ]
