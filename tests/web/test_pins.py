"""Pins on the site: put on and taken off on the page of the segment and on that of the customer."""

import pytest

from plugin.models.structures import Pin
from tests.web.test_segments import shown


@pytest.fixture
def database_url(sqlite_databases):
    """One kind is enough: what the database is asked here is asked on both elsewhere."""
    with sqlite_databases() as address:
        yield address


def test_a_customer_is_pinned_by_address_with_what_is_to_be_known_and_let_go(site, visitor, mine):
    place = f"/segments/{mine.ids['segment_id']}"
    how = {"inside": "no", "reason": "asked for it", "author": "Bo", "until": "2026-12-31"}
    text = shown(visitor.said(visitor.post(f"{place}/pins", customer="ANNA@mine.example.com", **how)))
    assert "Pinned: never in mine regulars." in text
    row = "never in 31 Dec 2026 asked for it Bo 22 Nov 2026, 12:00 Take off"
    assert f"anna@mine.example.com {row}" in text
    assert f"anna@mine.example.com {row}" in shown(visitor.page(f"{place}/pins"))
    assert f"mine regulars {row}" in shown(visitor.page(f"/customers/{mine.first}"))
    assert "The pin is off" in visitor.said(visitor.post(f"{place}/pins/remove", customer=str(mine.first)))
    assert site.rows(Pin) == []


def test_a_customer_is_pinned_on_their_own_page(site, visitor, mine):
    place = f"/customers/{mine.first}/pins"
    text = shown(visitor.said(visitor.post(place, segment=mine.ids["segment_id"], inside="yes")))
    assert "mine regulars always in for good the first owner" in text
    assert "The pin is off" in visitor.said(visitor.post(f"{place}/remove", segment=mine.ids["segment_id"]))
    assert visitor.post(place, segment=site.shop("other").ids["segment_id"], inside="yes").status_code == 404
    assert site.rows(Pin) == []


def test_nobody_is_pinned_who_is_not_known_or_for_days_that_have_passed(site, visitor, mine, theirs):
    place = f"/segments/{mine.ids['segment_id']}/pins"
    for wrong, said in (
        ({"customer": "anna@theirs.example.com"}, "There is no single customer"),
        ({"customer": str(theirs.first)}, "There is no single customer"),
        ({"customer": str(mine.first), "until": "2026-11-21"}, "The last day has passed already."),
        ({"customer": str(mine.first), "until": "soon"}, "A day is written 2026-12-31."),
    ):
        sent = {"inside": "no", "reason": "She asked for it.", "author": "Support"} | wrong
        forms = [(place, sent)]
        if "until" in wrong:
            forms.append((f"/customers/{mine.first}/pins", sent | {"segment": mine.ids["segment_id"]}))
        for path, form in forms:
            refused = visitor.post(path, **form)
            assert (refused.status_code, said in refused.text) == (422, True)
            assert 'value="She asked for it."' in refused.text
            assert 'name="inside" value="no" checked' in refused.text
    assert site.rows(Pin) == []
