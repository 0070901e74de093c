"""The page of safety: what is held with its numbers, and the limits of the shop, also by commands."""

import pytest

from plugin import clock
from plugin.__main__ import main
from plugin.config import settings
from plugin.db import table, transaction, upsert
from plugin.models.shops import Shop
from plugin.models.tagging import Destination, Hold, LedgerEntry
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
