"""Deleting a segment: told in numbers, refused while others need it, done once its name is typed."""

import pytest

from plugin import clock, shops
from plugin.__main__ import main
from plugin.config import settings
from plugin.db import table, transaction, upsert
from plugin.models.segments import Membership, Segment
from plugin.models.tagging import LedgerEntry, Push
from plugin.segments.kept import keep
from tests.web.test_segments import shown


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


@pytest.fixture
def path(mine):
    return f"/segments/{mine.ids['segment_id']}/remove"


def tagged(site, mine, tag, *contacts, state="confirmed"):
    entry = {"shop_id": mine.shop_id, "connection_id": mine.ids["connection_id"], "folded": tag, "tag": tag}
    entry |= {"state": state, "changed_at": clock.now()}
    with transaction(site.engine) as session:
        upsert(session, table(LedgerEntry), [entry | {"contact": contact} for contact in contacts])


def test_what_goes_is_told_and_goes_once_the_name_is_typed(site, visitor, mine, path):
    tagged(site, mine, "seg:mine-regulars", "a@example.com", "b@example.com")
    tagged(site, mine, "seg:mine-regulars", "c@example.com", state="foreign")
    with transaction(site.engine) as session:
        keep.edit(session, shops.shop(session, mine.shop_id), mine.ids["segment_id"], tag="seg:new-name")
    tagged(site, mine, "seg:new-name", "a@example.com", "d@example.com")
    text = shown(visitor.page(path))
    assert "2 customers are members no more" in text
    assert "Klaviyo mine-mail : the tag is taken off 3 contacts, on whom our ledger says that it is ours." in text
    assert "Shopify mine.myshopify.com : nothing is taken off" in text
    assert "Its versions and 1 snapshot stay." in text
    before = site.everything()
    answer = visitor.post(path, name="mine regular")
    assert (answer.status_code, "Nothing has been changed." in answer.text, site.everything()) == (422, True, before)
    assert "mine regulars is deleted." in visitor.said(visitor.post(path, name=" Mine  regulars "))
    assert (site.rows(Segment), site.rows(Membership)) == ([], [])
    asked = {one.contact for one in site.rows(Push) if one.connection_id == mine.ids["connection_id"]}
    assert asked >= {"a@example.com", "b@example.com", "d@example.com"}
    assert "c@example.com" not in asked


def test_what_refers_to_it_is_listed_instead(site, visitor, mine, path):
    with transaction(site.engine) as session:
        shop = shops.shop(session, mine.shop_id)
        other = keep.add(session, shop, "Loyal ones", "IN SEGMENT 'mine regulars'", enabled=False)
    page = visitor.page(path)
    assert f'href="/segments/{other.segment_id}/edit">Loyal ones' in page
    assert '<button class="harm"' not in page
    answer = visitor.post(path, name="mine regulars")
    assert (answer.status_code, len(site.rows(Segment))) == (422, 2)


def test_the_command_says_it_and_does_it(site, mine, database_url, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", database_url)
    settings.cache_clear()
    call = ["segments", "remove", "mine regulars", "--shop", "mine shop"]
    for more, left in ((["--dry-run"], 1), ([], 0)):
        assert main([*call, *more]) == 0
        told = capsys.readouterr().out
        assert "2 members\t0 pins\t0 tests\t1 snapshots stay\n" in told
        assert "Klaviyo mine-mail\t0 contacts untagged\n" in told
        assert len(site.rows(Segment)) == left
