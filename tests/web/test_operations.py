"""Activity, deliveries, connections, settings, people: what is shown to whom, and what is asked before it is done."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from plugin import clock
from plugin.__main__ import main
from plugin.config import settings
from plugin.db import table, transaction, upsert
from plugin.models.segments import Segment
from plugin.models.shops import Connection, PeopleChange, Shop
from plugin.models.tagging import Destination, LedgerEntry, Push, TagWrite
from plugin.seal import unseal
from tests.web.test_segments import shown


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


def write(site, tenant, contact="anna@mine.example.com", **more):
    """Keep that a tag was put on somebody."""
    row = {
        "shop_id": tenant.shop_id,
        "written_at": clock.now(),
        "connection_id": tenant.ids["connection_id"],
        "tag": f"seg:{tenant.name}-regulars",
        "contact": contact,
        "put_on": True,
        "outcome": "taken",
        "segment_id": tenant.ids["segment_id"],
    }
    with transaction(site.engine) as session:
        upsert(session, table(TagWrite), [row | more])


def test_activity_says_whom_which_tag_why_and_what_was_answered(site, visitor, mine, theirs, time):
    write(site, theirs, "secret@theirs.example.com")
    write(site, mine)
    time.move(timedelta(days=1))
    write(site, mine, "bert@mine.example.com", put_on=False, outcome="refused", answer="no such list", why="off")
    text = shown(visitor.page("/activity"))
    assert "anna@mine.example.com + put on seg:mine-regulars mine regulars · Klaviyo an order accepted" in text
    assert "taken off seg:mine-regulars mine regulars · Klaviyo the segment was switched off refused" in text
    assert "no such list" in text
    assert "theirs" not in text
    for wanted, who in (
        ("change=off", "bert"),
        ("change=on", "anna"),
        ("outcome=refused", "bert"),
        (f"customer={mine.first}", "anna"),
        ("until=2026-11-22", "anna"),
        ("since=2026-11-23", "bert"),
    ):
        found = shown(visitor.page(f"/activity?{wanted}"))
        assert [name for name in ("anna", "bert") if f"{name}@" in found] == [who], wanted
    assert "Nothing matches" in visitor.page("/activity?segment=nowhere")


def test_activity_is_downloaded_as_a_table_without_formulas(site, visitor, mine):
    write(site, mine, "=HYPERLINK(1)@example.com")
    answer = visitor.get("/activity.csv?change=on")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="activity-2026-11-22.csv"'
    head, row, *_ = answer.text.splitlines()
    assert head == "when,platform,contact,customer_id,tag,segment,change,cause,outcome,answer"
    assert row.startswith(
        "2026-11-22T12:00:00+00:00,Klaviyo,'=HYPERLINK(1)@example.com,,seg:mine-regulars,mine regulars"
    )
    assert visitor.get("/activity.csv?change=off").text.splitlines() == [head]


def test_what_a_delivery_says_is_shown_to_those_who_may_see_it_and_to_nobody_else(site, visitor, mine):
    body = b'{"email": "anna@mine.example.com", "id": 4711}'
    delivery_id = site.delivery(mine, "failed", "out of order", body=body)
    path = f"/deliveries/{delivery_id}"
    assert "out of order" in visitor.page(path)
    assert "anna@mine.example.com" in visitor.page(path)
    assert visitor.get(f"{path}/body").data == body
    assert visitor.get(f"{path}/body").headers["Content-Type"].startswith("text/plain")
    viewer = site.visitor(mine, "viewer")
    assert "anna@" not in viewer.page(path)
    assert viewer.get(f"{path}/body").status_code == 403
    assert delivery_id in visitor.page("/deliveries?id=4711")
    assert "Search by an id" in visitor.page("/deliveries?id=anna@mine.example.com")


def test_a_connection_is_paused_and_goes_on_when_somebody_says_so(site, visitor, mine):
    path = f"/connections/{mine.ids['connection_id']}"
    assert "is paused" in visitor.said(visitor.post(f"{path}/pause"))
    text = shown(visitor.page("/connections"))
    assert "Paused by hand" in text
    assert "Resume : Klaviyo" in text
    assert visitor.post(f"{path}/pause").status_code == 409


def test_disconnecting_tells_what_stays_behind_and_asks_for_the_shops_name(site, visitor, mine):
    own = {"shop_id": mine.shop_id, "connection_id": mine.ids["connection_id"]}
    tag = {"folded": "t", "tag": "t", "state": "confirmed", "changed_at": clock.now()}
    with transaction(site.engine) as session:
        live = own | {"segment_id": mine.ids["segment_id"], "state": "live", "released_at": clock.now()}
        upsert(session, table(Destination), [live])
        upsert(session, table(LedgerEntry), [own | tag | {"contact": name} for name in ("a", "b")])
        upsert(session, table(Push), [own | {"contact": "a", "changed_at": clock.now(), "version": 1, "attempts": 0}])
    path = f"/connections/{mine.ids['connection_id']}/disconnect"
    text = shown(visitor.page(path))
    assert "2 contacts keep what we put on: 2 tags" in text
    assert "1 segment is live there" in text
    assert "1 contact waits to be written" in text
    before = site.everything()
    assert visitor.post(path, name="mine").status_code == 422
    assert site.everything() == before
    assert "its credentials are deleted" in visitor.said(visitor.post(path, name="mine  SHOP"))
    [kept] = [row for row in site.rows(Connection) if row.connection_id == mine.ids["connection_id"]]
    assert (kept.state, unseal(mine.shop_id, kept.sealed)) == ("gone", {"access_token": ""})
    states = {row.state for row in site.rows(Destination) if row.connection_id == kept.connection_id}
    assert states == {"rehearsal"}
    assert visitor.get(path).status_code == 409


def test_a_key_is_asked_for_and_what_is_missing_is_said(visitor):
    assert 'name="api_key"' in visitor.page("/connections/new/klaviyo")
    assert "Fill in every box" in visitor.post("/connections/new/klaviyo", api_key=" ").text
    assert visitor.get("/connections/new/shopify").status_code == 404  # the shop has its store
    assert visitor.get("/connections/new/nowhere").status_code == 404


def test_other_terms_are_kept_once_what_follows_was_seen(site, visitor, mine):
    wanted = {"zone": "Asia/Tokyo", "currency": "eur", "cart_wait_minutes": "90", "orders": "paid"}
    page = visitor.post("/settings/terms", **wanted).text
    text = shown(page)
    assert "Europe/London Asia/Tokyo" in text
    assert "2 customers are asked again" in text
    assert "The store's past is read once more" in text
    [shop] = site.rows(Shop)
    assert shop.zone == "Europe/London"
    agreed = re.search('name="agreed" value="([^"]+)"', page)[1]
    assert "What follows" in visitor.post("/settings/terms", agreed=agreed, **wanted | {"zone": "Asia/Seoul"}).text
    assert "computed anew" in visitor.said(visitor.post("/settings/terms", agreed=agreed, **wanted))
    [shop] = site.rows(Shop)
    assert (shop.zone, shop.currency, shop.cart_wait_minutes, shop.paid_orders_only) == ("Asia/Tokyo", "EUR", 90, True)
    assert "Nothing was changed" in visitor.said(visitor.post("/settings/terms", **wanted))
    assert visitor.post("/settings/terms", **wanted | {"zone": "Mars/Olympus"}).status_code == 422


def test_mails_are_written_in_the_language_that_the_shop_chose(site, visitor, mine):
    assert visitor.post("/settings/language", language="xx").status_code == 400
    assert "from now on" in visitor.said(visitor.post("/settings/language", language="de"))
    assert [row.language for row in site.rows(Shop)] == ["de"]


def test_new_tags_begin_as_the_shop_says_and_old_ones_keep_their_names(site, visitor, mine, monkeypatch, capsys):
    assert "begin with kunde-" in visitor.said(visitor.post("/settings/prefix", prefix="kunde-"))
    assert [row.tag for row in site.rows(Segment)] == ["seg:mine-regulars"]
    assert visitor.post("/settings/prefix", prefix="a,b").status_code == 422
    foreign = {"shop_id": mine.shop_id, "connection_id": mine.ids["connection_id"], "contact": "a", "folded": "vip-1"}
    with transaction(site.engine) as session:
        row = foreign | {"tag": "vip-1", "state": "foreign", "changed_at": clock.now()}
        upsert(session, table(LedgerEntry), [row])
    assert "choose another prefix" in visitor.post("/settings/prefix", prefix="vip-").text
    monkeypatch.setenv("DATABASE_URL", site.engine.url.render_as_string(hide_password=False))
    settings.cache_clear()
    assert main(["tags", "prefix", "x:", "--shop", mine.domain]) == 0
    assert capsys.readouterr().out == "x:\n"
    assert main(["tags", "prefix", "vip-", "--shop", mine.domain]) == 2


def test_what_was_done_about_people_is_noted_and_a_removal_is_asked_about_and_undone(site, visitor, mine, time):
    visitor.post("/people", email="eve@example.com", role="editor")
    [eve] = {row.account_id for row in site.rows(PeopleChange)}
    with transaction(site.engine) as session:
        session.execute(update(Segment).values(owner_email="Eve@example.com"))
    time.move(timedelta(minutes=1))
    asked = shown(visitor.page(f"/people/{eve}/remove"))
    assert "1 segment, which they look after: mine regulars" in asked
    visitor.post(f"/people/{eve}/remove")
    text = shown(visitor.page("/people"))
    assert "eve@example.com was removed, having been editor" in text
    assert "eve@example.com was invited as editor 22 Nov 2026, 12:00 the first owner" in text
    time.move(timedelta(minutes=1))
    assert visitor.post("/people", email="eve@example.com", role="editor").status_code == 200
    assert "Invite again" not in visitor.page("/people")


def test_whoever_edited_is_named_also_once_they_are_gone(site, visitor, mine, time):
    editor = site.visitor(mine, "editor")
    path = f"/segments/{mine.ids['segment_id']}"
    editor.page(f"{path}/edit")
    form = {"name": "mine regulars", "tag": "seg:mine-regulars", "version": "1", "action": "save"}
    editor.said(editor.post(f"{path}/edit", query="number_of_orders > 3", **form))
    assert "editor@mine.example.com" in shown(visitor.page(f"{path}/edits"))
    visitor.post(f"/people/{mine.shop_id}-editor/remove")
    assert "editor@mine.example.com" in shown(visitor.page(f"{path}/edits"))
